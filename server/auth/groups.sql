-- Groups of a team's members, and roles in projects.

-- name: group_list :many
select g.id, g.name, g.description,
    (select count(*) from group_members m where m.team_id = g.team_id and m.group_id = g.id) as members,
    g.created_at
from groups g
where g.team_id = $1::uuid and ($2::uuid is null or g.id < $2::uuid)
order by g.id desc limit $3::int;

-- name: group_get :opt
select g.id, g.name, g.description,
    (select count(*) from group_members m where m.team_id = g.team_id and m.group_id = g.id) as members,
    g.created_at
from groups g where g.team_id = $1::uuid and g.id = $2::uuid;

-- name: group_create :exec
insert into groups (id, team_id, name, description) values ($1::uuid, $2::uuid, $3, coalesce($4, ''));

-- name: group_update :exec
update groups set name = coalesce($3, name), description = coalesce($4, description)
where team_id = $1::uuid and id = $2::uuid;

-- name: group_delete :exec
delete from groups where team_id = $1::uuid and id = $2::uuid;

-- name: group_member_list :many
select m.user_id as id, u.name, coalesce(s.name, u.email) as email
from group_members m join users u on u.id = m.user_id
left join service_accounts s on s.team_id = m.team_id and s.user_id = m.user_id
where m.team_id = $1::uuid and m.group_id = $2::uuid and ($3::uuid is null or m.user_id < $3::uuid)
order by m.user_id desc limit $4::int;

-- name: group_member_add :exec
insert into group_members (team_id, group_id, user_id)
select $1::uuid, $2::uuid, user_id from members where team_id = $1::uuid and user_id = $3::uuid
on conflict on constraint group_members_pkey do update set user_id = excluded.user_id;

-- name: group_member_remove :exec
delete from group_members where team_id = $1::uuid and group_id = $2::uuid and user_id = $3::uuid;

-- name: project_role_list :many
select p.slug as project,
    case when r.group_id is not null then 'group' when s.user_id is not null then 'service'
         else 'user' end as subject_kind,
    coalesce(r.user_id, r.group_id) as subject_id, coalesce(g.name, s.name, u.name) as subject_name,
    r.role, r.created_at
from project_roles r
join projects p on p.team_id = r.team_id and p.id = r.project_id
left join groups g on g.team_id = r.team_id and g.id = r.group_id
left join users u on u.id = r.user_id
left join service_accounts s on s.team_id = r.team_id and s.user_id = r.user_id
where r.team_id = $1::uuid and p.slug = $2
  and ($3::uuid is null or coalesce(r.user_id, r.group_id) < $3::uuid)
  and ($4::uuid is null or coalesce(r.user_id, r.group_id) = $4::uuid)
order by coalesce(r.user_id, r.group_id) desc limit $5::int;

-- Nothing when the project or the subject is not there, or is of another kind.
-- name: project_role_set :exec
insert into project_roles as r (team_id, project_id, user_id, group_id, role)
select $1::uuid, p.id, x.user_id, x.group_id, $5
from projects p, (
    select m.user_id, null::uuid as group_id from members m
    where m.team_id = $1::uuid and m.user_id = $4::uuid and $3 = case when exists (
        select from service_accounts s where s.team_id = m.team_id and s.user_id = m.user_id)
        then 'service' else 'user' end
    union all
    select null, g.id from groups g where g.team_id = $1::uuid and g.id = $4::uuid and $3 = 'group') x
where p.team_id = $1::uuid and p.slug = $2
on conflict on constraint project_roles_unique do update set role = excluded.role;

-- name: project_role_delete :exec
delete from project_roles r using projects p
where p.team_id = $1::uuid and p.slug = $2 and r.team_id = p.team_id and r.project_id = p.id
  and case when $3 = 'group' then r.group_id else r.user_id end = $4::uuid;

