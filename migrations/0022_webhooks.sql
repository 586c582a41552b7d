-- Webhooks: addresses that are told what happens in a project, and what is to be told them.
-- Changes: creates webhooks and webhook_deliveries. Locks: nothing.

-- The secret is sealed, bound to the row's id. failing_since is the first failure since the last
-- delivery that worked, failures how many there were; a hook that fails for long is switched off, and
-- disabled_reason says why (empty: somebody did it).
create table webhooks (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    name text not null,
    description text not null default '',
    url text not null,
    events text[] not null,
    secret_sealed text,
    status text not null default 'active',
    disabled_reason text not null default '',
    failing_since timestamptz,
    failures bigint not null default 0,
    created_by text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint webhooks_team_id_unique unique (team_id, id),
    constraint webhooks_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint webhooks_name_form check (name ~ '^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$'),
    constraint webhooks_description_length check (char_length(description) <= 1000),
    constraint webhooks_url_length check (octet_length(url) between 1 and 2000),
    constraint webhooks_events_some check (cardinality(events) between 1 and 50),
    constraint webhooks_status_known check (status in ('active', 'disabled'))
);
create index webhooks_project_index on webhooks (team_id, project_id, id desc);
call protect_team_table('webhooks');
call protect_project_table('webhooks',
    '(project_id <> all ((select hidden_projects())::uuid[])'
    ' and ((select token_projects()) is null or project_id = any ((select token_projects())::uuid[])))');

-- The outbox. A row is written in the transaction of what it tells of, and sent by whichever process
-- claims it: claimed_until is its lease, a claim that ran out is sent again. body is what is signed,
-- byte for byte; log has a row an attempt: {at, status, duration_ms, error}.
create table webhook_deliveries (
    id uuid primary key default gen_random_uuid(),
    team_id uuid not null,
    webhook_id uuid not null,
    event text not null,
    body text not null,
    state text not null default 'waiting',
    attempts bigint not null default 0,
    due_at timestamptz not null default now(),
    claimed_until timestamptz,
    log jsonb not null default '[]',
    created_at timestamptz not null default clock_timestamp(),
    finished_at timestamptz,
    constraint webhook_deliveries_webhook foreign key (team_id, webhook_id)
        references webhooks (team_id, id) on delete cascade,
    constraint webhook_deliveries_state_known check (state in ('waiting', 'delivered', 'failed'))
);
create index webhook_deliveries_webhook_index on webhook_deliveries
    (team_id, webhook_id, created_at desc, id desc);
create index webhook_deliveries_due_index on webhook_deliveries (due_at) where state = 'waiting';
create index webhook_deliveries_claimed_index on webhook_deliveries (claimed_until)
    where state = 'waiting' and claimed_until is not null;
call protect_team_table('webhook_deliveries');
call protect_project_table('webhook_deliveries',
    'exists (select from webhooks w where w.team_id = webhook_deliveries.team_id and w.id = webhook_id)');
