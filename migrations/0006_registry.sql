-- The model registry: models, their versions and the files of each version.
-- Changes: creates everything below. Locks: nothing that exists.

-- A name belongs to one model in the team, because clients of /v2 name nothing else. last_version
-- is the counter of version numbers, locked while one is taken.
create table models (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    name text not null,
    description text not null default '',
    last_version bigint not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint models_team_id_unique unique (team_id, id),
    constraint models_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint models_name_unique unique (team_id, name),
    constraint models_name_form check (name ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
    constraint models_description_length check (length(description) <= 10000),
    constraint models_last_version_not_negative check (last_version >= 0)
);
create index models_project_index on models (team_id, project_id, id desc);
call protect_team_table('models');

-- A snapshot: apart from the description nothing of a version changes.
create table model_versions (
    id uuid primary key,
    team_id uuid not null,
    model_id uuid not null,
    version bigint not null,
    description text not null default '',
    run_id uuid,
    created_at timestamptz not null default now(),
    created_by text not null,
    metrics json not null,
    signature json not null,
    classes json,
    input_kind text not null,
    input_shape json not null,
    evaluation json,
    constraint model_versions_team_id_unique unique (team_id, id),
    constraint model_versions_model foreign key (team_id, model_id)
        references models (team_id, id) on delete cascade,
    constraint model_versions_run foreign key (team_id, run_id)
        references runs (team_id, id) on delete set null (run_id),
    constraint model_versions_number_unique unique (team_id, model_id, version),
    constraint model_versions_number_positive check (version >= 1),
    constraint model_versions_input_kind_known check (input_kind in ('image', 'table')),
    constraint model_versions_description_length check (length(description) <= 10000)
);
create index model_versions_run_index on model_versions (team_id, run_id);
call protect_team_table('model_versions');

create table model_files (
    team_id uuid not null,
    version_id uuid not null,
    name text not null,
    media_type text not null,
    sha256 text not null,
    size_bytes bigint not null,
    constraint model_files_pkey primary key (team_id, version_id, name),
    constraint model_files_version foreign key (team_id, version_id)
        references model_versions (team_id, id) on delete cascade,
    constraint model_files_blob foreign key (sha256) references blobs (sha256) on delete restrict,
    constraint model_files_name_length check (length(name) between 1 and 255),
    constraint model_files_size_not_negative check (size_bytes >= 0)
);
create index model_files_blob_index on model_files (sha256);
call protect_team_table('model_files');
