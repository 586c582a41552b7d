-- Evaluation sets (questions to an application, with what is expected of its answers) and the issues
-- that were found in its traces.
-- Changes: creates both and what belongs to them. Locks: nothing.

create table evaluation_sets (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    name text not null,
    digest text not null,
    schema text,
    created_by text not null,
    updated_by text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint evaluation_sets_team_id_unique unique (team_id, id),
    constraint evaluation_sets_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint evaluation_sets_name_length check (char_length(name) between 1 and 500)
);
create index evaluation_sets_project_index on evaluation_sets (team_id, project_id, created_at desc, id desc);
call protect_team_table('evaluation_sets');
call protect_project_table('evaluation_sets',
    '(project_id <> all ((select hidden_projects())::uuid[])'
    ' and ((select token_projects()) is null or project_id = any ((select token_projects())::uuid[])))');

create table evaluation_set_tags (
    team_id uuid not null,
    set_id uuid not null,
    key text not null,
    value text not null,
    constraint evaluation_set_tags_pkey primary key (team_id, set_id, key),
    constraint evaluation_set_tags_set foreign key (team_id, set_id)
        references evaluation_sets (team_id, id) on delete cascade,
    constraint evaluation_set_tags_key_length check (char_length(key) between 1 and 255),
    constraint evaluation_set_tags_value_length check (char_length(value) <= 5000)
);
call protect_team_table('evaluation_set_tags');
call protect_project_table('evaluation_set_tags',
    'exists (select from evaluation_sets s where s.team_id = evaluation_set_tags.team_id and s.id = set_id)');

create table evaluation_set_experiments (
    team_id uuid not null,
    set_id uuid not null,
    experiment_id uuid not null,
    constraint evaluation_set_experiments_pkey primary key (team_id, set_id, experiment_id),
    constraint evaluation_set_experiments_set foreign key (team_id, set_id)
        references evaluation_sets (team_id, id) on delete cascade,
    constraint evaluation_set_experiments_experiment foreign key (team_id, experiment_id)
        references experiments (team_id, id) on delete cascade
);
create index evaluation_set_experiments_experiment_index on evaluation_set_experiments (team_id, experiment_id);
call protect_team_table('evaluation_set_experiments');
call protect_project_table('evaluation_set_experiments',
    'exists (select from evaluation_sets s'
    ' where s.team_id = evaluation_set_experiments.team_id and s.id = set_id)');

-- body is a JSON object as the client sent it: inputs, outputs, expectations, tags, source. Text, not json,
-- because it may hold what PostgreSQL's json cannot. Two records of one set never have the same inputs.
create table evaluation_records (
    id uuid primary key,
    team_id uuid not null,
    set_id uuid not null,
    input_hash text not null,
    body text not null,
    created_by text not null,
    updated_by text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint evaluation_records_input_unique unique (team_id, set_id, input_hash),
    constraint evaluation_records_set foreign key (team_id, set_id)
        references evaluation_sets (team_id, id) on delete cascade,
    constraint evaluation_records_body_size check (octet_length(body) <= 1048576)
);
create index evaluation_records_set_index on evaluation_records (team_id, set_id, id);
call protect_team_table('evaluation_records');
call protect_project_table('evaluation_records',
    'exists (select from evaluation_sets s where s.team_id = evaluation_records.team_id and s.id = set_id)');

-- Traces say that they have an issue by an assessment of that kind, whose name is the issue's id.
create table issues (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    experiment_id uuid not null,
    name text not null,
    description text not null,
    status text not null default 'pending',
    severity text,
    root_causes json not null default '[]',
    categories json not null default '[]',
    source_run text not null default '',
    created_by text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint issues_team_id_unique unique (team_id, id),
    constraint issues_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint issues_experiment foreign key (team_id, experiment_id)
        references experiments (team_id, id) on delete cascade,
    constraint issues_name_length check (char_length(name) between 1 and 250),
    constraint issues_description_length check (char_length(description) <= 10000),
    constraint issues_status_known check (status in ('pending', 'rejected', 'resolved')),
    constraint issues_severity_known check (severity in ('not_an_issue', 'low', 'medium', 'high')),
    constraint issues_source_run_length check (char_length(source_run) <= 256)
);
create index issues_project_index on issues (team_id, project_id, created_at desc, id desc);
create index issues_experiment_index on issues (team_id, experiment_id, created_at desc, id desc);
call protect_team_table('issues');
call protect_project_table('issues',
    '(project_id <> all ((select hidden_projects())::uuid[])'
    ' and ((select token_projects()) is null or project_id = any ((select token_projects())::uuid[])))');