-- The project that decides for a path: what its first parameter names. Kinds are the path's words.
-- name: project_role_here :opt
select project_role(p.team_id, p.id, $4::uuid, $5) as role
from projects p
where p.team_id = $1::uuid and p.id = case $2::text
    when 'projects' then (select id from projects where team_id = $1::uuid and slug = $3::text)
    when 'mlflow' then (select id from projects
        where team_id = $1::uuid and ($3::text = '' or slug = $3::text)
        order by slug <> 'default', created_at, id limit 1)
    when 'datasets' then (select project_id from datasets where team_id = $1::uuid and id = $6::uuid)
    when 'dataset-versions' then (select d.project_id from dataset_versions v
        join datasets d on d.team_id = v.team_id and d.id = v.dataset_id
        where v.team_id = $1::uuid and v.id = $6::uuid)
    when 'jobs' then (select project_id from jobs where team_id = $1::uuid and id = $6::uuid)
    when 'experiments' then (select project_id from experiments where team_id = $1::uuid and id = $6::uuid)
    when 'runs' then (select project_id from runs where team_id = $1::uuid and id = $6::uuid)
    when 'artifacts' then (select coalesce(r.project_id, m.project_id) from run_artifacts a
        left join runs r on r.team_id = a.team_id and r.id = a.run_id
        left join logged_models m on m.team_id = a.team_id and m.id = a.logged_model_id
        where a.team_id = $1::uuid and a.id = $6::uuid)
    when 'logged-models' then (select project_id from logged_models
        where team_id = $1::uuid and id = $6::uuid)
    when 'traces' then (select project_id from traces where team_id = $1::uuid and id = $6::uuid)
    when 'models' then (select project_id from models where team_id = $1::uuid and id = $6::uuid)
    when 'model-versions' then (select m.project_id from model_versions v
        join models m on m.team_id = v.team_id and m.id = v.model_id
        where v.team_id = $1::uuid and v.id = $6::uuid)
    when 'endpoints' then (select m.project_id from endpoints e
        join model_versions v on v.team_id = e.team_id and v.id = e.model_version_id
        join models m on m.team_id = v.team_id and m.id = v.model_id
        where e.team_id = $1::uuid and e.id = $6::uuid)
    end;

-- Who may give roles; for refusals.
-- name: permission_granters :many
select u.id, u.name, u.email
from members m join users u on u.id = m.user_id
where m.team_id = $1::uuid and m.role in ('owner', 'admin') and m.deactivated_at is null
  and not exists (select from service_accounts s where s.team_id = m.team_id and s.user_id = m.user_id)
order by m.role <> 'owner', m.created_at limit 3;

-- Everybody's role in the team ($2 null) or in a project, and where it comes from.
-- name: permission_list :many
select m.user_id as subject_id, case when s.user_id is not null then 'service' else 'user' end as subject_kind,
    coalesce(s.name, u.name) as subject_name, p.slug as project,
    case when p.id is null then m.role else project_role(m.team_id, p.id, m.user_id, m.role) end as role,
    case when p.id is null or m.role = 'owner' then 'role in the team'
         when exists (select from project_roles r where r.team_id = m.team_id and r.project_id = p.id
                      and r.user_id = m.user_id) then 'own role in the project'
         else coalesce((select 'group ' || g.name from project_roles r
             join group_members gm using (team_id, group_id) join groups g on g.id = r.group_id
             where r.team_id = m.team_id and r.project_id = p.id and gm.user_id = m.user_id
             order by array_position(array['none', 'viewer', 'editor', 'admin'], r.role) desc limit 1),
             'role in the team') end as because
from members m join users u on u.id = m.user_id
left join service_accounts s on s.team_id = m.team_id and s.user_id = m.user_id
left join projects p on p.team_id = m.team_id and p.slug = $2
where m.team_id = $1::uuid and m.deactivated_at is null
  and ($3::uuid is null or m.user_id < $3::uuid) and ($4::uuid is null or m.user_id = $4::uuid)
order by m.user_id desc limit $5::int;
