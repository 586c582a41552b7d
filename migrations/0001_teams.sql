-- Teams, people, sessions, tokens, the audit log and projects; and the wall between teams.
-- Changes: creates everything below. Locks: nothing that exists.
--
-- The wall. Every table with a team_id has row-level security, enabled and forced: a transaction
-- sees the rows of the team in app.team, or all rows when app.system is on. Both settings are
-- transaction-local and made by db/ alone. A migration calls protect_team_table() for each such
-- table it creates; tests/auth checks that none was forgotten.

create function current_team() returns uuid
    language sql stable parallel safe
    return nullif(current_setting('app.team', true), '')::uuid;

-- Never null: a setting that was never made must not turn a policy into "unknown".
create function in_system() returns boolean
    language sql stable parallel safe
    return coalesce(current_setting('app.system', true) = 'on', false);

-- The sub-selects make PostgreSQL ask once a statement instead of once a row.
create procedure protect_team_table(table_name regclass)
    language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', table_name);
    execute format('alter table %s force row level security', table_name);
    execute format('create policy team_wall on %s'
        ' using (team_id = (select current_team()) or (select in_system()))'
        ' with check (team_id = (select current_team()) or (select in_system()))', table_name);
    execute format('grant select, insert, update, delete on %s to slipway_app', table_name);
end
$$;

-- For tables that belong to the installation, not to a team: sessions, worker tokens.
create procedure protect_system_table(table_name regclass)
    language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', table_name);
    execute format('alter table %s force row level security', table_name);
    execute format('create policy system_only on %s'
        ' using ((select in_system())) with check ((select in_system()))', table_name);
    execute format('grant select, insert, update, delete on %s to slipway_app', table_name);
end
$$;

create table teams (
    id uuid primary key,
    slug text not null,
    name text not null,
    created_at timestamptz not null default now(),
    constraint teams_slug_unique unique (slug),
    constraint teams_slug_form check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    constraint teams_name_length check (length(name) between 1 and 200)
);

create table users (
    id uuid primary key,
    email text not null,
    name text not null,
    locale text not null default 'en',
    password_hash text not null,
    session_epoch bigint not null default 1,
    disabled_at timestamptz,
    created_at timestamptz not null default now(),
    constraint users_email_unique unique (email),
    constraint users_email_form check (email = lower(email) and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'
                                       and length(email) <= 254),
    constraint users_name_length check (length(name) between 1 and 200),
    constraint users_locale_known check (locale in ('en', 'zh-CN'))
);

create table members (
    team_id uuid not null,
    user_id uuid not null,
    role text not null,
    created_at timestamptz not null default now(),
    constraint members_pkey primary key (team_id, user_id),
    constraint members_team foreign key (team_id) references teams (id) on delete cascade,
    constraint members_user foreign key (user_id) references users (id) on delete cascade,
    constraint members_role_known check (role in ('owner', 'admin', 'editor', 'viewer'))
);
create index members_user_index on members (user_id);

-- One sign-in on one browser: the family of its refresh tokens. Deleting the membership it acts
-- under ends it. It is good while revoked_at is null and epoch equals its user's session_epoch.
create table sessions (
    id uuid primary key,
    user_id uuid not null,
    team_id uuid not null,
    epoch bigint not null,
    user_agent text not null default '',
    remote text not null default '',
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    revoked_why text,
    constraint sessions_member foreign key (team_id, user_id)
        references members (team_id, user_id) on delete cascade,
    constraint sessions_revoked_says_why check ((revoked_at is null) = (revoked_why is null))
);
create index sessions_member_index on sessions (team_id, user_id);
create index sessions_user_index on sessions (user_id);
create index sessions_expires_index on sessions (expires_at);

-- Refresh tokens are one-time: used_at is set once, together with the successor's hash.
create table refresh_tokens (
    token_sha256 text primary key,
    family_id uuid not null,
    successor_sha256 text,
    used_at timestamptz,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    constraint refresh_tokens_family foreign key (family_id) references sessions (id) on delete cascade,
    constraint refresh_tokens_used_once check ((used_at is null) = (successor_sha256 is null))
);
create index refresh_tokens_family_index on refresh_tokens (family_id);

