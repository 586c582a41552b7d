-- One's own browser sessions, in system mode. $2 of the first two is the caller's own, compared as
-- text because a caller may have none.

-- name: browser_session_list :many
select s.id, s.user_agent as device, s.remote, s.created_at, s.last_used_at,
    least(s.expires_at, r.expires_at) as expires_at, s.id::text = $2 as current
from sessions s
join users u on u.id = s.user_id and u.session_epoch = s.epoch
join lateral (select max(expires_at) as expires_at from refresh_tokens
              where family_id = s.id and used_at is null and expires_at > now()) r
    on r.expires_at is not null
where s.user_id::text = $1 and s.revoked_at is null and s.expires_at > now()
    and ($3::uuid is null or s.id < $3::uuid)
order by s.id desc limit $4::int;

-- name: browser_session_end_others :exec
update sessions set revoked_at = now(), revoked_why = 'ended from another session'
where user_id::text = $1 and id::text <> $2 and revoked_at is null;

-- name: browser_session_end :exec
update sessions set revoked_at = now(), revoked_why = 'ended by its user'
where user_id::text = $1 and id = $2::uuid and revoked_at is null;
