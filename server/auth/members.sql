-- People of a team, invitations and password resets. All but the invitation_ ones that name a team
-- run in system mode: they look at sessions and accounts, or nobody is signed in yet.

-- name: member_list :many
select m.user_id, u.email, u.name, m.role,
    case when m.deactivated_at is null and u.disabled_at is null then 'active'
         else 'deactivated' end as state,
    exists (select from second_factors f
            where f.user_id = m.user_id and f.confirmed_at is not null) as totp,
    (select max(s.last_used_at) from sessions s
     where s.team_id = m.team_id and s.user_id = m.user_id) as last_seen_at,
    array(select g.name from group_members gm join groups g on g.team_id = gm.team_id and g.id = gm.group_id
          where gm.team_id = m.team_id and gm.user_id = m.user_id order by g.name) as groups,
    m.created_at
from members m join users u on u.id = m.user_id
where m.team_id = $1::uuid and ($2::uuid is null or m.user_id < $2::uuid)
  and not exists (select from service_accounts a where a.team_id = m.team_id and a.user_id = m.user_id)
order by m.user_id desc limit $3::int;

-- name: member_get :opt
select m.user_id, u.email, u.name, m.role,
    case when m.deactivated_at is null and u.disabled_at is null then 'active'
         else 'deactivated' end as state,
    exists (select from second_factors f
            where f.user_id = m.user_id and f.confirmed_at is not null) as totp,
    (select max(s.last_used_at) from sessions s
     where s.team_id = m.team_id and s.user_id = m.user_id) as last_seen_at,
    array(select g.name from group_members gm join groups g on g.team_id = gm.team_id and g.id = gm.group_id
          where gm.team_id = m.team_id and gm.user_id = m.user_id order by g.name) as groups,
    m.created_at
from members m join users u on u.id = m.user_id
where m.team_id = $1::uuid and m.user_id = $2::uuid
  and not exists (select from service_accounts a where a.team_id = m.team_id and a.user_id = m.user_id);

-- Whoever changes members of a team queues here, so that two owners cannot demote each other.
-- name: member_owners_lock :many
select m.user_id from members m
where m.team_id = $1::uuid and m.role = 'owner' and m.deactivated_at is null
  and not exists (select from service_accounts a where a.team_id = m.team_id and a.user_id = m.user_id)
order by m.user_id for update of m;

-- name: member_update :exec
update members set role = coalesce($3, role),
    deactivated_at = case $4 when 'active' then null
                             when 'deactivated' then coalesce(deactivated_at, now())
                             else deactivated_at end
where team_id = $1::uuid and user_id = $2::uuid;

-- name: member_delete :exec
delete from members where team_id = $1::uuid and user_id = $2::uuid;

-- name: member_end_sessions :exec
update sessions set revoked_at = now(), revoked_why = 'deactivated'
where team_id = $1::uuid and user_id = $2::uuid and revoked_at is null;

-- name: member_other_teams :one
select count(*) from members where user_id = $2::uuid and team_id <> $1::uuid;

-- name: invitation_list :many
select id, email, role,
    case when accepted_at is not null then 'accepted' when revoked_at is not null then 'revoked'
         when expires_at <= now() then 'expired' else 'pending' end as state,
    invited_by, created_at, expires_at
from invitations
where team_id = $1::uuid and ($2::uuid is null or id < $2::uuid)
order by id desc limit $3::int;

-- A new invitation takes the place of an older one to the same address.
-- name: invitation_replace :exec
update invitations set revoked_at = now()
where team_id = $1::uuid and email = $2 and accepted_at is null and revoked_at is null;

-- name: invitation_pending :one
select count(*) from invitations
where team_id = $1::uuid and accepted_at is null and revoked_at is null and expires_at > now();

-- name: invitation_is_member :opt
select u.id from users u join members m on m.user_id = u.id
where m.team_id = $1::uuid and u.email = $2;

-- name: invitation_create :one
insert into invitations (id, team_id, email, role, token_sha256, invited_by, expires_at)
values ($1::uuid, $2::uuid, $3, $4, $5, $6, now() + make_interval(hours => $7::int))
returning id, email, role, 'pending' as state, invited_by, created_at, expires_at;

-- name: invitation_revoke :exec
update invitations set revoked_at = now()
where team_id = $1::uuid and id = $2::uuid and accepted_at is null and revoked_at is null;

-- name: invitation_find :opt
select i.team_id, t.name as team, i.email, i.role, u.id as user_id, u.id is not null as has_account
from invitations i join teams t on t.id = i.team_id left join users u on u.email = i.email
where i.token_sha256 = $1 and i.accepted_at is null and i.revoked_at is null and i.expires_at > now();

-- Of any number of callers one gets the row.
-- name: invitation_accept :opt
update invitations set accepted_at = now()
where token_sha256 = $1 and accepted_at is null and revoked_at is null and expires_at > now()
returning id;

-- name: reset_create :exec
insert into password_resets (token_sha256, user_id, expires_at)
values ($1, $2::uuid, now() + interval '1 hour');

-- name: reset_find :opt
select u.id, u.email, u.name, u.locale, u.created_at
from password_resets r join users u on u.id = r.user_id
where r.token_sha256 = $1 and r.used_at is null and r.expires_at > now();

-- One use, and every other link of the same person with it.
-- name: reset_spend :opt
update password_resets set used_at = now()
where token_sha256 = $1 and used_at is null and expires_at > now()
returning user_id;

-- name: reset_cancel_others :exec
update password_resets set used_at = now() where user_id = $1::uuid and used_at is null;

-- name: sweep_resets :exec
delete from password_resets where expires_at < now() - interval '7 days';
