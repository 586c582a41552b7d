-- Projects. The counts of the home page read the tables of the domains to the right by their keys
-- only: asking each domain in turn would cost five statements a project.

-- name: project_list :many
select p.id, p.slug, p.name, p.description, p.created_at,
       (select count(*) from datasets d where d.team_id = p.team_id and d.project_id = p.id) as datasets,
       (select count(*) from runs r where r.team_id = p.team_id and r.project_id = p.id) as runs,
       (select count(*) from models m where m.team_id = p.team_id and m.project_id = p.id) as models,
       (select count(*) from jobs j where j.team_id = p.team_id and j.project_id = p.id
           and not j.resident and j.finished_at is null) as active_jobs
  from projects p
 where p.team_id = $1::uuid and ($2::uuid is null or p.id < $2::uuid)
 order by p.id desc
 limit $3::bigint;

-- name: project_find :opt
select id, slug, name, description, created_at
  from projects
 where team_id = $1::uuid and slug = $2::text;

-- name: project_get :opt
select p.id, p.slug, p.name, p.description, p.created_at,
       (select count(*) from datasets d where d.team_id = p.team_id and d.project_id = p.id) as datasets,
       (select count(*) from runs r where r.team_id = p.team_id and r.project_id = p.id) as runs,
       (select count(*) from models m where m.team_id = p.team_id and m.project_id = p.id) as models,
       (select count(*) from jobs j where j.team_id = p.team_id and j.project_id = p.id
           and not j.resident and j.finished_at is null) as active_jobs
  from projects p
 where p.team_id = $1::uuid and p.slug = $2::text;

-- name: project_create :exec
insert into projects (id, team_id, slug, name, description)
values ($1::uuid, $2::uuid, $3::text, $4::text, coalesce($5::text, ''));