-- scopes is a set of bits: 1 read, 2 write, 4 admin, 8 metrics.read.
create table api_tokens (
    id uuid primary key,
    team_id uuid not null,
    user_id uuid not null,
    name text not null,
    prefix text not null,
    token_sha256 text not null,
    scopes integer not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    constraint api_tokens_prefix_unique unique (prefix),
    constraint api_tokens_member foreign key (team_id, user_id)
        references members (team_id, user_id) on delete cascade,
    constraint api_tokens_name_length check (length(name) between 1 and 200),
    constraint api_tokens_scopes_known check (scopes between 1 and 15)
);
create index api_tokens_member_index on api_tokens (team_id, user_id);

create table worker_tokens (
    id uuid primary key,
    name text not null,
    prefix text not null,
    token_sha256 text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint worker_tokens_prefix_unique unique (prefix),
    constraint worker_tokens_name_length check (length(name) between 1 and 200)
);

-- Tries to sign in, a row per account and per address ("account:…", "address:…") and quarter hour.
create table login_failures (
    subject text primary key,
    window_start timestamptz not null default now(),
    failures integer not null default 1,
    constraint login_failures_subject_length check (length(subject) <= 400),
    constraint login_failures_not_negative check (failures >= 0)
);
create index login_failures_window_index on login_failures (window_start);

-- Who did what. The application role may insert and read, nothing else. Each team's rows are a
-- chain: hash covers the row and the hash before it, so that a changed or missing row shows. Rows
-- without a team (a failed sign-in) are a chain of their own. No foreign keys: it outlives its rows.
create table audit_events (
    team_id uuid,
    seq bigint not null,
    at timestamptz not null default clock_timestamp(),
    actor_kind text not null,
    actor_id uuid,
    actor_name text not null,
    action text not null,
    object text not null,
    refusal text,
    remote text not null,
    request_id text not null,
    prev_hash bytea not null,
    hash bytea not null,
    constraint audit_events_seq_unique unique nulls not distinct (team_id, seq),
    constraint audit_events_actor_known check (actor_kind in ('nobody', 'user', 'token', 'worker', 'system'))
);

create function audit_hash(e audit_events) returns bytea
    language sql stable
    return sha256(e.prev_hash || convert_to(jsonb_build_array(e.team_id, e.seq,
        extract(epoch from e.at), e.actor_kind, e.actor_id, e.actor_name, e.action, e.object,
        e.refusal, e.remote, e.request_id)::text, 'UTF8'));

-- The lock makes the chain's writers queue until commit, one team at a time.
create function audit_chain() returns trigger
    language plpgsql
as $$
declare
    last record;
begin
    perform pg_advisory_xact_lock(hashtextextended('audit ' || coalesce(new.team_id::text, ''), 0));
    select seq, hash into last from audit_events
        where team_id is not distinct from new.team_id order by seq desc limit 1;
    new.seq := coalesce(last.seq, 0) + 1;
    new.prev_hash := coalesce(last.hash, '\x'::bytea);
    new.hash := audit_hash(new);
    return new;
end
$$;
create trigger audit_events_chain before insert on audit_events
    for each row execute function audit_chain();

create table projects (
    id uuid primary key,
    team_id uuid not null,
    slug text not null,
    name text not null,
    description text not null default '',
    created_at timestamptz not null default now(),
    constraint projects_team foreign key (team_id) references teams (id) on delete cascade,
    constraint projects_slug_unique unique (team_id, slug),
    constraint projects_team_id_unique unique (team_id, id),
    constraint projects_slug_form check (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    constraint projects_name_length check (length(name) between 1 and 200),
    constraint projects_description_length check (length(description) <= 10000)
);

call protect_team_table('members');
call protect_team_table('api_tokens');
call protect_team_table('projects');
call protect_system_table('sessions');
call protect_system_table('refresh_tokens');
call protect_system_table('worker_tokens');
call protect_system_table('login_failures');

alter table teams enable row level security;
alter table teams force row level security;
create policy team_wall on teams
    using (id = (select current_team()) or (select in_system()))
    with check (id = (select current_team()) or (select in_system()));
grant select, insert, update, delete on teams to slipway_app;

-- A team sees its own members; everything else about people is the system's.
alter table users enable row level security;
alter table users force row level security;
create policy members_visible on users for select
    using ((select in_system()) or exists (select from members m
           where m.user_id = users.id and m.team_id = (select current_team())));
create policy system_writes on users
    using ((select in_system())) with check ((select in_system()));
grant select, insert, update, delete on users to slipway_app;

alter table audit_events enable row level security;
alter table audit_events force row level security;
create policy team_wall on audit_events
    using (team_id = (select current_team()) or (select in_system()))
    with check (team_id = (select current_team()) or (select in_system()));
grant select, insert on audit_events to slipway_app;

grant usage on schema public to slipway_app;
