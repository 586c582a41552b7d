-- Traces of applications that use language models: what was asked, what was answered, and the spans of
-- the work between.
-- Changes: creates traces and what belongs to them. Locks: nothing.

-- trace_id is the client's ("tr-" and 32 hex digits), id is ours. Spans may come before anybody says
-- what the trace is: until then (reported is false) what is known of it follows from its spans.
create table traces (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    experiment_id uuid not null,
    trace_id text not null,
    client_request_id text,
    state text not null default 'in_progress',
    requested_at timestamptz not null,
    duration_ms bigint,
    request_preview text,
    response_preview text,
    reported boolean not null default false,
    created_at timestamptz not null default now(),
    constraint traces_team_id_unique unique (team_id, id),
    constraint traces_trace_id_unique unique (team_id, project_id, trace_id),
    constraint traces_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint traces_experiment foreign key (team_id, experiment_id)
        references experiments (team_id, id) on delete cascade,
    constraint traces_state_known check (state in ('unspecified', 'ok', 'error', 'in_progress')),
    constraint traces_trace_id_form check (trace_id ~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}$'),
    constraint traces_client_request_id_length check (length(client_request_id) <= 250),
    constraint traces_previews_length check
        (length(request_preview) <= 10000 and length(response_preview) <= 10000)
);
create index traces_project_index on traces (team_id, project_id, requested_at desc, id desc);
create index traces_experiment_index on traces (team_id, experiment_id, requested_at desc, id desc);
call protect_team_table('traces');
call protect_project_table('traces',
    '(project_id <> all ((select hidden_projects())::uuid[])'
    ' and ((select token_projects()) is null or project_id = any ((select token_projects())::uuid[])))');

create table trace_tags (
    team_id uuid not null,
    trace uuid not null,
    key text not null,
    value text not null,
    constraint trace_tags_pkey primary key (team_id, trace, key),
    constraint trace_tags_trace foreign key (team_id, trace) references traces (team_id, id) on delete cascade,
    constraint trace_tags_key_length check (length(key) between 1 and 250),
    constraint trace_tags_value_length check (length(value) <= 8000)
);
call protect_team_table('trace_tags');
call protect_project_table('trace_tags',
    'exists (select from traces t where t.team_id = trace_tags.team_id and t.id = trace)');

create table trace_metadata (
    team_id uuid not null,
    trace uuid not null,
    key text not null,
    value text not null,
    constraint trace_metadata_pkey primary key (team_id, trace, key),
    constraint trace_metadata_trace foreign key (team_id, trace)
        references traces (team_id, id) on delete cascade,
    constraint trace_metadata_key_length check (length(key) between 1 and 250),
    constraint trace_metadata_value_length check (length(value) <= 8000)
);
call protect_team_table('trace_metadata');
call protect_project_table('trace_metadata',
    'exists (select from traces t where t.team_id = trace_metadata.team_id and t.id = trace)');

-- body is a JSON object: source, value, rationale … value is its text, to search by. One that another
-- takes the place of (overrides) is no longer valid.
create table trace_assessments (
    team_id uuid not null,
    trace uuid not null,
    assessment_id text not null,
    kind text not null,
    name text not null,
    value text not null,
    overrides text,
    body text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint trace_assessments_pkey primary key (team_id, trace, assessment_id),
    constraint trace_assessments_trace foreign key (team_id, trace)
        references traces (team_id, id) on delete cascade,
    constraint trace_assessments_kind_known check (kind in ('feedback', 'expectation', 'issue')),
    constraint trace_assessments_id_length check (length(assessment_id) between 1 and 50),
    constraint trace_assessments_name_length check (length(name) between 1 and 250),
    constraint trace_assessments_body_length check (length(body) <= 100000)
);
call protect_team_table('trace_assessments');
call protect_project_table('trace_assessments',
    'exists (select from traces t where t.team_id = trace_assessments.team_id and t.id = trace)');

-- body is the span as JSON, as it is told to clients; text, not json, because it may hold what
-- PostgreSQL's json cannot, and nothing looks into it.
create table trace_spans (
    team_id uuid not null,
    trace uuid not null,
    span_id text not null,
    parent_id text,
    name text not null,
    type text not null,
    status text not null,
    started_ns bigint not null,
    ended_ns bigint not null,
    body text not null,
    constraint trace_spans_pkey primary key (team_id, trace, span_id),
    constraint trace_spans_trace foreign key (team_id, trace) references traces (team_id, id) on delete cascade,
    constraint trace_spans_status_known check (status in ('UNSET', 'OK', 'ERROR'))
);
call protect_team_table('trace_spans');
call protect_project_table('trace_spans',
    'exists (select from traces t where t.team_id = trace_spans.team_id and t.id = trace)');

create table trace_runs (
    team_id uuid not null,
    trace uuid not null,
    run_id uuid not null,
    constraint trace_runs_pkey primary key (team_id, trace, run_id),
    constraint trace_runs_trace foreign key (team_id, trace) references traces (team_id, id) on delete cascade,
    constraint trace_runs_run foreign key (team_id, run_id) references runs (team_id, id) on delete cascade
);
create index trace_runs_run_index on trace_runs (team_id, run_id);
call protect_team_table('trace_runs');
call protect_project_table('trace_runs',
    'exists (select from traces t where t.team_id = trace_runs.team_id and t.id = trace)');
