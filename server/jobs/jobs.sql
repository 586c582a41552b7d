-- The queue. Only job_state_set changes a job's state; it is guarded by the state it comes from, and
-- its callers hold the row's lock. Times are the database's.

-- name: job_project :opt
select id from projects where team_id = $1::uuid and slug = $2;

-- name: job_create :exec
insert into jobs (id, team_id, project_id, kind, name, max_attempts, spec, memory_bytes,
                  wall_seconds, resident, subject_id, created_by)
values ($1::uuid, $2::uuid, $3::uuid, $4, $5, $6::int, $7::jsonb, $8::bigint, $9::int, $10::boolean,
        $11::uuid, $12);

-- name: job_input_create :exec
insert into job_inputs (team_id, job_id, name, file_name, sha256)
values ($1::uuid, $2::uuid, $3, $4, $5);

-- name: job_find :opt
select j.id, j.team_id, j.project_id, j.kind, j.name, j.state, j.attempt, j.max_attempts, j.epoch,
       j.progress, j.message, j.eta_s, w.name as worker, j.spec, j.error, j.created_at,
       j.started_at, j.finished_at, j.created_by, j.subject_id, j.next_seq, j.finished_epoch,
       j.log_lines, j.memory_bytes, j.wall_seconds, j.run_at, j.contacted
from jobs j left join workers w on w.id = j.worker_id
where j.team_id = $1::uuid and j.id = $2::uuid;

-- The same, with the row locked until the transaction ends.
-- name: job_lock :opt
select j.id, j.team_id, j.project_id, j.kind, j.name, j.state, j.attempt, j.max_attempts, j.epoch,
       j.progress, j.message, j.eta_s, w.name as worker, j.spec, j.error, j.created_at,
       j.started_at, j.finished_at, j.created_by, j.subject_id, j.next_seq, j.finished_epoch,
       j.log_lines, j.memory_bytes, j.wall_seconds, j.run_at, j.contacted
from jobs j left join workers w on w.id = j.worker_id
where j.team_id = $1::uuid and j.id = $2::uuid
for update of j;

-- name: job_list :many
select j.id, j.team_id, j.project_id, j.kind, j.name, j.state, j.attempt, j.max_attempts, j.epoch,
       j.progress, j.message, j.eta_s, w.name as worker, j.spec, j.error, j.created_at,
       j.started_at, j.finished_at, j.created_by, j.subject_id, j.next_seq, j.finished_epoch,
       j.log_lines, j.memory_bytes, j.wall_seconds, j.run_at, j.contacted
from jobs j left join workers w on w.id = j.worker_id
where j.team_id = $1::uuid and j.project_id = $2::uuid
  and ($3::text is null or j.state = $3) and ($4::text is null or j.kind = $4)
  and ($5::uuid is null or j.id < $5::uuid)
order by j.id desc limit $6::int;

-- In system mode: whose job it is, if its last lease went to a worker of this token.
-- name: job_team :opt
select j.team_id from jobs j join workers w on w.id = j.worker_id
where j.id = $1::uuid and w.token_id = $2::uuid;

