-- The feed of changes for open pages, and the replies kept for Idempotency-Key.
-- Changes: creates both tables. Locks: nothing that exists.

-- A reader asks for what came after the last row it saw. Numbers from a sequence alone would lose
-- rows: a transaction may take a lower number and commit later. So a row carries its transaction id,
-- readers order by it first, and look only below the oldest transaction still running.
create table feed (
    xid xid8 not null default pg_current_xact_id(),
    seq bigint generated always as identity,
    team_id uuid not null references teams (id) on delete cascade,
    topic text not null,
    kind text not null,
    at timestamptz not null default now(),
    constraint feed_pk primary key (team_id, xid, seq),
    constraint feed_topic_form check (topic ~ '^[a-z_]{1,40}:[0-9a-f-]{36}$'),
    constraint feed_kind_known check (kind in ('metrics', 'logs', 'progress', 'state', 'created'))
);
create index feed_at on feed (at);
call protect_team_table('feed');
grant usage on sequence feed_seq_seq to slipway_app;

create table idempotency_keys (
    team_id uuid not null references teams (id) on delete cascade,
    principal text not null,
    route text not null,
    key text not null,
    request_hash text not null,
    status integer,
    location text,
    body text,
    created_at timestamptz not null default now(),
    constraint idempotency_keys_pk primary key (team_id, principal, route, key),
    constraint idempotency_keys_key_length check (length(key) between 1 and 200)
);
create index idempotency_keys_created_at on idempotency_keys (created_at);
call protect_team_table('idempotency_keys');
