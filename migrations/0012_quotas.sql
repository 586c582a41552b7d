-- What a team may have at most.
-- Changes: creates quotas; triggers of uploads, runs, jobs, api_tokens and members. Locks: those tables,
-- briefly.

-- No row = no limit. requests_per_minute is counted in the server's memory, the others below.
create table quotas (
    team_id uuid not null,
    name text not null,
    max bigint not null,
    constraint quotas_pkey primary key (team_id, name),
    constraint quotas_team foreign key (team_id) references teams (id) on delete cascade,
    constraint quotas_name_known check (name in
        ('storage_bytes', 'runs', 'queued_jobs', 'tokens', 'requests_per_minute', 'members')),
    constraint quotas_max_not_negative check (max >= 0)
);
call protect_team_table('quotas');

create function quota_used(team uuid, quota text) returns bigint
    language sql stable
    return case quota
        when 'storage_bytes' then (select coalesce(sum(size_bytes), 0) from uploads where team_id = team)
            + (select coalesce(sum(b.size_bytes), 0) from job_outputs o join blobs b using (sha256)
               where o.team_id = team)
        when 'runs' then (select count(*) from runs where team_id = team)
        when 'queued_jobs' then (select count(*) from jobs where team_id = team and state = 'queued')
        when 'tokens' then (select count(*) from api_tokens where team_id = team)
        when 'members' then (select count(*) from members where team_id = team)
        else 0 end;

-- The quota's row is locked until commit, so that of any number of inserts at once each counts those
-- before it. Refused as the constraint quota_<name>.
create function quota_check() returns trigger
    language plpgsql
as $$
declare
    allowed bigint;
    more bigint := case when tg_argv[0] = 'storage_bytes' then (to_jsonb(new) ->> 'size_bytes')::bigint else 1 end;
begin
    select max into allowed from quotas where team_id = new.team_id and name = tg_argv[0] for update;
    if allowed is not null and quota_used(new.team_id, tg_argv[0]) + more > allowed then
        raise check_violation using constraint = 'quota_' || tg_argv[0], message = 'quota';
    end if;
    return new;
end
$$;

create trigger uploads_quota before insert on uploads
    for each row execute function quota_check('storage_bytes');
create trigger runs_quota before insert on runs for each row execute function quota_check('runs');
create trigger jobs_quota before insert on jobs for each row execute function quota_check('queued_jobs');
create trigger api_tokens_quota before insert on api_tokens
    for each row execute function quota_check('tokens');
create trigger members_quota before insert on members
    for each row execute function quota_check('members');
