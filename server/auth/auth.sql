-- People, sessions, tokens, sign-in limits and the audit log. Every statement here but the
-- token_ ones runs in system mode: who is calling is not known yet, or spans teams.

-- name: user_by_email :opt
select id, password_hash, disabled_at is not null as disabled,
    exists (select from second_factors f
            where f.user_id = users.id and f.confirmed_at is not null) as second_factor
from users where email = $1 and password_hash <> '!';

-- name: user_get :one
select id, email, name, locale, created_at
from users where id = $1::uuid;

-- name: user_password :opt
select password_hash from users where id = $1::uuid;

-- name: user_create :exec
insert into users (id, email, name, password_hash) values ($1::uuid, $2, $3, $4);

-- name: user_update :exec
update users set name = coalesce($2, name), locale = coalesce($3, locale) where id = $1::uuid;

-- A new password ends every session but the caller's.
-- name: user_set_password :exec
update users set password_hash = $2, session_epoch = session_epoch + 1 where id = $1::uuid;

-- name: user_rehash :exec
update users set password_hash = $2 where id = $1::uuid;

-- name: session_adopt_epoch :exec
update sessions s set epoch = u.session_epoch
from users u where u.id = s.user_id and s.id = $1::uuid;

-- name: team_by_slug :opt
select id from teams where slug = $1;

-- name: team_create :exec
insert into teams (id, slug, name) values ($1::uuid, $2, $3);

-- name: member_create :exec
insert into members (team_id, user_id, role) values ($1::uuid, $2::uuid, $3);

-- name: project_create_default :exec
insert into projects (id, team_id, slug, name) values ($1::uuid, $2::uuid, 'default', 'Default')
on conflict on constraint projects_slug_unique do nothing;

-- name: teams_of_user :many
select t.id, t.slug, t.name, m.role
from members m join teams t on t.id = m.team_id
where m.user_id = $1::uuid and m.deactivated_at is null order by m.created_at, t.slug;

-- name: session_create :exec
insert into sessions (id, user_id, team_id, epoch, user_agent, remote, expires_at)
select $1::uuid, u.id, $3::uuid, u.session_epoch, $4, $5, now() + interval '30 days'
from users u where u.id = $2::uuid;

-- name: session_principal :opt
select s.id as session_id, s.user_id, s.team_id, m.role, u.email,
    m.role <> 'owner' and exists (select from project_roles r where r.team_id = s.team_id) as by_project,
    coalesce((select q.max from quotas q
              where q.team_id = s.team_id and q.name = 'requests_per_minute'), 0) as requests_max
from sessions s
join users u on u.id = s.user_id
join members m on m.team_id = s.team_id and m.user_id = s.user_id
where s.id = $1::uuid and s.revoked_at is null and s.expires_at > now()
  and s.epoch = u.session_epoch and u.disabled_at is null and m.deactivated_at is null;

-- name: session_set_team :exec
update sessions set team_id = $2::uuid where id = $1::uuid;

-- name: session_revoke :exec
update sessions set revoked_at = now(), revoked_why = $2
where id = $1::uuid and revoked_at is null;

-- name: session_used :exec
update sessions set last_used_at = now() where id = $1::uuid;

-- name: refresh_create :exec
insert into refresh_tokens (token_sha256, family_id, expires_at)
values ($1, $2::uuid, now() + make_interval(hours => $3::int));

-- The one place where a refresh token is spent: of any number of callers one gets the row.
-- name: refresh_spend :opt
update refresh_tokens set used_at = now(), successor_sha256 = $2
where token_sha256 = $1 and used_at is null and expires_at > now()
returning family_id, false as used, false as in_grace, successor_sha256;

-- name: refresh_find :opt
select family_id, used_at is not null as used,
       used_at is not null and used_at > now() - interval '30 seconds' as in_grace,
       coalesce(successor_sha256, '') as successor_sha256
from refresh_tokens where token_sha256 = $1;

