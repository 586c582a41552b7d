-- Logged models, with their parameters, tags and metrics.

-- name: logged_model_create :opt
-- None comes back when the experiment is not in the project or is archived.
insert into logged_models (id, team_id, project_id, experiment_id, name, model_type, source_run_id, created_by,
                           source_run_ref)
select $1::uuid, e.team_id, e.project_id, e.id, $5::text, $6::text, $7::uuid, $8::text, coalesce($9::text, '')
  from experiments e
 where e.team_id = $2::uuid and e.project_id = $3::uuid and e.id = $4::uuid and e.archived_at is null
returning id;

-- name: logged_model_require :opt
select m.id from logged_models m
 where m.team_id = $1::uuid and m.id = $2::uuid and ($3::uuid is null or m.project_id = $3::uuid)
   and ($4::boolean or m.archived_at is null);

-- name: logged_models_load :many
-- In the order of the ids; of the metrics the newest 1,000, by key and time.
select m.id, m.project_id, m.experiment_id, e.number as experiment_number, e.artifact_location, m.name,
       m.model_type, m.source_run_id, m.source_run_ref, m.status, m.status_message, m.created_by, m.created_at, m.updated_at,
       m.archived_at, t.tags, p.params, v.metrics
  from unnest($2::uuid[]) with ordinality as w (id, place)
  join logged_models m on m.team_id = $1::uuid and m.id = w.id
  join experiments e on e.team_id = m.team_id and e.id = m.experiment_id
 cross join lateral (select coalesce(json_object_agg(key, value order by key), '{}') as tags
                       from logged_model_tags where team_id = m.team_id and model_id = m.id) t
 cross join lateral (select coalesce(json_object_agg(key, value order by key), '{}') as params
                       from logged_model_params where team_id = m.team_id and model_id = m.id) p
 cross join lateral (
       select coalesce(json_agg(json_build_object(
                  'key', key, 'value', value, 'step', step,
                  'timestamp', (extract(epoch from at) * 1000)::bigint, 'run_id', run_id,
                  'dataset_name', dataset_name, 'dataset_digest', dataset_digest)
                  order by key, at, step, dataset_name), '[]') as metrics
         from (select * from logged_model_metrics
                where team_id = m.team_id and model_id = m.id order by at desc, key limit 1000) newest) v
 order by w.place;

-- name: logged_model_touch :exec
update logged_models set updated_at = now()
 where team_id = $1::uuid and id = $2::uuid and archived_at is null;

-- name: logged_model_set_status :exec
update logged_models set status = $3::text, updated_at = now()
 where team_id = $1::uuid and id = $2::uuid and archived_at is null;

-- name: logged_model_archive :exec
update logged_models set archived_at = now(), updated_at = now()
 where team_id = $1::uuid and id = $2::uuid and archived_at is null;

-- name: logged_model_put_tags :exec
insert into logged_model_tags (team_id, model_id, key, value)
select $1::uuid, $2::uuid, key, value from unnest($3::text[], $4::text[]) as t (key, value)
on conflict on constraint logged_model_tags_pkey do update set value = excluded.value;

-- name: logged_model_delete_tag :exec
delete from logged_model_tags where team_id = $1::uuid and model_id = $2::uuid and key = $3::text;

-- name: logged_model_add_params :exec
insert into logged_model_params (team_id, model_id, key, value)
select $1::uuid, $2::uuid, key, value from unnest($3::text[], $4::text[]) as p (key, value)
on conflict on constraint logged_model_params_pkey do nothing;

-- name: logged_model_param_conflict :opt
-- A parameter that has another value than this one.
select p.key from unnest($3::text[], $4::text[]) as n (key, value)
  join logged_model_params p on p.team_id = $1::uuid and p.model_id = $2::uuid and p.key = n.key
 where p.value <> n.value
 limit 1;

-- name: logged_models_missing :opt
-- One of these that is no active model of the project.
select n.id from unnest($3::uuid[]) as n (id)
 where not exists (select from logged_models m
                    where m.team_id = $1::uuid and m.project_id = $2::uuid and m.id = n.id
                      and m.archived_at is null)
 limit 1;

-- name: logged_model_metrics_add :exec
insert into logged_model_metrics (team_id, run_id, model_id, key, step, at, value, dataset_name, dataset_digest)
select $1::uuid, $2::uuid, n.model_id, n.key, n.step, timestamptz 'epoch' + n.at_us * interval '1 microsecond', n.value, n.name, n.digest
  from unnest($3::uuid[], $4::text[], $5::bigint[], $6::bigint[], $7::float8[], $8::text[], $9::text[])
       as n (model_id, key, step, at_us, value, name, digest)
on conflict on constraint logged_model_metrics_pkey do nothing;
