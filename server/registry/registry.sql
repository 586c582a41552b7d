-- Models and their versions. A version's endpoint belongs to serving/, which stands to the right; it
-- is read here, by the version's key, because a version's page shows both.

-- name: model_list :many
select m.id, m.project_id, m.name, m.description, m.created_at, m.updated_at,
       m.last_version as versions, nullif(m.last_version, 0) as latest_version, v.metrics
  from models m
  left join model_versions v
    on v.team_id = m.team_id and v.model_id = m.id and v.version = m.last_version
 where m.team_id = $1::uuid and m.project_id = $2::uuid and ($3::uuid is null or m.id < $3::uuid)
 order by m.id desc
 limit $4::bigint;

-- name: model_get :opt
select m.id, m.project_id, m.name, m.description, m.created_at, m.updated_at,
       m.last_version as versions, nullif(m.last_version, 0) as latest_version, v.metrics
  from models m
  left join model_versions v
    on v.team_id = m.team_id and v.model_id = m.id and v.version = m.last_version
 where m.team_id = $1::uuid and m.id = $2::uuid;

-- name: model_create :exec
insert into models (id, team_id, project_id, name, description)
values ($1::uuid, $2::uuid, $3::uuid, $4::text, coalesce($5::text, ''));

-- name: model_ensure :exec
insert into models (id, team_id, project_id, name)
values ($1::uuid, $2::uuid, $3::uuid, $4::text)
on conflict on constraint models_name_unique do nothing;

-- name: model_take_version :opt
-- Locks the model's row until commit: whoever comes second gets the next number. No row when the
-- name belongs to another project.
update models set last_version = last_version + 1, updated_at = now()
 where team_id = $1::uuid and project_id = $2::uuid and name = $3::text
returning id, last_version as version;

-- name: model_describe :exec
update models set description = $3::text, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid;

-- name: model_version_create :exec
insert into model_versions (id, team_id, model_id, version, description, run_id, created_by, metrics,
                            signature, classes, input_kind, input_shape, evaluation)
values ($1::uuid, $2::uuid, $3::uuid, $4::bigint, coalesce($5::text, ''), $6::uuid, $7::text,
        $8::json, $9::json, $10::json, $11::text, $12::json, $13::json);

-- name: model_file_add :exec
insert into model_files (team_id, version_id, name, media_type, sha256, size_bytes)
values ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::bigint);

-- name: model_version_list :many
select v.id, m.project_id, v.model_id, m.name as model_name, v.version, v.description, v.run_id,
       v.created_at, v.created_by, v.metrics, v.signature, v.classes, v.input_kind, v.input_shape,
       f.size_bytes, f.files, e.endpoint, null as evaluation
  from model_versions v
  join models m on m.team_id = v.team_id and m.id = v.model_id
 cross join lateral (
       select coalesce(sum(size_bytes), 0) as size_bytes,
              coalesce(json_agg(json_build_object('name', name, 'size_bytes', size_bytes, 'media_type',
                                                  media_type, 'sha256', sha256) order by name), '[]') as files
         from model_files where team_id = v.team_id and version_id = v.id) f
  left join lateral (
       select json_build_object('id', id, 'model_version_id', v.id, 'model_name', m.name, 'version',
                  v.version, 'state', state, 'requests', requests, 'errors', errors, 'p50_us', p50_us,
                  'started_at', to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'last_used_at', to_char(last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'message', message) as endpoint
         from endpoints where team_id = v.team_id and model_version_id = v.id) e on true
 where v.team_id = $1::uuid and v.model_id = $2::uuid and ($3::bigint is null or v.version < $3::bigint)
 order by v.version desc
 limit $4::bigint;

-- name: model_version_get :opt
select v.id, m.project_id, v.model_id, m.name as model_name, v.version, v.description, v.run_id,
       v.created_at, v.created_by, v.metrics, v.signature, v.classes, v.input_kind, v.input_shape,
       f.size_bytes, f.files, e.endpoint, v.evaluation
  from model_versions v
  join models m on m.team_id = v.team_id and m.id = v.model_id
 cross join lateral (
       select coalesce(sum(size_bytes), 0) as size_bytes,
              coalesce(json_agg(json_build_object('name', name, 'size_bytes', size_bytes, 'media_type',
                                                  media_type, 'sha256', sha256) order by name), '[]') as files
         from model_files where team_id = v.team_id and version_id = v.id) f
  left join lateral (
       select json_build_object('id', id, 'model_version_id', v.id, 'model_name', m.name, 'version',
                  v.version, 'state', state, 'requests', requests, 'errors', errors, 'p50_us', p50_us,
                  'started_at', to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'last_used_at', to_char(last_used_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                  'message', message) as endpoint
         from endpoints where team_id = v.team_id and model_version_id = v.id) e on true
 where v.team_id = $1::uuid and v.id = $2::uuid;

-- name: model_version_id :opt
-- By name; version 0 is the newest.
select v.id
  from models m
  join model_versions v on v.team_id = m.team_id and v.model_id = m.id
   and v.version = coalesce(nullif($3::bigint, 0), m.last_version)
 where m.team_id = $1::uuid and m.name = $2::text;

-- name: model_version_numbers :one
select coalesce(json_agg(version::text order by version desc), '[]')
  from model_versions
 where team_id = $1::uuid and model_id = $2::uuid;

-- name: model_version_describe :exec
update model_versions set description = $3::text where team_id = $1::uuid and id = $2::uuid;

-- name: model_file_get :opt
select name, sha256, media_type, size_bytes
  from model_files
 where team_id = $1::uuid and version_id = $2::uuid and name = $3::text;
