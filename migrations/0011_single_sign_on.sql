-- Single sign-on by OpenID Connect: a team's providers, and who is who there.
-- Changes: sessions gains provider_id; creates everything else below. Locks: sessions, briefly.

create table identity_providers (
    id uuid primary key,
    team_id uuid not null,
    name text not null,
    issuer text not null,
    client_id text not null,
    secret_sealed text,
    group_claim text not null default 'groups',
    group_roles jsonb not null default '[]',
    default_role text,
    sso_only boolean not null default false,
    enabled boolean not null default true,
    created_at timestamptz not null default now(),
    constraint identity_providers_team foreign key (team_id) references teams (id) on delete cascade,
    constraint identity_providers_name_unique unique (team_id, name),
    constraint identity_providers_role_known check (default_role in ('owner', 'admin', 'editor', 'viewer'))
);
call protect_team_table('identity_providers');

-- Subjects belong to a provider as one team set it up: what it says counts in that team alone.
create table identities (
    provider_id uuid not null,
    subject text not null,
    user_id uuid not null,
    created_at timestamptz not null default now(),
    constraint identities_pkey primary key (provider_id, subject),
    constraint identities_provider foreign key (provider_id) references identity_providers (id) on delete cascade,
    constraint identities_user foreign key (user_id) references users (id) on delete cascade
);
create index identities_user_index on identities (user_id);
call protect_system_table('identities');

-- Sign-ins that came back from a provider: none comes back twice.
create table sso_states (
    state_sha256 text primary key,
    used_at timestamptz not null default now()
);
create index sso_states_used_index on sso_states (used_at);
call protect_system_table('sso_states');

-- Set for a session that a provider vouched for: it acts in that provider's team alone, and ends
-- with the provider.
alter table sessions add column provider_id uuid
    constraint sessions_provider references identity_providers (id) on delete cascade;
create index sessions_provider_index on sessions (provider_id);
