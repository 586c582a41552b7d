-- Pages of runs. $2 is the page's ids; n counts them from 1, so that rows find their run by position.

-- name: load_runs :many
select r.id, r.project_id, r.experiment_id, e.name as experiment_name, e.number as experiment_number,
       r.name, r.state, r.parent_id, r.source, r.user_name, r.archived_at, r.job_id,
       r.dataset_version_id, d.name as dataset_name, v.version as dataset_version, r.created_at,
       r.started_at, r.finished_at, r.created_by, r.notes, coalesce(j.progress, 0) as progress,
       coalesce(j.message, '') as message, j.eta_s, r.device,
       case when $3::boolean then r.spec end as spec
  from unnest($2::uuid[]) with ordinality as u (id, n)
  join runs r on r.team_id = $1::uuid and r.id = u.id
  join experiments e on e.team_id = r.team_id and e.id = r.experiment_id
  left join dataset_versions v on v.team_id = r.team_id and v.id = r.dataset_version_id
  left join datasets d on d.team_id = v.team_id and d.id = v.dataset_id
  left join jobs j on j.team_id = r.team_id and j.id = r.job_id
 order by u.n;

-- name: load_texts :many
-- Parameters and tags, one row a run, as far as $5 bytes go: a run comes while those before it have
-- fewer, so the first always does. Here and below each run's rows come from the primary key in its
-- order, and the join can only be made run by run: nothing has to be sorted but the runs. An array
-- knows its size; to sum up the lengths of texts would cost as much as reading them.
select n, param_keys, param_values, tag_keys, tag_values
  from (select u.n, p.param_keys, p.param_values, t.tag_keys, t.tag_values,
               coalesce(sum(p.size + t.size) over (order by u.n rows between unbounded preceding
                                                                         and 1 preceding), 0) as before
          from unnest($2::uuid[]) with ordinality as u (id, n)
         cross join lateral (
            select array_agg(key) as param_keys, array_agg(value) as param_values,
                   coalesce(pg_column_size(array_agg(key)) + pg_column_size(array_agg(value)), 0) as size
              from (select key, value from run_params
                     where $3::boolean and team_id = $1::uuid and run_id = u.id order by key) x) p
         cross join lateral (
            select array_agg(key) as tag_keys, array_agg(value) as tag_values,
                   coalesce(pg_column_size(array_agg(key)) + pg_column_size(array_agg(value)), 0) as size
              from (select key, value from run_tags
                     where $4::boolean and team_id = $1::uuid and run_id = u.id order by key) x) t) f
 where before < $5::bigint
 order by n;

-- name: load_metrics :many
-- $3 rows at most here and in the two below; null = all.
select u.n, m.key, m.last_value as value
  from unnest($2::uuid[]) with ordinality as u (id, n)
 cross join lateral (select key, last_value from run_metrics
                      where team_id = $1::uuid and run_id = u.id and last_at is not null order by key) m
 limit $3::bigint;

-- name: load_metric_ranges :many
select u.n, m.key, m.last_value as value, m.least, m.greatest
  from unnest($2::uuid[]) with ordinality as u (id, n)
 cross join lateral (select key, last_value, nullif(least, 'NaN') as least,
                            nullif(greatest, 'NaN') as greatest
                       from run_metrics
                      where team_id = $1::uuid and run_id = u.id and last_at is not null order by key) m
 limit $3::bigint;

-- name: load_metric_points :many
select u.n, m.key, m.last_step as step, (extract(epoch from m.last_at) * 1000000)::bigint as at_us,
       m.last_value as value
  from unnest($2::uuid[]) with ordinality as u (id, n)
 cross join lateral (select key, last_step, last_at, last_value from run_metrics
                      where team_id = $1::uuid and run_id = u.id and last_at is not null order by key) m
 limit $3::bigint;

-- name: load_inputs :many
-- What runs read and made: 0 data sets, 1 models read, 2 models made.
select n, 0 as kind, i.logged_dataset_id as id, 0 as step, i.tags
  from unnest($2::uuid[]) with ordinality as u (id, n)
  join run_inputs i on i.team_id = $1::uuid and i.run_id = u.id
 union all
select n, 1, m.logged_model_id, 0, null
  from unnest($2::uuid[]) with ordinality as u (id, n)
  join run_model_inputs m on m.team_id = $1::uuid and m.run_id = u.id
 union all
select n, 2, m.logged_model_id, m.step, null
  from unnest($2::uuid[]) with ordinality as u (id, n)
  join run_model_outputs m on m.team_id = $1::uuid and m.run_id = u.id
 order by n, kind, step, id;

-- name: load_datasets :many
-- Each data set once, however many runs read it: a profile may have megabytes.
select id, name, digest, source_type, source, schema, profile
  from logged_datasets
 where team_id = $1::uuid and id = any ($2::uuid[])
 order by id;
