-- Service accounts, limits of tokens, groups, roles in projects, and the wall around hidden projects;
-- the audit log's chain finds its last row by the index.
-- Changes: api_tokens gains project_ids; policies of the domains' tables; creates the rest. Locks: those
-- tables, briefly.

-- "is not distinct from" reads the whole table; the two cases apart read one row.
create or replace function audit_chain() returns trigger
    language plpgsql
as $$
declare
    last record;
begin
    perform pg_advisory_xact_lock(hashtextextended('audit ' || coalesce(new.team_id::text, ''), 0));
    if new.team_id is null then
        select seq, hash into last from audit_events where team_id is null order by seq desc limit 1;
    else
        select seq, hash into last from audit_events where team_id = new.team_id order by seq desc limit 1;
    end if;
    new.seq := coalesce(last.seq, 0) + 1;
    new.prev_hash := coalesce(last.hash, '\x'::bytea);
    new.hash := audit_hash(new);
    return new;
end
$$;

-- Programs of a team that act under their own name: a member whom nobody can sign in as. The user's
-- address is not one of mail, the password's hash not one of a password.
create table service_accounts (
    team_id uuid not null,
    user_id uuid not null,
    name text not null,
    created_by text not null,
    created_at timestamptz not null default now(),
    constraint service_accounts_pkey primary key (team_id, user_id),
    constraint service_accounts_member foreign key (team_id, user_id)
        references members (team_id, user_id) on delete cascade,
    constraint service_accounts_name_unique unique (team_id, name),
    constraint service_accounts_name_length check (length(name) between 1 and 200)
);
call protect_team_table('service_accounts');

-- scopes: 16 = ingest. project_ids null = every project.
alter table api_tokens add column project_ids uuid[];
alter table api_tokens drop constraint api_tokens_scopes_known;
alter table api_tokens add constraint api_tokens_scopes_known check (scopes between 1 and 31);

create table groups (
    id uuid primary key,
    team_id uuid not null,
    name text not null,
    description text not null default '',
    created_at timestamptz not null default now(),
    constraint groups_team foreign key (team_id) references teams (id) on delete cascade,
    constraint groups_team_id_unique unique (team_id, id),
    constraint groups_name_unique unique (team_id, name),
    constraint groups_name_length check (length(name) between 1 and 200),
    constraint groups_description_length check (length(description) <= 2000)
);
call protect_team_table('groups');

create table group_members (
    team_id uuid not null,
    group_id uuid not null,
    user_id uuid not null,
    constraint group_members_pkey primary key (team_id, group_id, user_id),
    constraint group_members_group foreign key (team_id, group_id)
        references groups (team_id, id) on delete cascade,
    constraint group_members_member foreign key (team_id, user_id)
        references members (team_id, user_id) on delete cascade
);
create index group_members_member_index on group_members (team_id, user_id);
call protect_team_table('group_members');

-- What somebody, or a group, is in one project instead of what they are in the team.
create table project_roles (
    team_id uuid not null,
    project_id uuid not null,
    user_id uuid,
    group_id uuid,
    role text not null,
    created_at timestamptz not null default now(),
    constraint project_roles_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint project_roles_member foreign key (team_id, user_id)
        references members (team_id, user_id) on delete cascade,
    constraint project_roles_group foreign key (team_id, group_id)
        references groups (team_id, id) on delete cascade,
    constraint project_roles_unique unique nulls not distinct (team_id, project_id, user_id, group_id),
    constraint project_roles_of_one check (num_nonnulls(user_id, group_id) = 1),
    constraint project_roles_role_known check (role in ('none', 'viewer', 'editor', 'admin'))
);
create index project_roles_user_index on project_roles (team_id, user_id);
create index project_roles_group_index on project_roles (team_id, group_id);
call protect_team_table('project_roles');

-- The one place that says what somebody is in a project: an owner stays owner; else their own row,
-- else the highest of their groups' rows, else the team's role.
create function project_role(team uuid, project uuid, member uuid, team_role text) returns text
    language sql stable
    return case when team_role = 'owner' then 'owner' else coalesce(
        (select role from project_roles r
         where r.team_id = team and r.project_id = project and r.user_id = member),
        (select role from project_roles r join group_members g using (team_id, group_id)
         where r.team_id = team and r.project_id = project and g.user_id = member
         order by array_position(array['none', 'viewer', 'editor', 'admin'], role) desc limit 1),
        team_role) end;

-- A second wall inside the team's: app.subject is the member whose project roles count, app.token
-- the token whose projects are limited; empty when there is nothing to look at. Statements need no
-- condition of their own: what is in a hidden project is not found.
create function sees_all_projects() returns boolean
    language sql stable parallel safe
    return coalesce(current_setting('app.subject', true), '') = ''
       and coalesce(current_setting('app.token', true), '') = '';

create function hidden_projects() returns uuid[]
    language sql stable
    return (select coalesce(array_agg(project_id), '{}') from (
        select distinct r.project_id from project_roles r
        where r.team_id = current_team() and r.role = 'none') r
    where project_role(current_team(), project_id,
                       nullif(current_setting('app.subject', true), '')::uuid, 'viewer') = 'none');

-- Null = every one.
create function token_projects() returns uuid[]
    language sql stable
    return (select project_ids from api_tokens
            where team_id = current_team() and id = nullif(current_setting('app.token', true), '')::uuid);

create procedure protect_project_table(table_name regclass, condition text)
    language plpgsql
as $$
begin
    execute format('create policy project_wall on %s as restrictive'
        ' using ((select sees_all_projects()) or %s)', table_name, condition);
end
$$;

do $$
declare
    open_project constant text :=
        '(%1$s <> all ((select hidden_projects())::uuid[])'
        ' and ((select token_projects()) is null or %1$s = any ((select token_projects())::uuid[])))';
    name text;
begin
    call protect_project_table('projects', format(open_project, 'id'));
    foreach name in array array['datasets', 'experiments', 'runs', 'models', 'jobs'] loop
        call protect_project_table(name::regclass, format(open_project, 'project_id'));
    end loop;
    call protect_project_table('lineage_nodes',
        'project_id is null or ' || format(open_project, 'project_id'));
end
$$;
-- What stands below follows what it belongs to.
call protect_project_table('dataset_versions',
    'exists (select from datasets d where d.team_id = dataset_versions.team_id and d.id = dataset_id)');
call protect_project_table('model_versions',
    'exists (select from models m where m.team_id = model_versions.team_id and m.id = model_id)');
call protect_project_table('endpoints',
    'exists (select from model_versions v where v.team_id = endpoints.team_id and v.id = model_version_id)');
call protect_project_table('run_artifacts',
    'exists (select from runs r where r.team_id = run_artifacts.team_id and r.id = run_id)');
call protect_project_table('job_logs',
    'exists (select from jobs j where j.team_id = job_logs.team_id and j.id = job_id)');
call protect_project_table('job_events',
    'exists (select from jobs j where j.team_id = job_events.team_id and j.id = job_id)');
