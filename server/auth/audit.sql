-- The audit log as it is read. Its rows are written by audit_insert; the chain is a trigger's work.

-- name: audit_list :many
select seq, at, actor_kind, actor_name, action, object, refusal, remote, request_id
from audit_events
where team_id = $1::uuid and seq < $2::bigint
  and ($3::text is null or strpos(lower(actor_name), lower($3::text)) > 0)
  and ($4::text is null or starts_with(action, $4::text))
  and ($5::text is null or strpos(object, $5::text) > 0)
  and (not $6::boolean or refusal is not null)
  and ($7::timestamptz is null or at >= $7::timestamptz)
  and ($8::timestamptz is null or at < $8::timestamptz)
order by seq desc limit $9::int;

-- name: audit_newest :one
select coalesce(max(seq), 0) from audit_events where team_id = $1::uuid;

-- Oldest first, for copies.
-- name: audit_after :many
select seq, at, actor_kind, actor_name, action, object, refusal, remote, request_id
from audit_events
where team_id = $1::uuid and seq > $2::bigint and seq <= $3::bigint
order by seq limit $4::int;

-- A row is good when it is the next, its hash is that of what it says, and it names the hash before.
-- Null for the chain of what belongs to no team.
-- name: audit_verify :one
with chain as (
    select e.seq, lag(e.seq, 1, 0::bigint) over w + 1 as expected,
        e.hash = audit_hash(e) as is_whole,
        e.prev_hash = lag(e.hash, 1, '\x'::bytea) over w as is_linked
    from audit_events e where e.team_id is not distinct from $1::uuid
    window w as (order by e.seq)
), judged as (
    select seq, expected,
        case when seq <> expected then 'missing' when not is_whole then 'changed'
             when not is_linked then 'unlinked' end as fault
    from chain
)
select count(*) as events,
    min(case fault when 'missing' then expected else seq end) filter (where fault is not null)
        as first_bad_seq,
    (array_agg(fault order by seq) filter (where fault is not null))[1] as fault,
    coalesce(max(seq), 0) as last_seq,
    coalesce((select encode(e.hash, 'hex') from audit_events e
               where e.team_id is not distinct from $1::uuid order by e.seq desc limit 1), '') as last_hash
from judged;

-- name: audit_contains :one
select exists (select from audit_events
                where team_id is not distinct from $1::uuid and seq = $2::bigint
                  and encode(hash, 'hex') = $3);

-- name: audit_chains :many
select distinct e.team_id as id, coalesce(t.slug, e.team_id::text, '') as slug
from audit_events e left join teams t on t.id = e.team_id
order by 2;
