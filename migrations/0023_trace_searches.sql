-- What searches of traces ask for beyond names: attributes of spans, and the prompts a trace used.
-- Changes: trace_spans gains attributes, trace_prompts is new. Locks: trace_spans, for a moment.

-- A span's attributes as texts, long ones cut; the inputs and outputs are in the body alone. Null for
-- spans stored before: they are found by their text.
alter table trace_spans add column attributes jsonb;

-- A prompt is a registered model's version, by name: it may be another registry's.
create table trace_prompts (
    team_id uuid not null,
    trace uuid not null,
    name text not null,
    version text not null,
    constraint trace_prompts_pkey primary key (team_id, trace, name, version),
    constraint trace_prompts_trace foreign key (team_id, trace) references traces (team_id, id) on delete cascade,
    constraint trace_prompts_name_length check (length(name) between 1 and 256),
    constraint trace_prompts_version_length check (length(version) between 1 and 20)
);
call protect_team_table('trace_prompts');
call protect_project_table('trace_prompts',
    'exists (select from traces t where t.team_id = trace_prompts.team_id and t.id = trace)');
