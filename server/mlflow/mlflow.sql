-- What this folder reads by itself: which project and experiments a request means, in MLflow's names
-- for them. Nothing is written here.

-- name: mlflow_project_find :opt
-- $2 null = the one that a request without a name of one means.
select id from projects
 where team_id = $1::uuid and ($2::text is null or slug = $2)
 order by slug <> 'default', created_at, id limit 1;

-- name: mlflow_experiments_of :many
-- In the order asked for; without the number of runs, which would have to be counted.
select e.id, e.number, e.name, e.artifact_location, e.created_at, e.updated_at, e.archived_at,
       (select coalesce(json_agg(json_build_object('key', t.key, 'value', t.value) order by t.key), '[]')
          from experiment_tags t where t.team_id = e.team_id and t.experiment_id = e.id) as tags
  from unnest($3::uuid[]) with ordinality as w (id, place)
  join experiments e on e.team_id = $1::uuid and e.project_id = $2::uuid and e.id = w.id
 order by w.place;

-- name: mlflow_experiments_numbered :many
select e.id, e.number, e.artifact_location
  from experiments e
 where e.team_id = $1::uuid and e.project_id = $2::uuid and e.number = any ($3::bigint[]);

-- name: mlflow_experiment_number :opt
select e.id, e.number, e.artifact_location
  from experiments e
 where e.team_id = $1::uuid and e.project_id = $2::uuid and e.id = $3::uuid;

-- name: mlflow_experiment_named :opt
select e.id from experiments e
 where e.team_id = $1::uuid and e.project_id = $2::uuid and e.name = $3::text;

-- name: mlflow_runs_here :many
-- Which of these runs there are in the project.
select id from runs
 where team_id = $1::uuid and project_id = $2::uuid and id = any ($3::uuid[])
 order by id;

-- name: mlflow_datasets_used :many
-- What the runs of these experiments read, and as what (mlflow.data.context).
select distinct e.number as experiment, d.name, d.digest, i.tags ->> 'mlflow.data.context' as context
  from experiments e
  join logged_datasets d on d.team_id = e.team_id and d.experiment_id = e.id
  join run_inputs i on i.team_id = d.team_id and i.logged_dataset_id = d.id
 where e.team_id = $1::uuid and e.project_id = $2::uuid and e.number = any ($3::bigint[])
 order by e.number, d.name, d.digest, context limit 1000;

-- name: mlflow_runs :many
-- Runs as clients read them, each one row: a page of search, or a single run. Everything is looked up
-- by key, run by run ("offset 0"), because the planner would rather read the tables of a small page
-- whole, and they may have millions of rows. The array is taken apart and put together so that its
-- length is not guessed: a plan that fits one run would be made anew for each. fresh: batches that the
-- summaries do not have yet, unless they are many. A run comes while those before it have fewer than
-- $4 bytes, so the first always does; n is its place. An array knows its size: to sum up the lengths
-- of texts would cost as much as reading them.
select n, id, experiment_id, name, user_name, state, archived_at, started_at, finished_at,
       param_keys, param_values, tag_keys, tag_values,
       metric_keys, metric_values, metric_steps, metric_times, waiting, fresh
  from (
    select u.n, r.id, r.experiment_id, r.name, r.user_name, r.state, r.archived_at,
           coalesce(r.started_at, r.created_at) as started_at, r.finished_at,
           p.param_keys, p.param_values, t.tag_keys, t.tag_values,
           m.metric_keys, m.metric_values, m.metric_steps, m.metric_times,
           w.waiting, w.fresh,
           coalesce(sum(p.size + t.size + m.size) over (order by u.n rows between unbounded preceding
                                                                              and 1 preceding), 0) as before
      from unnest(array (select unnest($3::uuid[]))) with ordinality as u (id, n)
     cross join lateral (
        select id, project_id, experiment_id, name, user_name, state, archived_at, started_at, created_at, finished_at
          from runs where team_id = $1::uuid and id = u.id offset 0) r
     cross join lateral (
        select array_agg(key) as param_keys, array_agg(value) as param_values,
               coalesce(pg_column_size(array_agg(key)) + pg_column_size(array_agg(value)), 0) as size
          from run_params where team_id = $1::uuid and run_id = r.id) p
     cross join lateral (
        select array_agg(key) as tag_keys, array_agg(value) as tag_values,
               coalesce(pg_column_size(array_agg(key)) + pg_column_size(array_agg(value)), 0) as size
          from run_tags where team_id = $1::uuid and run_id = r.id) t
     cross join lateral (
        select array_agg(key) as metric_keys, array_agg(last_value) as metric_values,
               array_agg(last_step) as metric_steps,
               array_agg(round(date_part('epoch', last_at) * 1000)::bigint) as metric_times,
               coalesce(pg_column_size(array_agg(key)), 0) + 100 * count(*) as size
          from run_metrics where team_id = $1::uuid and run_id = r.id and last_at is not null) m
     cross join lateral (
        select count(*) > 0 as waiting,
               case when sum(octet_length(coalesce(digest, body))) < 100000
                    then array_agg(coalesce(digest, body)) end as fresh
          from metric_inbox where team_id = $1::uuid and run_id = r.id and not noted) w
     where r.project_id = $2::uuid) f
 where before < $4::bigint
 order by n;