-- The next job for a worker, locked: teams with fewer running jobs first, then those whose last job
-- started longest ago (or a single slot would serve one team's whole queue before the next), then the
-- oldest job. A job whose attempts are used up is the reaper's.
-- name: job_next :opt
with busy as materialized (
    select team_id, count(*) as jobs from jobs where state in ('running', 'cancelling') group by team_id
), waiting as materialized (
    select distinct team_id from jobs
    where state in ('queued', 'lost_contact') and run_at <= now() and kind = any ($1::text[])
), turns as materialized (
    select w.team_id, (select max(s.started_at) from jobs s where s.team_id = w.team_id) as last_at
    from waiting w
)
select j.id, j.team_id
from jobs j join turns t on t.team_id = j.team_id left join busy b on b.team_id = j.team_id
where j.state in ('queued', 'lost_contact') and j.run_at <= now() and j.attempt < j.max_attempts
  and j.kind = any ($1::text[])
order by coalesce(b.jobs, 0), t.last_at nulls first, j.created_at, j.id
limit 1 for update of j skip locked;

-- $5 = worker of a new lease: takes the next epoch and counts an attempt. The first lease is short: a
-- worker that got it says so at once. $6 = attempts to take back.
-- $7 = seconds until it may run again. $8 = a retry by a person: a new budget. $9 = the error of a
-- failed one. $10 = the epoch whose finish this is.
-- name: job_state_set :one
with changed as (
    update jobs j set
        state = $4,
        epoch = j.epoch + case when $5::uuid is null then 0 else 1 end,
        next_seq = case when $5::uuid is null then j.next_seq else 1 end,
        contacted = j.contacted and $5::uuid is null,
        attempt = case when $8::boolean then 0
                       else j.attempt + case when $5::uuid is null then 0 else 1 end - $6::int end,
        worker_id = coalesce($5::uuid, j.worker_id),
        lease_until = case when $4 not in ('running', 'cancelling') then null
                           when $5::uuid is not null then now() + interval '10 seconds'
                           else coalesce(j.lease_until, now() + interval '20 seconds') end,
        run_at = case when $4 = 'queued' then now() + make_interval(secs => $7::float8) else j.run_at end,
        started_at = case when $8::boolean then null
                          when $5::uuid is not null then coalesce(j.started_at, now())
                          else j.started_at end,
        finished_at = case when $4 in ('succeeded', 'failed', 'cancelled') then now() end,
        progress = case when $4 = 'succeeded' then 1 when $8::boolean then 0 else j.progress end,
        message = case when $4 = 'running' then j.message else '' end,
        eta_s = case when $4 in ('running', 'cancelling', 'lost_contact') then j.eta_s end,
        error = $9::jsonb,
        finished_epoch = coalesce($10::bigint, j.finished_epoch)
    where j.team_id = $1::uuid and j.id = $2::uuid and j.state = $3
    returning j.*
)
select j.id, j.team_id, j.project_id, j.kind, j.name, j.state, j.attempt, j.max_attempts, j.epoch,
       j.progress, j.message, j.eta_s, w.name as worker, j.spec, j.error, j.created_at,
       j.started_at, j.finished_at, j.created_by, j.subject_id, j.next_seq, j.finished_epoch,
       j.log_lines, j.memory_bytes, j.wall_seconds, j.run_at, j.contacted
from changed j left join workers w on w.id = j.worker_id;

-- name: job_event_create :exec
insert into job_events (team_id, job_id, seq, from_state, state, attempt, reason)
select $1::uuid, $2::uuid, coalesce(max(seq), 0) + 1, $3, $4, $5::int, $6
from job_events where team_id = $1::uuid and job_id = $2::uuid;

-- name: job_event_list :many
select seq, at, from_state, state, attempt, reason from job_events
where team_id = $1::uuid and job_id = $2::uuid and seq > $3::bigint order by seq limit $4::int;

-- name: job_log_list :many
select seq, at, level, message from job_logs
where team_id = $1::uuid and job_id = $2::uuid and seq > $3::bigint order by seq limit $4::int;

-- name: job_log_add :exec
insert into job_logs (team_id, job_id, seq, level, message)
select $1::uuid, $2::uuid, $3::bigint + ordinality, level, message
from unnest($4::text[], $5::text[]) with ordinality as line (level, message, ordinality);

-- What a batch of events comes to.
-- name: job_advance :exec
update jobs set next_seq = $3::bigint, log_lines = $4::int, contacted = true,
    progress = greatest(0, least(1, coalesce($5::float8, progress))),
    message = coalesce($6, message),
    eta_s = case when $5::float8 is null then eta_s else $7::float8 end
where team_id = $1::uuid and id = $2::uuid;

-- name: job_inputs_list :many
select i.name, i.file_name, i.sha256, b.size_bytes
from job_inputs i join blobs b on b.sha256 = i.sha256
where i.team_id = $1::uuid and i.job_id = $2::uuid order by i.checkpoint, i.name;

-- name: job_input_by_hash :opt
select i.name, i.file_name, i.sha256, b.size_bytes
from job_inputs i join blobs b on b.sha256 = i.sha256
where i.team_id = $1::uuid and i.job_id = $2::uuid and i.sha256 = $3 limit 1;

-- name: job_checkpoint_set :exec
insert into job_inputs (team_id, job_id, name, file_name, sha256, checkpoint)
values ($1::uuid, $2::uuid, $3, $3, $4, true)
on conflict on constraint job_inputs_pkey do update set sha256 = excluded.sha256
where job_inputs.checkpoint;

-- name: job_output_create :exec
insert into job_outputs (team_id, job_id, name, media_type, sha256)
values ($1::uuid, $2::uuid, $3, $4, $5);

-- name: job_files_forget :exec
with finished as (
    select id from jobs
    where team_id = $1::uuid and subject_id = any ($2::uuid[]) and finished_at is not null
), inputs as (
    delete from job_inputs i using finished f where i.team_id = $1::uuid and i.job_id = f.id
)
delete from job_outputs o using finished f where o.team_id = $1::uuid and o.job_id = f.id;

-- name: job_outputs_clear :exec
delete from job_outputs where team_id = $1::uuid and job_id = $2::uuid;

-- A sign of life. It also brings back a job whose lease ran out while nobody else took it.
-- name: job_renew :exec
update jobs set lease_until = now() + interval '20 seconds', contacted = true
where team_id = $1::uuid and id = $2::uuid and epoch = $3::bigint
  and state in ('running', 'cancelling');

-- The first sign that the lease's reply arrived, when that is a download.
-- name: job_contacted :exec
update jobs set contacted = true
where team_id = $1::uuid and id = $2::uuid and epoch = $3::bigint and not contacted;

-- In system mode: leases that ran out, and lost jobs that may not run again.
-- name: jobs_overdue :many
select id, team_id from jobs
where (state in ('running', 'cancelling') and lease_until < now())
   or (state = 'lost_contact' and attempt >= max_attempts)
order by created_at limit 100;

-- The lease by the database's clock, for a row that is locked.
-- name: job_lease_is_over :opt
select 'yes' from jobs where team_id = $1::uuid and id = $2::uuid and lease_until < now();

-- --- workers, in system mode but for worker_list and job_waiting ---

-- name: worker_hello :one
insert into workers as w (id, token_id, name, version, slots, kinds, capabilities, sandbox)
values ($1::uuid, $2::uuid, $3, $4, $5::int, $6::text[], $7::jsonb, $8::jsonb)
on conflict on constraint workers_name_unique do update set
    version = excluded.version, slots = excluded.slots, kinds = excluded.kinds,
    capabilities = excluded.capabilities, sandbox = excluded.sandbox, last_seen_at = now()
returning w.id;

-- name: worker_seen :exec
update workers set last_seen_at = now()
where id = $1::uuid and token_id = $2::uuid and last_seen_at < now() - interval '1 second';

-- name: worker_of_token :opt
select id from workers where id = $1::uuid and token_id = $2::uuid;

-- name: worker_list :many
select id, name, case when last_seen_at > now() - interval '30 seconds' then 'online' else 'offline' end as state,
       version, capabilities, sandbox, slots, worker_busy(id) as busy, last_seen_at
from workers
where $1::uuid is null or id < $1::uuid
order by id desc limit $2::int;

-- Why a queued job is not running: how many workers could take it, their free slots, and the jobs of
-- its kind before it.
-- name: job_waiting :one
select (select count(*) from workers where $1 = any (kinds) and last_seen_at > now() - interval '30 seconds') as workers,
       (select coalesce(sum(greatest(slots - worker_busy(id), 0)), 0) from workers
        where $1 = any (kinds) and last_seen_at > now() - interval '30 seconds')::bigint as free_slots,
       jobs_ahead($1, $2::timestamptz) as ahead,
       greatest(ceil(extract(epoch from $3::timestamptz - now())), 0)::bigint as delay_s;
