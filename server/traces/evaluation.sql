-- Evaluation sets, with their tags, experiments and records.

-- name: evaluation_set_create :exec
insert into evaluation_sets (id, team_id, project_id, name, digest, created_by, updated_by)
values ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::text, $6::text);

-- name: evaluation_set_lock :opt
-- Its writers come one after another.
select id, coalesce(schema, '') as schema from evaluation_sets
 where team_id = $1::uuid and project_id = $2::uuid and id = $3::uuid
   for no key update;

-- name: evaluation_set_touch :exec
update evaluation_sets
   set updated_at = now(), updated_by = $3::text, digest = coalesce($4::text, digest),
       schema = coalesce($5::text, schema)
 where team_id = $1::uuid and id = $2::uuid;

-- name: evaluation_set_delete :exec
delete from evaluation_sets where team_id = $1::uuid and project_id = $2::uuid and id = $3::uuid;

-- name: evaluation_sets_load :many
-- In the order of the ids.
select s.id, s.project_id, s.name, s.digest, s.schema, s.created_by, s.updated_by, s.created_at, s.updated_at,
       (select coalesce(json_object_agg(key, value order by key), '{}') from evaluation_set_tags
         where team_id = s.team_id and set_id = s.id) as tags,
       (select coalesce(json_agg(e.number::text order by e.number), '[]')
          from evaluation_set_experiments x
          join experiments e on e.team_id = x.team_id and e.id = x.experiment_id
         where x.team_id = s.team_id and x.set_id = s.id) as experiments,
       (select count(*) from evaluation_records where team_id = s.team_id and set_id = s.id) as records
  from unnest($2::uuid[]) with ordinality as w (id, place)
  join evaluation_sets s on s.team_id = $1::uuid and s.project_id = $3::uuid and s.id = w.id
 order by w.place;

-- name: evaluation_set_tags_put :exec
insert into evaluation_set_tags (team_id, set_id, key, value)
select $1::uuid, $2::uuid, key, value from unnest($3::text[], $4::text[]) as t (key, value)
on conflict on constraint evaluation_set_tags_pkey do update set value = excluded.value;

-- name: evaluation_set_tag_delete :exec
delete from evaluation_set_tags where team_id = $1::uuid and set_id = $2::uuid and key = $3::text;

-- name: evaluation_set_link :exec
insert into evaluation_set_experiments (team_id, set_id, experiment_id)
select $1::uuid, $2::uuid, id from unnest($3::uuid[]) as e (id)
on conflict on constraint evaluation_set_experiments_pkey do nothing;

-- name: evaluation_set_unlink :exec
delete from evaluation_set_experiments
 where team_id = $1::uuid and set_id = $2::uuid and experiment_id = any ($3::uuid[]);

-- name: evaluation_records_find :many
select input_hash, body from evaluation_records
 where team_id = $1::uuid and set_id = $2::uuid and input_hash = any ($3::text[]);

-- name: evaluation_records_put :exec
insert into evaluation_records (id, team_id, set_id, input_hash, body, created_by, updated_by)
select r.id, $1::uuid, $2::uuid, r.input_hash, r.body, $6::text, $6::text
  from unnest($3::uuid[], $4::text[], $5::text[]) as r (id, input_hash, body)
on conflict on constraint evaluation_records_input_unique do update
   set body = excluded.body, updated_by = excluded.updated_by, updated_at = now();

-- name: evaluation_records_page :many
-- In the order in which they came: ids are made in order of time.
select id, body, created_by, updated_by, created_at, updated_at from evaluation_records
 where team_id = $1::uuid and set_id = $2::uuid and ($3::uuid is null or id > $3::uuid)
 order by id
 limit $4::bigint;

-- name: evaluation_records_delete :exec
delete from evaluation_records where team_id = $1::uuid and set_id = $2::uuid and id = any ($3::uuid[]);
