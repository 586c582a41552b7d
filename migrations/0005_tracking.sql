-- Experiments, runs, their parameters, tags, metrics and artifacts.
-- Changes: creates everything below. Locks: nothing that exists.

create table experiments (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    name text not null,
    description text not null default '',
    created_at timestamptz not null default now(),
    constraint experiments_team_id_unique unique (team_id, id),
    constraint experiments_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint experiments_name_unique unique (team_id, project_id, name),
    constraint experiments_name_length check (length(name) between 1 and 200),
    constraint experiments_description_length check (length(description) <= 10000)
);
create index experiments_project_index on experiments (team_id, project_id, id desc);
call protect_team_table('experiments');

-- project_id repeats the experiment's, so that the list of a project's runs is one index range.
create table runs (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    experiment_id uuid not null,
    name text not null,
    state text not null default 'queued',
    job_id uuid,
    dataset_version_id uuid,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    created_by text not null,
    notes text not null default '',
    device text,
    evaluation json,
    spec json,
    constraint runs_team_id_unique unique (team_id, id),
    constraint runs_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint runs_experiment foreign key (team_id, experiment_id)
        references experiments (team_id, id) on delete cascade,
    constraint runs_job foreign key (team_id, job_id)
        references jobs (team_id, id) on delete set null (job_id),
    constraint runs_dataset_version foreign key (team_id, dataset_version_id)
        references dataset_versions (team_id, id) on delete set null (dataset_version_id),
    constraint runs_state_known check (state in
        ('queued', 'running', 'lost_contact', 'succeeded', 'failed', 'cancelled')),
    constraint runs_finished_has_time check
        ((state in ('succeeded', 'failed', 'cancelled')) = (finished_at is not null)),
    constraint runs_name_length check (length(name) between 1 and 250),
    constraint runs_notes_length check (length(notes) <= 100000)
);
create index runs_project_index on runs (team_id, project_id, created_at desc, id desc);
create index runs_project_name_index on runs (team_id, project_id, name, id);
create index runs_experiment_index on runs (team_id, experiment_id, created_at desc, id desc);
create index runs_job_index on runs (team_id, job_id);
create index runs_dataset_version_index on runs (team_id, dataset_version_id);
call protect_team_table('runs');

create table run_params (
    team_id uuid not null,
    run_id uuid not null,
    key text not null,
    value text not null,
    constraint run_params_pkey primary key (team_id, run_id, key),
    constraint run_params_run foreign key (team_id, run_id) references runs (team_id, id) on delete cascade,
    constraint run_params_key_length check (length(key) between 1 and 250),
    constraint run_params_value_length check (length(value) <= 6000)
);
call protect_team_table('run_params');

create table run_tags (
    team_id uuid not null,
    run_id uuid not null,
    key text not null,
    value text not null,
    constraint run_tags_pkey primary key (team_id, run_id, key),
    constraint run_tags_run foreign key (team_id, run_id) references runs (team_id, id) on delete cascade,
    constraint run_tags_key_length check (length(key) between 1 and 250),
    constraint run_tags_value_length check (length(value) <= 8000)
);
call protect_team_table('run_tags');

-- One row a series: the key, spelled once, and its summary. "Last" is the greatest (step, at,
-- value), as MLflow orders them. least and greatest leave non-finite values out.
create table run_metrics (
    team_id uuid not null,
    run_id uuid not null,
    key text not null,
    series_id bigint generated always as identity,
    points bigint not null default 0,
    non_finite bigint not null default 0,
    first_step bigint,
    last_step bigint,
    last_at timestamptz,
    last_value double precision,
    least double precision,
    greatest double precision,
    constraint run_metrics_pkey primary key (team_id, run_id, key),
    constraint run_metrics_series_unique unique (team_id, series_id),
    constraint run_metrics_run foreign key (team_id, run_id) references runs (team_id, id) on delete cascade,
    constraint run_metrics_key_length check (length(key) between 1 and 250)
) with (fillfactor = 70);
create index run_metrics_last_index on run_metrics (team_id, key, last_value);
call protect_team_table('run_metrics');

-- The points. Narrow, because there may be ten million in one run; the primary key is the whole row,
-- so storing a batch again changes nothing, and a chart is read from the index alone.
create table metric_points (
    team_id uuid not null,
    series_id bigint not null,
    step bigint not null,
    at timestamptz not null,
    value double precision not null,
    constraint metric_points_pkey primary key (team_id, series_id, step, at, value),
    -- so that the difference of two steps is a bigint too
    constraint metric_points_step_in_range check
        (step between -4611686018427387904 and 4611686018427387903),
    constraint metric_points_series foreign key (team_id, series_id)
        references run_metrics (team_id, series_id) on delete cascade
);
call protect_team_table('metric_points');

create table run_artifacts (
    id uuid primary key,
    team_id uuid not null,
    run_id uuid not null,
    name text not null,
    media_type text not null,
    sha256 text not null,
    size_bytes bigint not null,
    created_at timestamptz not null default now(),
    constraint run_artifacts_run foreign key (team_id, run_id) references runs (team_id, id) on delete cascade,
    constraint run_artifacts_name_unique unique (team_id, run_id, name),
    constraint run_artifacts_blob foreign key (sha256) references blobs (sha256) on delete restrict,
    constraint run_artifacts_name_length check (length(name) between 1 and 255),
    constraint run_artifacts_size_not_negative check (size_bytes >= 0)
);
create index run_artifacts_blob_index on run_artifacts (sha256);
call protect_team_table('run_artifacts');
