-- Models and their versions. A version's endpoint belongs to serving/, which stands to the right; it
-- is read here, by the version's key, because a version's page shows both.

-- name: model_rows :many
-- In the order of the ids.
select m.id, m.project_id, m.name, m.description, m.created_at, m.updated_at,
       (select count(*) from model_versions c
         where c.team_id = m.team_id and c.model_id = m.id and c.deleted_at is null) as versions,
       v.version as latest_version, v.metrics,
       (select coalesce(json_object_agg(t.key, t.value order by t.key), '{}') from model_tags t
         where t.team_id = m.team_id and t.model_id = m.id) as tags,
       (select coalesce(json_object_agg(a.alias, a.version order by a.alias), '{}') from model_aliases a
         where a.team_id = m.team_id and a.model_id = m.id) as aliases
  from unnest($2::uuid[]) with ordinality as wanted (id, place)
  join models m on m.team_id = $1::uuid and m.id = wanted.id
  left join lateral (
       select version, metrics from model_versions
        where team_id = m.team_id and model_id = m.id and deleted_at is null
        order by version desc limit 1) v on true
 order by wanted.place;

-- name: model_id_by_name :opt
select id from models
 where team_id = $1::uuid and name = $2::text and ($3::uuid is null or project_id = $3::uuid);

-- name: model_create :exec
insert into models (id, team_id, project_id, name, description)
values ($1::uuid, $2::uuid, $3::uuid, $4::text, coalesce($5::text, ''));

-- name: model_ensure :exec
insert into models (id, team_id, project_id, name)
values ($1::uuid, $2::uuid, $3::uuid, $4::text)
on conflict on constraint models_name_unique do nothing;

-- name: model_rename :exec
update models set name = $3::text, updated_at = now() where team_id = $1::uuid and id = $2::uuid;

-- name: model_describe :exec
update models set description = $3::text, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid;

-- name: model_touch :exec
update models set updated_at = now() where team_id = $1::uuid and id = $2::uuid;

-- name: model_delete :exec
delete from models where team_id = $1::uuid and id = $2::uuid;

-- name: model_tags_put :exec
insert into model_tags (team_id, model_id, key, value)
select $1::uuid, $2::uuid, key, value from unnest($3::text[], $4::text[]) as t (key, value)
on conflict on constraint model_tags_pkey do update set value = excluded.value;

-- name: model_tag_delete :exec
delete from model_tags where team_id = $1::uuid and model_id = $2::uuid and key = $3::text;

-- name: model_alias_set :exec
-- Nothing when the version is deleted, also by somebody at this moment: the lock waits for them.
insert into model_aliases (team_id, model_id, alias, version)
select team_id, model_id, $3::text, version
  from model_versions
 where team_id = $1::uuid and model_id = $2::uuid and version = $4::bigint and deleted_at is null
   for share
on conflict on constraint model_aliases_pkey do update set version = excluded.version;

-- name: model_alias_delete :exec
delete from model_aliases where team_id = $1::uuid and model_id = $2::uuid and alias = $3::text;

-- name: model_served :opt
-- What answers for the model, or for one version of it.
select e.id, v.version
  from endpoints e
  join model_versions v on v.team_id = e.team_id and v.id = e.model_version_id
 where e.team_id = $1::uuid and v.model_id = $2::uuid and ($3::uuid is null or v.id = $3::uuid)
   and e.state in ('starting', 'ready')
 limit 1;

-- name: model_take_version :one
-- Locks the model's row until commit: whoever comes second gets the next number.
update models set last_version = last_version + 1, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid
returning last_version;

