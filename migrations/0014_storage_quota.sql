-- A team whose storage is used up queues no more work that would store more.
-- Changes: a trigger of jobs. Locks: jobs, briefly.

-- How much a job will leave behind is not known when it is queued, so the last one may go beyond the
-- quota; the next is refused, as uploads are. What serves models stores nothing.
create function quota_check_storage_left() returns trigger
    language plpgsql
as $$
declare
    allowed bigint;
begin
    select max into allowed from quotas where team_id = new.team_id and name = 'storage_bytes';
    if allowed is not null and quota_used(new.team_id, 'storage_bytes') >= allowed then
        raise check_violation using constraint = 'quota_storage_bytes', message = 'quota';
    end if;
    return new;
end
$$;

create trigger jobs_storage_quota before insert on jobs
    for each row when (not new.resident) execute function quota_check_storage_left();
