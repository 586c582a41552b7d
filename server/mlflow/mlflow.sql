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
select e.id, e.number, e.artifact_location, e.archived_at
  from experiments e
 where e.team_id = $1::uuid and e.project_id = $2::uuid and e.number = any ($3::bigint[]);

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
