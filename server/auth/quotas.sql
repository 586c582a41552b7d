-- What a team may have at most, and has.

-- name: quota_list :many
select n.name, q.max as limit, quota_used($1::uuid, n.name) as used
from unnest(array['storage_bytes', 'runs', 'queued_jobs', 'tokens', 'requests_per_minute', 'members'])
    with ordinality as n (name, place)
left join quotas q on q.team_id = $1::uuid and q.name = n.name
order by n.place;

-- name: quota_set :exec
insert into quotas (team_id, name, max) values ($1::uuid, $2, $3::bigint)
on conflict on constraint quotas_pkey do update set max = excluded.max;

-- name: quota_clear :exec
delete from quotas where team_id = $1::uuid and name = $2;
