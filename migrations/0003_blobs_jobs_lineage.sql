-- Blobs, uploads, the job queue with its workers, and the lineage graph.
-- Changes: creates everything below. Locks: nothing that exists.

-- A row says: this file is whole and durable. Bytes are kept once for the installation; which team
-- may read them follows from the rows that refer to them, so there is no team here.
create table blobs (
    sha256 text primary key,
    size_bytes bigint not null,
    created_at timestamptz not null default now(),
    constraint blobs_sha256_form check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint blobs_size_not_negative check (size_bytes >= 0)
);
grant select, insert on blobs to slipway_app;

-- offset_bytes is what a client may rely on: it moves after the bytes before it were fsynced.
create table uploads (
    id uuid primary key,
    team_id uuid not null,
    user_id uuid not null,
    file_name text not null,
    size_bytes bigint not null,
    offset_bytes bigint not null default 0,
    state text not null default 'receiving',
    sha256 text,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '24 hours',
    constraint uploads_member foreign key (team_id, user_id)
        references members (team_id, user_id) on delete cascade,
    constraint uploads_blob foreign key (sha256) references blobs (sha256) on delete restrict,
    constraint uploads_state_known check (state in ('receiving', 'complete')),
    constraint uploads_complete_has_blob check ((state = 'complete') = (sha256 is not null)),
    constraint uploads_offset_in_size check (offset_bytes between 0 and size_bytes),
    constraint uploads_file_name_length check (length(file_name) between 1 and 255)
);
create index uploads_member_index on uploads (team_id, user_id, id desc);
create index uploads_blob_index on uploads (sha256);
create index uploads_expires_index on uploads (expires_at) where state = 'receiving';
call protect_team_table('uploads');

-- slipway-worker processes of the installation; they serve every team.
create table workers (
    id uuid primary key,
    token_id uuid not null,
    name text not null,
    version text not null,
    slots integer not null,
    kinds text[] not null,
    capabilities jsonb not null,
    sandbox jsonb not null,
    created_at timestamptz not null default now(),
    last_seen_at timestamptz not null default now(),
    constraint workers_token foreign key (token_id) references worker_tokens (id) on delete cascade,
    constraint workers_name_unique unique (token_id, name),
    constraint workers_name_length check (length(name) between 1 and 200),
    constraint workers_slots_in_range check (slots between 1 and 1000)
);
alter table workers enable row level security;
alter table workers force row level security;
create policy everyone_reads on workers for select using (true);
create policy system_writes on workers using ((select in_system())) with check ((select in_system()));
grant select, insert, update, delete on workers to slipway_app;

-- The queue. epoch is the fencing number: each lease takes the next one, and every write of a worker
-- names it. next_seq is the next event wanted from the lease's holder. finished_epoch is the epoch
-- whose finish was accepted, which makes repeating that call harmless.
create table jobs (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    kind text not null,
    name text not null,
    state text not null default 'queued',
    attempt integer not null default 0,
    max_attempts integer not null,
    epoch bigint not null default 0,
    next_seq bigint not null default 1,
    finished_epoch bigint,
    run_at timestamptz not null default now(),
    lease_until timestamptz,
    worker_id uuid,
    progress double precision not null default 0,
    message text not null default '',
    eta_s double precision,
    spec jsonb not null,
    error jsonb,
    memory_bytes bigint not null default 0,
    wall_seconds integer not null default 0,
    resident boolean not null default false,
    subject_id uuid,
    log_lines integer not null default 0,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    created_by text not null,
    constraint jobs_team_id_unique unique (team_id, id),
    constraint jobs_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint jobs_worker foreign key (worker_id) references workers (id) on delete set null,
    constraint jobs_state_known check (state in ('queued', 'running', 'lost_contact', 'cancelling',
                                                 'succeeded', 'failed', 'cancelled')),
    constraint jobs_lease_while_held check ((state in ('running', 'cancelling')) = (lease_until is not null)),
    constraint jobs_finished_has_time check ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)),
    constraint jobs_failed_says_why check (state <> 'failed' or error is not null),
    constraint jobs_progress_in_range check (progress between 0 and 1),
    constraint jobs_attempts_in_range check (attempt between 0 and max_attempts)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
create index jobs_project_index on jobs (team_id, project_id, id desc);
create index jobs_worker_index on jobs (worker_id);
create index jobs_subject_index on jobs (team_id, subject_id);
create index jobs_claim_index on jobs (run_at, created_at) where state in ('queued', 'lost_contact');
create index jobs_held_index on jobs (lease_until) where state in ('running', 'cancelling');
call protect_team_table('jobs');