-- name: model_version_rows :many
-- In the order of the ids; $3: with the evaluation. 1,000 files are shown, all are counted.
select v.id, m.project_id, v.model_id, m.name as model_name, v.version, v.description, v.source,
       v.run_id, v.run_ref, v.location, v.run_link, v.logged_model_id, v.stage, v.status, v.status_message, v.created_at,
       v.updated_at, v.created_by,
       (select coalesce(json_object_agg(t.key, t.value order by t.key), '{}') from model_version_tags t
         where t.team_id = v.team_id and t.version_id = v.id) as tags,
       (select coalesce(json_agg(a.alias order by a.alias), '[]') from model_aliases a
         where a.team_id = v.team_id and a.model_id = v.model_id and a.version = v.version) as aliases,
       v.metrics, v.input_kind is not null as servable, v.signature, v.classes, v.input_kind,
       v.input_shape, f.size_bytes, f.file_count, f.files, e.endpoint,
       case when $3::boolean then v.evaluation end as evaluation
  from unnest($2::uuid[]) with ordinality as wanted (id, place)
  join model_versions v on v.team_id = $1::uuid and v.id = wanted.id and v.deleted_at is null
  join models m on m.team_id = v.team_id and m.id = v.model_id
 cross join lateral (
       select coalesce(sum(size_bytes), 0) as size_bytes, count(*) as file_count,
              coalesce(json_agg(json_build_object('name', name, 'size_bytes', size_bytes, 'media_type',
                                                  media_type, 'sha256', sha256) order by name)
                       filter (where place <= 1000), '[]') as files
         from (select name, size_bytes, media_type, sha256, row_number() over (order by name) as place
                 from model_files where team_id = v.team_id and version_id = v.id) files) f
  left join lateral (
       select json_build_object('id', id, 'model_version_id', v.id, 'model_name', m.name, 'version',
                  v.version, 'state', state, 'requests', requests, 'errors', errors, 'p50_us', p50_us,
                  'started_at', to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'last_used_at', to_char(last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'message', message) as endpoint
         from endpoints where team_id = v.team_id and model_version_id = v.id) e on true
 order by wanted.place;

-- name: model_version_id :opt
-- Number 0 is the newest.
select id from model_versions
 where team_id = $1::uuid and model_id = $2::uuid and deleted_at is null
   and ($3::bigint = 0 or version = $3::bigint)
 order by version desc
 limit 1;

-- name: model_version_id_by_alias :opt
select v.id
  from model_aliases a
  join model_versions v
    on v.team_id = a.team_id and v.model_id = a.model_id and v.version = a.version
 where a.team_id = $1::uuid and a.model_id = $2::uuid and a.alias = $3::text;

-- name: model_version_ids :many
-- A model's, newest first, below a number.
select id from model_versions
 where team_id = $1::uuid and model_id = $2::uuid and deleted_at is null
   and ($3::bigint is null or version < $3::bigint)
 order by version desc
 limit $4::bigint;

-- name: model_version_latest_ids :many
-- The newest of each stage, of several models.
select distinct on (model_id, stage) id
  from model_versions
 where team_id = $1::uuid and model_id = any ($2::uuid[]) and stage = any ($3::text[])
   and deleted_at is null
 order by model_id, stage, version desc;

-- name: model_version_numbers :one
select coalesce(json_agg(version::text order by version desc), '[]')
  from model_versions
 where team_id = $1::uuid and model_id = $2::uuid and deleted_at is null;

-- name: model_version_create :exec
insert into model_versions (id, team_id, model_id, version, description, source, run_id, run_link,
                            logged_model_id, created_by, metrics, signature, classes, input_kind,
                            input_shape, evaluation, run_ref, location)
values ($1::uuid, $2::uuid, $3::uuid, $4::bigint, coalesce($5::text, ''), $6::text, $7::uuid,
        coalesce($8::text, ''), $9::uuid, $10::text, $11::json, $12::json, $13::json, $14::text,
        $15::json, $16::json, coalesce($17::text, ''), coalesce($18::text, ''));

-- name: model_version_describe :exec
update model_versions set description = $3::text, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid;

-- name: model_version_set_stage :exec
-- A stage is also news of the model.
with changed as (
    update model_versions set stage = $3::text, updated_at = now()
     where team_id = $1::uuid and id = $2::uuid
    returning model_id
)
update models set updated_at = now()
 where team_id = $1::uuid and id in (select model_id from changed);

-- name: model_version_archive_others :exec
update model_versions set stage = 'archived', updated_at = now()
 where team_id = $1::uuid and model_id = $2::uuid and id <> $3::uuid and stage = $4::text
   and deleted_at is null;

-- name: model_version_delete :exec
-- With its aliases, tags and files; the number stays given.
with gone as (
    update model_versions
       set deleted_at = now(), updated_at = now(), source = '', location = '', run_link = '',
           description = '', run_id = null, run_ref = '', logged_model_id = null, stage = 'none', evaluation = null
     where team_id = $1::uuid and id = $2::uuid
    returning model_id, version
), aliases as (
    delete from model_aliases a using gone
     where a.team_id = $1::uuid and a.model_id = gone.model_id and a.version = gone.version
), tags as (
    delete from model_version_tags where team_id = $1::uuid and version_id = $2::uuid
)
delete from model_files where team_id = $1::uuid and version_id = $2::uuid;

-- name: model_version_tags_put :exec
insert into model_version_tags (team_id, version_id, key, value)
select $1::uuid, $2::uuid, key, value from unnest($3::text[], $4::text[]) as t (key, value)
on conflict on constraint model_version_tags_pkey do update set value = excluded.value;

-- name: model_version_tag_delete :exec
delete from model_version_tags where team_id = $1::uuid and version_id = $2::uuid and key = $3::text;

-- name: model_files_add :exec
insert into model_files (team_id, version_id, name, media_type, sha256, size_bytes)
select $1::uuid, $2::uuid, name, media_type, sha256, size_bytes
  from unnest($3::text[], $4::text[], $5::text[], $6::bigint[]) as f (name, media_type, sha256, size_bytes);

-- name: model_file_get :opt
select name, sha256, media_type, size_bytes
  from model_files
 where team_id = $1::uuid and version_id = $2::uuid and name = $3::text;

-- name: model_file_list :many
select name, sha256, media_type, size_bytes
  from model_files
 where team_id = $1::uuid and version_id = $2::uuid and starts_with(name, $3::text)
 order by name;
