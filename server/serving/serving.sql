-- Endpoints. Names of models and versions are joined in by their keys.

-- name: endpoint_list :many
select e.id, e.model_version_id, m.name as model_name, v.version, e.state, e.requests, e.errors,
       e.p50_us, e.started_at, e.last_used_at, e.message, e.job_id
  from endpoints e
  join model_versions v on v.team_id = e.team_id and v.id = e.model_version_id
  join models m on m.team_id = v.team_id and m.id = v.model_id
 where e.team_id = $1::uuid and m.project_id = $2::uuid and ($3::uuid is null or e.id < $3::uuid)
 order by e.id desc
 limit $4::bigint;

-- name: endpoint_get :opt
select e.id, e.model_version_id, m.name as model_name, v.version, e.state, e.requests, e.errors,
       e.p50_us, e.started_at, e.last_used_at, e.message, e.job_id
  from endpoints e
  join model_versions v on v.team_id = e.team_id and v.id = e.model_version_id
  join models m on m.team_id = v.team_id and m.id = v.model_id
 where e.team_id = $1::uuid and e.id = $2::uuid;

-- name: endpoint_of_version :opt
select e.id, e.model_version_id, m.name as model_name, v.version, e.state, e.requests, e.errors,
       e.p50_us, e.started_at, e.last_used_at, e.message, e.job_id
  from endpoints e
  join model_versions v on v.team_id = e.team_id and v.id = e.model_version_id
  join models m on m.team_id = v.team_id and m.id = v.model_id
 where e.team_id = $1::uuid and e.model_version_id = $2::uuid;

-- name: endpoint_ensure :exec
insert into endpoints (id, team_id, model_version_id)
values ($1::uuid, $2::uuid, $3::uuid)
on conflict on constraint endpoints_version_unique do nothing;

-- name: endpoint_lock :one
-- Of several first requests one starts the runner; the others find it starting.
select state from endpoints where team_id = $1::uuid and id = $2::uuid for update;

-- name: endpoint_starting :exec
update endpoints
   set state = 'starting', job_id = $3::uuid, message = '', started_at = null, last_used_at = now()
 where team_id = $1::uuid and id = $2::uuid and state in ('stopped', 'failed');

-- name: endpoint_ready :opt
update endpoints
   set state = 'ready', ready_attempt = $3::bigint, message = '', started_at = now(), last_used_at = now()
 where team_id = $1::uuid and job_id = $2::uuid and state = 'starting'
returning id;

-- name: endpoint_lost :opt
-- Its runner is gone and the same job starts another: attempt $3, or one to come when that is null.
update endpoints set state = 'starting', started_at = null
 where team_id = $1::uuid and job_id = $2::uuid and state = 'ready'
   and ($3::bigint is null or ready_attempt <> $3::bigint)
returning id;

-- name: endpoint_retried :opt
-- A person had its failed job run again.
update endpoints set state = 'starting', message = ''
 where team_id = $1::uuid and job_id = $2::uuid and state in ('stopped', 'failed')
returning id;

-- name: endpoint_ended :opt
-- $3 is 'failed' or 'stopped'. One that was stopped by hand stays stopped.
update endpoints set state = $3::text, message = $4::text, started_at = null
 where team_id = $1::uuid and job_id = $2::uuid and state in ('starting', 'ready')
returning id;

-- name: endpoint_count :exec
update endpoints
   set requests = requests + $3::bigint, errors = errors + $4::bigint, p50_us = $5::bigint,
       last_used_at = greatest(last_used_at, now())
 where team_id = $1::uuid and id = $2::uuid;

-- Unused for $1 seconds; and while a model waits for a predict slot (a free one would have taken its
-- job within 5 seconds), the one of all that has rested longest, once it has rested for 10 seconds.
-- name: endpoint_idle :many
select id, team_id
  from endpoints
 where state = 'ready' and last_used_at < now() - $1::bigint * interval '1 second'
    or id = (select longest.id from endpoints longest
              where longest.state = 'ready' and longest.last_used_at < now() - interval '10 seconds'
                and exists (select from jobs j
                             where j.kind = 'predict' and j.state = 'queued'
                               and greatest(j.created_at, j.run_at) < now() - interval '5 seconds')
              order by longest.last_used_at limit 1)
 limit 100;
