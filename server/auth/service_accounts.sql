-- Service accounts: members whom nobody can sign in as. Those that touch users run in system mode.

-- name: service_list :many
select s.user_id as id, s.name, m.role,
    case when m.deactivated_at is null then 'active' else 'deactivated' end as state,
    (select count(*) from api_tokens t where t.team_id = s.team_id and t.user_id = s.user_id) as tokens,
    s.created_at, s.created_by
from service_accounts s join members m on m.team_id = s.team_id and m.user_id = s.user_id
where s.team_id = $1::uuid and ($2::uuid is null or s.user_id < $2::uuid)
order by s.user_id desc limit $3::int;

-- name: service_get :opt
select s.user_id as id, s.name, m.role,
    case when m.deactivated_at is null then 'active' else 'deactivated' end as state,
    (select count(*) from api_tokens t where t.team_id = s.team_id and t.user_id = s.user_id) as tokens,
    s.created_at, s.created_by
from service_accounts s join members m on m.team_id = s.team_id and m.user_id = s.user_id
where s.team_id = $1::uuid and s.user_id = $2::uuid;

-- "!" is the hash of no password.
-- name: service_create_user :exec
insert into users (id, email, name, password_hash) values ($1::uuid, $1::uuid || '@service.invalid', $2, '!');

-- name: service_create :exec
insert into service_accounts (team_id, user_id, name, created_by) values ($1::uuid, $2::uuid, $3, $4);

-- name: service_rename :exec
update service_accounts set name = $3 where team_id = $1::uuid and user_id = $2::uuid;

-- name: service_rename_user :exec
update users set name = $3 from service_accounts s
where s.team_id = $1::uuid and s.user_id = $2::uuid and users.id = s.user_id;

-- name: service_set :exec
update members set role = coalesce($3, role),
    deactivated_at = case $4 when 'active' then null
                             when 'deactivated' then coalesce(deactivated_at, now())
                             else deactivated_at end
where team_id = $1::uuid and user_id = $2::uuid;

-- Membership, tokens and uploads go with it.
-- name: service_delete :exec
delete from users using service_accounts s
where s.team_id = $1::uuid and s.user_id = $2::uuid and users.id = s.user_id;
