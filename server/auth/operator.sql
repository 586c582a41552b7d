-- The operator's view of people and teams, in system mode.

-- name: operator_user_list :many
select u.id, u.email, u.name, case when u.disabled_at is null then 'active' else 'deactivated' end as state,
    exists (select from second_factors f where f.user_id = u.id and f.confirmed_at is not null) as totp,
    coalesce((select string_agg(t.slug || ':' || m.role, ' ' order by t.slug)
              from members m join teams t on t.id = m.team_id where m.user_id = u.id), '') as teams,
    u.created_at
from users u order by u.email;

-- The epoch goes up whenever the state changes, so that no session outlives being deactivated.
-- name: operator_user_set_state :exec
update users set disabled_at = case when $2::boolean then null else now() end,
    session_epoch = session_epoch + 1
where id = $1::uuid and (disabled_at is null) <> $2::boolean;

-- name: operator_team_list :many
select t.id, t.slug, t.name, (select count(*) from members m where m.team_id = t.id) as members,
    t.created_at
from teams t order by t.slug;
