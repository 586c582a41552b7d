-- Identity providers of a team, and sign-ins through them. The sso_ ones run in system mode.

-- name: provider_list :many
select id, team_id, name, issuer, client_id, secret_sealed, secret_sealed is not null as has_secret,
    group_claim, group_roles, default_role, sso_only, enabled
from identity_providers
where team_id = $1::uuid and ($2::uuid is null or id < $2::uuid)
order by id desc limit $3::int;

-- name: provider_find :opt
select id, team_id, name, issuer, client_id, secret_sealed, secret_sealed is not null as has_secret,
    group_claim, group_roles, default_role, sso_only, enabled
from identity_providers where team_id = $1::uuid and id = $2::uuid;

-- name: provider_count :one
select count(*) from identity_providers where team_id = $1::uuid;

-- name: provider_create :exec
insert into identity_providers (id, team_id, name, issuer, client_id, secret_sealed, group_claim,
    group_roles, default_role, sso_only, enabled)
values ($2::uuid, $1::uuid, $3, $4, $5, $6, $7, $8::jsonb, $9, $10::boolean, $11::boolean);

-- name: provider_update :exec
update identity_providers set name = $3, issuer = $4, client_id = $5, secret_sealed = $6,
    group_claim = $7, group_roles = $8::jsonb, default_role = $9, sso_only = $10::boolean,
    enabled = $11::boolean
where team_id = $1::uuid and id = $2::uuid;

-- name: provider_delete :exec
delete from identity_providers where team_id = $1::uuid and id = $2::uuid;

-- Subjects of another issuer are other people.
-- name: sso_forget_identities :exec
delete from identities where provider_id = $1::uuid;

-- name: sso_provider :opt
select id, team_id, name, issuer, client_id, secret_sealed, secret_sealed is not null as has_secret,
    group_claim, group_roles, default_role, sso_only, enabled
from identity_providers where id = $1::uuid and enabled;

-- name: sso_choices :many
select id, name from identity_providers where enabled order by name, id limit 50;

-- Whether a password gets anybody but owners anywhere.
-- name: sso_password_counts :one
select exists (select from teams t where not exists (
    select from identity_providers p where p.team_id = t.id and p.enabled and p.sso_only));

-- name: sso_is_required :opt
select 1 from identity_providers where team_id = $1::uuid and enabled and sso_only limit 1;

-- name: sso_session_provider :opt
select provider_id from sessions where id::text = $1;

-- name: sso_mark_session :exec
update sessions set provider_id = $2::uuid where id = $1::uuid;

-- Of any number of callers one gets the row.
-- name: sso_state_use :opt
insert into sso_states (state_sha256) values ($1) on conflict do nothing returning state_sha256;

-- name: sso_identity :opt
select user_id from identities where provider_id = $1::uuid and subject = $2;

-- A provider speaks for its team alone: whoever is in other teams only is not its to let in.
-- name: sso_user :opt
select u.id as user_id, not exists (select from members m where m.user_id = u.id)
    or exists (select from members m where m.user_id = u.id and m.team_id = $1::uuid) as is_ours
from users u where u.email = $2;

-- name: sso_identity_create :exec
insert into identities (provider_id, subject, user_id) values ($1::uuid, $2, $3::uuid);

-- name: sweep_sso_states :exec
delete from sso_states where used_at < now() - interval '1 hour';

-- What was opened with a password ends when passwords let in owners alone.
-- name: sso_end_password_sessions :exec
update sessions s set revoked_at = now(), revoked_why = 'single sign-on only'
  from members m
 where m.team_id = s.team_id and m.user_id = s.user_id and m.role <> 'owner'
   and s.team_id = $1::uuid and s.provider_id is null and s.revoked_at is null;
