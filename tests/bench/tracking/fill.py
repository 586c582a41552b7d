"""Runs by SQL, the same in both schemas: N runs with M last metrics, five params and a tag each.
Filling them by requests would take MLflow's own server hours."""

SLIPWAY = """
with place as (select p.team_id, p.id as project_id from projects p join teams t on t.id = p.team_id
               where t.slug = 'acme' and p.slug = 'default'),
e as (insert into experiments (id, team_id, project_id, name, number)
      select gen_random_uuid(), team_id, project_id, '{name}', {number} from place
      returning id, team_id, project_id),
r as (insert into runs (id, team_id, project_id, experiment_id, name, state, created_at, started_at, finished_at,
                        created_by, source)
      select gen_random_uuid(), team_id, project_id, id, 'run ' || n, 'succeeded', now() - n * interval '1 s',
             now() - n * interval '1 s', now(), 'bench', 'mlflow'
      from e, generate_series(1, {runs}) n returning id, team_id, experiment_id, name),
t as (insert into run_tags (team_id, run_id, key, value) select team_id, id, 'mlflow.runName', name from r),
p as (insert into run_params (team_id, run_id, key, value)
      select team_id, id, 'p' || k, (abs(hashtext(id::text || k)) % 7)::text from r, generate_series(0, 4) k)
insert into run_metrics (team_id, run_id, key, points, first_step, last_step, last_at, last_value, least, greatest,
                         experiment_id)
select team_id, id, 'm' || k, 1, 1, 1, now(), v, v, v, experiment_id
from r, generate_series(0, {metrics} - 1) k, lateral (select abs(hashtext(id::text || k)) % 1000 / 1000.0 as v) w
"""

MLFLOW = """
with e as (insert into experiments (name, artifact_location, lifecycle_stage, creation_time, last_update_time)
      values ('{name}', 'mlflow-artifacts:/bench', 'active', 1700000000000, 1700000000000)
      returning experiment_id),
r as (insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time,
                        end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)
      select replace(gen_random_uuid()::text, '-', ''), 'run ' || n, 'LOCAL', '', '', 'bench', 'FINISHED',
             1700000000000 - n * 1000, 1700000000000, '', 'active', 'mlflow-artifacts:/bench/' || n, experiment_id
      from e, generate_series(1, {runs}) n returning run_uuid as id, name),
t as (insert into tags (run_uuid, key, value) select id, 'mlflow.runName', name from r),
p as (insert into params (run_uuid, key, value)
      select id, 'p' || k, (abs(hashtext(id || k)) % 7)::text from r, generate_series(0, 4) k),
m as (insert into metrics (run_uuid, key, value, timestamp, step, is_nan)
      select id, 'm' || k, abs(hashtext(id || k)) % 1000 / 1000.0, 1700000000000, 1, false
      from r, generate_series(0, {metrics} - 1) k)
insert into latest_metrics (run_uuid, key, value, timestamp, step, is_nan)
select id, 'm' || k, abs(hashtext(id || k)) % 1000 / 1000.0, 1700000000000, 1, false
from r, generate_series(0, {metrics} - 1) k
"""

MLFLOW_HISTORY = """
insert into metrics (run_uuid, key, value, timestamp, step, is_nan)
select '{run}', 'loss', 2 / (1 + n / 1000.0) + 0.1 * sin(n), 1700000000000 + n * 50, n, false
from generate_series(0, {points} - 1) n;
insert into latest_metrics (run_uuid, key, value, timestamp, step, is_nan)
values ('{run}', 'loss', 0, 1700000000000 + ({points} - 1) * 50, {points} - 1, false)
"""
