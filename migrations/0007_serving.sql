-- Endpoints: one for each model version that was ever asked to predict.
-- Changes: creates everything below. Locks: nothing that exists.

-- job_id is the resident job of the present or last start; ready_attempt the attempt of that job whose
-- runner said it was ready, so that a worker that only lost its line is told from a new one. requests, errors and p50_us lag the
-- truth by the few seconds between two writes of the counters kept in memory.
create table endpoints (
    id uuid primary key,
    team_id uuid not null,
    model_version_id uuid not null,
    state text not null default 'stopped',
    job_id uuid,
    ready_attempt bigint,
    message text not null default '',
    requests bigint not null default 0,
    errors bigint not null default 0,
    p50_us bigint,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    last_used_at timestamptz,
    constraint endpoints_team_id_unique unique (team_id, id),
    constraint endpoints_model_version foreign key (team_id, model_version_id)
        references model_versions (team_id, id) on delete cascade,
    constraint endpoints_job foreign key (team_id, job_id)
        references jobs (team_id, id) on delete set null (job_id),
    constraint endpoints_version_unique unique (team_id, model_version_id),
    constraint endpoints_state_known check (state in ('stopped', 'starting', 'ready', 'failed')),
    constraint endpoints_counts_not_negative check (requests >= 0 and errors >= 0 and p50_us >= 0)
) with (fillfactor = 70);
create index endpoints_job_index on endpoints (team_id, job_id);
create index endpoints_idle_index on endpoints (last_used_at) where state = 'ready';
call protect_team_table('endpoints');
