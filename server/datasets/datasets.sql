-- Datasets, their versions and files. Dates inside JSON are avoided: rows carry them as columns.

-- name: dataset_list :many
select d.id, d.project_id, d.name, d.description, d.created_at, d.updated_at,
       v.version as latest_version, v.state as latest_state, v.kind, v.row_count as rows, v.size_bytes
  from datasets d
  left join dataset_versions v
    on v.team_id = d.team_id and v.dataset_id = d.id and v.version = d.last_version
 where d.team_id = $1::uuid and d.project_id = $2::uuid and ($3::uuid is null or d.id < $3::uuid)
 order by d.id desc
 limit $4::bigint;

-- name: dataset_get :opt
select d.id, d.project_id, d.name, d.description, d.created_at, d.updated_at,
       v.version as latest_version, v.state as latest_state, v.kind, v.row_count as rows, v.size_bytes
  from datasets d
  left join dataset_versions v
    on v.team_id = d.team_id and v.dataset_id = d.id and v.version = d.last_version
 where d.team_id = $1::uuid and d.id = $2::uuid;

-- name: dataset_create :exec
insert into datasets (id, team_id, project_id, name, description)
values ($1::uuid, $2::uuid, $3::uuid, $4::text, coalesce($5::text, ''));

-- name: dataset_describe :exec
update datasets set description = $3::text, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid;

-- name: dataset_take_version :one
-- Locks the dataset's row until commit: whoever comes second gets the next number.
update datasets set last_version = last_version + 1, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid
returning last_version;

-- name: dataset_version_create :exec
insert into dataset_versions (id, team_id, dataset_id, version, job_id, created_by, split, target)
values ($1::uuid, $2::uuid, $3::uuid, $4::bigint, $5::uuid, $6::text, $7::json, $8::text);

-- name: dataset_version_list :many
-- A table of ten thousand columns has megabytes of statistics: those are told with the version alone.
select v.id, v.dataset_id, d.name as dataset_name, d.project_id, v.version, v.state, v.job_id,
       v.created_at, v.created_by, v.kind, v.row_count as rows, v.size_bytes, v.sha256, v.shape,
       v.classes, v.splits, v.split,
       case when length(v.columns::text) <= 262144 then v.columns end as columns,
       case when length(v.samples::text) <= 262144 then v.samples end as samples, v.notes, v.target, v.error,
       (select coalesce(json_agg(json_build_object('name', f.name, 'size_bytes', f.size_bytes,
                                                   'media_type', f.media_type) order by f.name), '[]')
          from dataset_files f where f.team_id = v.team_id and f.version_id = v.id) as files
  from dataset_versions v
  join datasets d on d.team_id = v.team_id and d.id = v.dataset_id
 where v.team_id = $1::uuid and v.dataset_id = $2::uuid
   and ($3::bigint is null or v.version < $3::bigint)
 order by v.version desc
 limit $4::bigint;

-- name: dataset_version_get :opt
select v.id, v.dataset_id, d.name as dataset_name, d.project_id, v.version, v.state, v.job_id,
       v.created_at, v.created_by, v.kind, v.row_count as rows, v.size_bytes, v.sha256, v.shape,
       v.classes, v.splits, v.split, v.columns, v.samples, v.notes, v.target, v.error,
       (select coalesce(json_agg(json_build_object('name', f.name, 'size_bytes', f.size_bytes,
                                                   'media_type', f.media_type) order by f.name), '[]')
          from dataset_files f where f.team_id = v.team_id and f.version_id = v.id) as files
  from dataset_versions v
  join datasets d on d.team_id = v.team_id and d.id = v.dataset_id
 where v.team_id = $1::uuid and v.id = $2::uuid;

-- name: dataset_version_importing :exec
update dataset_versions set state = 'importing', error = null
 where team_id = $1::uuid and id = $2::uuid and state = 'failed';

-- name: dataset_version_failed :exec
update dataset_versions set state = 'failed', error = $3::json
 where team_id = $1::uuid and id = $2::uuid and state = 'importing';

-- name: dataset_version_ready :exec
update dataset_versions
   set state = 'ready', kind = $3::text, row_count = $4::bigint, size_bytes = $5::bigint,
       sha256 = $6::text, shape = $7::json, target = $8::text, classes = $9::json,
       splits = $10::json, split = $11::json, columns = $12::json, samples = $13::json,
       notes = $14::json
 where team_id = $1::uuid and id = $2::uuid and state = 'importing';

-- name: dataset_file_add :exec
insert into dataset_files (team_id, version_id, name, media_type, sha256, size_bytes)
values ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::bigint);

-- name: dataset_file_get :opt
select name, sha256, media_type, size_bytes
  from dataset_files
 where team_id = $1::uuid and version_id = $2::uuid and name = $3::text;
