-- Datasets, their versions and the files of each version.
-- Changes: creates everything below. Locks: nothing that exists.

-- last_version is the counter of version numbers: taking the next one locks this row, so numbers
-- have no gaps and no doubles however many imports start at once.
create table datasets (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    name text not null,
    description text not null default '',
    last_version bigint not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint datasets_team_id_unique unique (team_id, id),
    constraint datasets_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint datasets_name_unique unique (team_id, project_id, name),
    constraint datasets_name_length check (length(name) between 1 and 200),
    constraint datasets_description_length check (length(description) <= 10000),
    constraint datasets_last_version_not_negative check (last_version >= 0)
);
create index datasets_project_index on datasets (team_id, project_id, id desc);
call protect_team_table('datasets');

-- What the data runner reported about a ready version is kept as it came, and never changes.
create table dataset_versions (
    id uuid primary key,
    team_id uuid not null,
    dataset_id uuid not null,
    version bigint not null,
    state text not null default 'importing',
    job_id uuid,
    created_at timestamptz not null default now(),
    created_by text not null,
    kind text,
    row_count bigint,
    size_bytes bigint,
    sha256 text,
    shape json,
    target text,
    classes json,
    splits json,
    split json,
    columns json,
    samples json,
    notes json,
    error json,
    constraint dataset_versions_team_id_unique unique (team_id, id),
    constraint dataset_versions_dataset foreign key (team_id, dataset_id)
        references datasets (team_id, id) on delete cascade,
    constraint dataset_versions_job foreign key (team_id, job_id)
        references jobs (team_id, id) on delete set null (job_id),
    constraint dataset_versions_number_unique unique (team_id, dataset_id, version),
    constraint dataset_versions_number_positive check (version >= 1),
    constraint dataset_versions_state_known check (state in ('importing', 'ready', 'failed')),
    constraint dataset_versions_kind_known check (kind in ('image', 'table')),
    constraint dataset_versions_ready_is_whole check (state <> 'ready' or
        (kind is not null and row_count is not null and size_bytes is not null
         and sha256 is not null and columns is not null and splits is not null)),
    constraint dataset_versions_failed_says_why check ((state = 'failed') = (error is not null)),
    constraint dataset_versions_sha256_form check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint dataset_versions_counts_not_negative check (row_count >= 0 and size_bytes >= 0)
);
create index dataset_versions_job_index on dataset_versions (team_id, job_id);
call protect_team_table('dataset_versions');

create table dataset_files (
    team_id uuid not null,
    version_id uuid not null,
    name text not null,
    media_type text not null,
    sha256 text not null,
    size_bytes bigint not null,
    constraint dataset_files_pkey primary key (team_id, version_id, name),
    constraint dataset_files_version foreign key (team_id, version_id)
        references dataset_versions (team_id, id) on delete cascade,
    constraint dataset_files_blob foreign key (sha256) references blobs (sha256) on delete restrict,
    constraint dataset_files_name_length check (length(name) between 1 and 255),
    constraint dataset_files_size_not_negative check (size_bytes >= 0)
);
create index dataset_files_blob_index on dataset_files (sha256);
call protect_team_table('dataset_files');