-- A try counts before the password is looked at, so that parallel guesses cannot slip past. The
-- window opens with the first try and does not move.
-- name: login_count :one
insert into login_failures as f (subject) values ($1)
on conflict (subject) do update set
    failures = case when f.window_start < now() - interval '15 minutes' then 1 else f.failures + 1 end,
    window_start = case when f.window_start < now() - interval '15 minutes' then now() else f.window_start end
returning failures,
    ceil(extract(epoch from window_start + interval '15 minutes' - now()))::bigint as retry_after_s;

-- name: login_forgive :exec
delete from login_failures where subject = $1;

-- name: login_take_back :exec
update login_failures set failures = failures - 1 where subject = $1 and failures > 0;

-- name: token_list :many
select t.id, t.name, t.prefix, t.scopes as scope_bits, u.name as owner,
    case when t.project_ids is not null then array(
        select p.slug from projects p
        where p.team_id = t.team_id and p.id = any (t.project_ids) order by p.slug) end as projects,
    t.created_at, t.expires_at, t.last_used_at
from api_tokens t join users u on u.id = t.user_id
where t.team_id = $1::uuid and ($2::uuid is null or t.user_id = $2::uuid)
  and ($3::uuid is null or t.id < $3::uuid)
order by t.id desc limit $4::int;

-- name: token_count :one
select count(*) from api_tokens where team_id = $1::uuid and user_id = $2::uuid;

-- name: token_projects_found :one
select count(*) from projects where team_id = $1::uuid and slug = any ($2::text[]);

-- name: token_create :one
insert into api_tokens (id, team_id, user_id, name, prefix, token_sha256, scopes, expires_at, project_ids)
values ($1::uuid, $2::uuid, $3::uuid, $4, $5, $6, $7::int, now() + make_interval(days => $8::int),
    case when $9::text[] is not null then array(
        select id from projects where team_id = $2::uuid and slug = any ($9::text[])) end)
returning id, name, expires_at;

-- name: token_delete :exec
delete from api_tokens
where team_id = $1::uuid and ($2::uuid is null or user_id = $2::uuid) and id = $3::uuid;

-- name: token_principal :opt
select t.id as session_id, t.token_sha256, t.user_id, t.team_id, m.role,
    coalesce(s.name, u.email) as email, t.scopes as scope_bits, t.project_ids is not null as limited,
    m.role <> 'owner' and exists (select from project_roles r where r.team_id = t.team_id) as by_project,
    coalesce((select q.max from quotas q
              where q.team_id = t.team_id and q.name = 'requests_per_minute'), 0) as requests_max
from api_tokens t
join users u on u.id = t.user_id
join members m on m.team_id = t.team_id and m.user_id = t.user_id
left join service_accounts s on s.team_id = t.team_id and s.user_id = t.user_id
where t.prefix = $1 and (t.expires_at is null or t.expires_at > now()) and u.disabled_at is null
  and m.deactivated_at is null;

-- name: token_used :exec
update api_tokens set last_used_at = now()
where id = $1::uuid and (last_used_at is null or last_used_at < now() - interval '1 minute');

-- name: worker_token_create :exec
insert into worker_tokens (id, name, prefix, token_sha256) values ($1::uuid, $2, $3, $4);

-- name: worker_token_principal :opt
select id as session_id, token_sha256, name as email
from worker_tokens
where prefix = $1 and revoked_at is null and (expires_at is null or expires_at > now());

-- name: worker_token_used :exec
update worker_tokens set last_used_at = now()
where id = $1::uuid and (last_used_at is null or last_used_at < now() - interval '1 minute');

-- name: audit_insert :exec
insert into audit_events (team_id, actor_kind, actor_id, actor_name, action, object, refusal, remote, request_id)
values ($1::uuid, $2, $3::uuid, $4, $5, $6, $7, $8, $9);

-- name: sweep_sessions :exec
delete from sessions where expires_at < now() - interval '7 days'
    or last_used_at < now() - interval '40 days';

-- name: sweep_login_failures :exec
delete from login_failures where window_start < now() - interval '1 hour';
