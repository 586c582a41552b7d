-- Invitations, links that reset a password, second factors, and members who are deactivated.
-- Changes: members gains deactivated_at; creates everything else below. Locks: members, briefly.

-- Deactivated in one team: sessions and tokens of that membership are good for nothing, others go on.
alter table members add column deactivated_at timestamptz;

-- A link for one address, good once. Only its hash is stored.
create table invitations (
    id uuid primary key,
    team_id uuid not null,
    email text not null,
    role text not null,
    token_sha256 text not null,
    invited_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    accepted_at timestamptz,
    revoked_at timestamptz,
    constraint invitations_team foreign key (team_id) references teams (id) on delete cascade,
    constraint invitations_token_unique unique (token_sha256),
    constraint invitations_email_form check (email = lower(email) and email ~ '^[^@[:space:]]+@[^@[:space:]]+$'
                                             and length(email) <= 254),
    constraint invitations_role_known check (role in ('owner', 'admin', 'editor', 'viewer')),
    constraint invitations_ends_once check (accepted_at is null or revoked_at is null)
);
create index invitations_team_index on invitations (team_id, id);
call protect_team_table('invitations');

create table password_resets (
    token_sha256 text primary key,
    user_id uuid not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at timestamptz,
    constraint password_resets_user foreign key (user_id) references users (id) on delete cascade
);
create index password_resets_user_index on password_resets (user_id);
call protect_system_table('password_resets');

-- The secret is sealed with a key that the database does not have. last_step is the newest time step
-- whose code was taken: none is taken twice.
create table second_factors (
    user_id uuid primary key,
    secret_sealed text not null,
    last_step bigint not null default 0,
    created_at timestamptz not null default now(),
    confirmed_at timestamptz,
    constraint second_factors_user foreign key (user_id) references users (id) on delete cascade
);
call protect_system_table('second_factors');

create table recovery_codes (
    user_id uuid not null,
    code_sha256 text not null,
    used_at timestamptz,
    constraint recovery_codes_pkey primary key (user_id, code_sha256),
    constraint recovery_codes_factor foreign key (user_id) references second_factors (user_id) on delete cascade
);
call protect_system_table('recovery_codes');
