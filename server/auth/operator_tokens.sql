-- API tokens of any team, for the command line. In system mode.

-- name: operator_token_list :many
select t.id, t.name, t.prefix, coalesce(s.name, u.email) as owner, t.created_at, t.expires_at, t.last_used_at
from api_tokens t join teams on teams.id = t.team_id join users u on u.id = t.user_id
left join service_accounts s on s.team_id = t.team_id and s.user_id = t.user_id
where teams.slug = $1 order by t.id desc;

-- name: operator_token_owner :opt
select m.team_id, m.user_id, m.role
from members m join teams t on t.id = m.team_id join users u on u.id = m.user_id
left join service_accounts s on s.team_id = m.team_id and s.user_id = m.user_id
where t.slug = $1 and (s.name = $2 or (s.name is null and u.email = lower($2))) and m.deactivated_at is null
order by s.name is null limit 1;

-- name: operator_token_revoke :opt
delete from api_tokens where id = $1::uuid returning prefix;
