-- Experiments: their folders, tags and ends.

-- name: experiment_get :opt
-- By $2, or by number or name in a project.
select e.id, e.project_id, e.number, e.name, e.description, e.folder, e.artifact_location,
       (select count(*) from runs r where r.team_id = e.team_id and r.experiment_id = e.id)
       - (select count(*) from runs r where r.team_id = e.team_id and r.experiment_id = e.id
             and r.archived_at is not null) as runs,
       e.created_at, e.updated_at, e.archived_at,
       (select coalesce(json_object_agg(t.key, t.value order by t.key), '{}') from experiment_tags t
         where t.team_id = e.team_id and t.experiment_id = e.id) as tags
  from experiments e
 where e.team_id = $1::uuid
   and e.id = coalesce($2::uuid,
       (select n.id from experiments n
         where n.team_id = $1::uuid and n.project_id = $3::uuid and n.number = $4::bigint),
       (select n.id from experiments n
         where n.team_id = $1::uuid and n.project_id = $3::uuid and n.name = $5::text));

-- name: experiment_list :many
-- A folder's own and those in the folders below it. All runs are counted from an index alone; the
-- archived ones are few.
select e.id, e.project_id, e.number, e.name, e.description, e.folder, e.artifact_location,
       (select count(*) from runs r where r.team_id = e.team_id and r.experiment_id = e.id)
       - (select count(*) from runs r where r.team_id = e.team_id and r.experiment_id = e.id
             and r.archived_at is not null) as runs,
       e.created_at, e.updated_at, e.archived_at,
       (select coalesce(json_object_agg(t.key, t.value order by t.key), '{}') from experiment_tags t
         where t.team_id = e.team_id and t.experiment_id = e.id) as tags
  from experiments e
 where e.team_id = $1::uuid and e.project_id = $2::uuid and ($3::bigint is null or e.number < $3::bigint)
   and ($4::text is null or e.folder = $4::text or starts_with(e.folder, $4::text || '/'))
   and ($5::text is null or position(lower($5::text) in lower(e.name)) > 0)
   and case $6::text when 'active' then e.archived_at is null
                     when 'archived' then e.archived_at is not null
                     else true end
 order by e.number desc
 limit $7::bigint;

-- name: experiment_create :exec
with made as (
    insert into experiments (id, team_id, project_id, name, description, folder, artifact_location)
    values ($1::uuid, $2::uuid, $3::uuid, $4::text, coalesce($5::text, ''), coalesce($6::text, ''), $7::text)
    returning team_id, id
)
insert into experiment_tags (team_id, experiment_id, key, value)
select made.team_id, made.id, t.key, t.value
  from made cross join unnest($8::text[], $9::text[]) as t (key, value);

-- name: experiment_ensure :opt
-- $4 null = the project's first. A name that is taken by an archived experiment is found too.
with made as (
    insert into experiments (id, team_id, project_id, name)
    select $1::uuid, $2::uuid, $3::uuid, $4::text
     where $4::text is not null
       and not exists (select from experiments e
                        where e.team_id = $2::uuid and e.project_id = $3::uuid and e.name = $4::text)
    on conflict on constraint experiments_name_unique do nothing
    returning id, archived_at
)
select id, archived_at from made
union all
select id, archived_at from experiments e
 where e.team_id = $2::uuid and e.project_id = $3::uuid
   and e.id = coalesce((select n.id from experiments n
                         where n.team_id = $2::uuid and n.project_id = $3::uuid and n.name = $4::text),
                       (select n.id from experiments n
                         where n.team_id = $2::uuid and n.project_id = $3::uuid and n.number = 0
                           and $4::text is null));

-- name: experiment_update :exec
-- Null leaves a member as it is.
update experiments
   set name = coalesce($3::text, name), description = coalesce($4::text, description),
       folder = coalesce($5::text, folder), updated_at = now()
 where team_id = $1::uuid and id = $2::uuid and archived_at is null;

-- name: experiment_tags_put :exec
with touched as (
    update experiments set updated_at = now()
     where team_id = $1::uuid and id = $2::uuid and archived_at is null
    returning team_id, id
)
insert into experiment_tags (team_id, experiment_id, key, value)
select e.team_id, e.id, t.key, t.value
  from touched e cross join unnest($3::text[], $4::text[]) as t (key, value)
 order by t.key
on conflict on constraint experiment_tags_pkey do update set value = excluded.value;

-- name: experiment_tag_delete :exec
with gone as (
    delete from experiment_tags t using experiments e
     where t.team_id = $1::uuid and t.experiment_id = $2::uuid and t.key = $3::text
       and e.team_id = t.team_id and e.id = t.experiment_id and e.archived_at is null
    returning t.team_id, t.experiment_id
)
update experiments e set updated_at = now() from gone g
 where e.team_id = g.team_id and e.id = g.experiment_id;

-- name: experiment_archive :exec
update experiments set archived_at = now(), updated_at = now()
 where team_id = $1::uuid and id = $2::uuid and archived_at is null;

-- name: experiment_archive_runs :exec
-- The next of them. They carry the experiment's very time, by which experiment_restore_runs knows them.
with next as (
    select r.team_id, r.id, e.archived_at
      from experiments e join runs r on r.team_id = e.team_id and r.experiment_id = e.id
     where e.team_id = $1::uuid and e.id = $2::uuid and e.archived_at is not null and r.archived_at is null
     limit $3::bigint
       for no key update of r
)
update runs r set archived_at = next.archived_at from next
 where r.team_id = next.team_id and r.id = next.id;

-- name: experiment_restore_runs :exec
with next as (
    select r.team_id, r.id
      from experiments e join runs r on r.team_id = e.team_id and r.experiment_id = e.id
     where e.team_id = $1::uuid and e.id = $2::uuid and r.archived_at = e.archived_at
     limit $3::bigint
       for no key update of r
)
update runs r set archived_at = null, heard_at = now() from next
 where r.team_id = next.team_id and r.id = next.id;

-- name: experiment_restore :exec
update experiments set archived_at = null, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid and archived_at is not null;

-- name: experiment_run_ids :many
select id from runs where team_id = $1::uuid and experiment_id = $2::uuid limit $3::bigint;

-- name: experiment_delete :exec
-- With the nodes of its logged models; its runs' went with them.
with nodes as (
    delete from lineage_nodes n using experiments e, logged_models m
     where e.team_id = $1::uuid and e.id = $2::uuid and e.archived_at is not null and e.number <> 0
       and m.team_id = e.team_id and m.experiment_id = e.id
       and n.team_id = m.team_id and n.kind = 'artifact' and n.ref_id = m.id
)
delete from experiments
 where team_id = $1::uuid and id = $2::uuid and archived_at is not null and number <> 0;

-- name: folder_list :many
select folder, count(*) as experiments
  from experiments
 where team_id = $1::uuid and project_id = $2::uuid and archived_at is null and folder <> ''
 group by folder order by folder
 limit 1000;

-- name: folder_move :exec
-- What is below moves along; to '' they go up to the top.
update experiments
   set folder = ltrim($4::text || substr(folder, length($3::text) + 1), '/'), updated_at = now()
 where team_id = $1::uuid and project_id = $2::uuid
   and (folder = $3::text or starts_with(folder, $3::text || '/'));