-- name: mlflow_run_links :many
-- What those of these runs that have any read and made, as JSON arrays. Apart from the rest because
-- few have, and each table more makes a statement dearer to start.
select u.n,
       (select json_strip_nulls(json_agg(json_build_object(
                   'tags', (select json_agg(json_build_object('key', x.key, 'value', x.value))
                              from json_each_text(l.tags) x),
                   'dataset', json_build_object('name', d.name, 'digest', d.digest,
                       'source_type', d.source_type, 'source', d.source, 'schema', d.schema,
                       'profile', d.profile)) order by d.name))
          from run_inputs l
          join logged_datasets d on d.team_id = l.team_id and d.id = l.logged_dataset_id
         where l.team_id = $1::uuid and l.run_id = u.id) as datasets,
       (select json_agg(json_build_object('model_id', 'm-' || replace(l.logged_model_id::text, '-', '')))
          from run_model_inputs l where l.team_id = $1::uuid and l.run_id = u.id) as models_read,
       (select json_agg(json_build_object('model_id', 'm-' || replace(l.logged_model_id::text, '-', ''),
                            'step', l.step) order by l.step)
          from run_model_outputs l where l.team_id = $1::uuid and l.run_id = u.id) as models_made
  from unnest($2::uuid[]) with ordinality as u (id, n)
 order by u.n;

-- name: mlflow_team_linked :one
-- Whether any run of the team that the caller sees read or made anything.
select exists (select from run_inputs where team_id = $1::uuid)
    or exists (select from run_model_inputs where team_id = $1::uuid)
    or exists (select from run_model_outputs where team_id = $1::uuid) as linked;

-- name: mlflow_runs_linked :many
-- Which of these runs read or made anything, and how large their data sets are: a profile may have
-- megabytes, and comes again with each run that read it. Its length is told without reading it.
select u.id, u.n, (select coalesce(sum(octet_length(d.source) + coalesce(octet_length(d.schema), 0)
                                       + coalesce(octet_length(d.profile), 0)), 0)
                     from run_inputs l
                     join logged_datasets d on d.team_id = l.team_id and d.id = l.logged_dataset_id
                    where l.team_id = $1::uuid and l.run_id = u.id) as size
  from unnest(array (select unnest($2::uuid[]))) with ordinality as u (id, n)
 where exists (select from run_inputs l where l.team_id = $1::uuid and l.run_id = u.id)
    or exists (select from run_model_inputs l where l.team_id = $1::uuid and l.run_id = u.id)
    or exists (select from run_model_outputs l where l.team_id = $1::uuid and l.run_id = u.id)
 order by u.n;