-- checkpoint: announced by a runner while it worked; the next attempt starts from it.
create table job_inputs (
    team_id uuid not null,
    job_id uuid not null,
    name text not null,
    file_name text not null,
    sha256 text not null,
    checkpoint boolean not null default false,
    constraint job_inputs_pkey primary key (job_id, name),
    constraint job_inputs_job foreign key (team_id, job_id) references jobs (team_id, id) on delete cascade,
    constraint job_inputs_blob foreign key (sha256) references blobs (sha256) on delete restrict
);
create index job_inputs_job_index on job_inputs (team_id, job_id);
create index job_inputs_blob_index on job_inputs (sha256);
call protect_team_table('job_inputs');

create table job_outputs (
    team_id uuid not null,
    job_id uuid not null,
    name text not null,
    media_type text not null,
    sha256 text not null,
    constraint job_outputs_pkey primary key (job_id, name),
    constraint job_outputs_job foreign key (team_id, job_id) references jobs (team_id, id) on delete cascade,
    constraint job_outputs_blob foreign key (sha256) references blobs (sha256) on delete restrict
);
create index job_outputs_job_index on job_outputs (team_id, job_id);
create index job_outputs_blob_index on job_outputs (sha256);
call protect_team_table('job_outputs');

-- Every change of state, once.
create table job_events (
    team_id uuid not null,
    job_id uuid not null,
    seq bigint not null,
    at timestamptz not null default clock_timestamp(),
    from_state text,
    state text not null,
    attempt integer not null,
    reason text not null,
    constraint job_events_pkey primary key (job_id, seq),
    constraint job_events_job foreign key (team_id, job_id) references jobs (team_id, id) on delete cascade
);
create index job_events_job_index on job_events (team_id, job_id);
call protect_team_table('job_events');

create table job_logs (
    team_id uuid not null,
    job_id uuid not null,
    seq bigint not null,
    at timestamptz not null default clock_timestamp(),
    level text not null,
    message text not null,
    constraint job_logs_pkey primary key (job_id, seq),
    constraint job_logs_job foreign key (team_id, job_id) references jobs (team_id, id) on delete cascade,
    constraint job_logs_level_known check (level in ('info', 'warning', 'error'))
);
create index job_logs_job_index on job_logs (team_id, job_id);
call protect_team_table('job_logs');

-- Counts over all teams, told to each without showing a row. The setting is put back before they
-- return; a failure in between aborts the transaction, and the setting with it.
create function worker_busy(worker uuid) returns bigint
    language plpgsql stable
as $$
declare
    was text := current_setting('app.system', true);
    busy bigint;
begin
    perform set_config('app.system', 'on', true);
    select count(*) into busy from jobs
        where worker_id = worker and state in ('running', 'cancelling');
    perform set_config('app.system', coalesce(was, ''), true);
    return busy;
end
$$;

create function jobs_ahead(of_kind text, since timestamptz) returns bigint
    language plpgsql stable
as $$
declare
    was text := current_setting('app.system', true);
    ahead bigint;
begin
    perform set_config('app.system', 'on', true);
    select count(*) into ahead from jobs
        where kind = of_kind and state in ('queued', 'lost_contact') and run_at <= now()
          and created_at < since;
    perform set_config('app.system', coalesce(was, ''), true);
    return ahead;
end
$$;

-- What came from what. A node stands for a row of a domain, which writes both in one transaction.
create table lineage_nodes (
    team_id uuid not null,
    kind text not null,
    ref_id uuid not null,
    project_id uuid,
    name text not null,
    state text,
    created_at timestamptz not null default now(),
    constraint lineage_nodes_pkey primary key (team_id, kind, ref_id),
    constraint lineage_nodes_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint lineage_nodes_kind_known check (kind in
        ('dataset_version', 'job', 'run', 'artifact', 'model_version', 'endpoint'))
);
create index lineage_nodes_project_index on lineage_nodes (team_id, project_id);
call protect_team_table('lineage_nodes');

create table lineage_edges (
    team_id uuid not null,
    from_kind text not null,
    from_id uuid not null,
    to_kind text not null,
    to_id uuid not null,
    relation text not null,
    at timestamptz not null default now(),
    constraint lineage_edges_pkey primary key (team_id, from_kind, from_id, to_kind, to_id, relation),
    constraint lineage_edges_from foreign key (team_id, from_kind, from_id)
        references lineage_nodes (team_id, kind, ref_id) on delete cascade,
    constraint lineage_edges_to foreign key (team_id, to_kind, to_id)
        references lineage_nodes (team_id, kind, ref_id) on delete cascade,
    constraint lineage_edges_not_itself check ((from_kind, from_id) <> (to_kind, to_id))
);
create index lineage_edges_to_index on lineage_edges (team_id, to_kind, to_id);
call protect_team_table('lineage_edges');
