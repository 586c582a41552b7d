-- Blobs and uploads.

-- Bytes that are stored again count as new, so that the sweep waits for whoever refers to them next.
-- A row of the last ten minutes is new enough, and is not locked: many may store the same bytes at once.
-- name: blob_insert :exec
insert into blobs (sha256, size_bytes)
select $1::text, $2::bigint
 where not exists (select from blobs where sha256 = $1::text and created_at > now() - interval '10 minutes')
on conflict (sha256) do update set created_at = now();

-- name: blob_find :opt
select sha256, size_bytes from blobs where sha256 = $1;

-- name: upload_create :one
insert into uploads (id, team_id, user_id, file_name, size_bytes)
values ($1::uuid, $2::uuid, $3::uuid, $4, $5::bigint)
returning id, file_name, size_bytes, offset_bytes, state, sha256, created_at, expires_at;

-- name: upload_create_complete :one
insert into uploads (id, team_id, user_id, file_name, size_bytes, offset_bytes, state, sha256)
values ($1::uuid, $2::uuid, $3::uuid, $4, $5::bigint, $5::bigint, 'complete', $6)
returning id, file_name, size_bytes, offset_bytes, state, sha256, created_at, expires_at;

-- name: upload_find_own :opt
select id, file_name, size_bytes, offset_bytes, state, sha256, created_at, expires_at
from uploads where team_id = $1::uuid and user_id = $2::uuid and id = $3::uuid;

-- name: upload_find :opt
select id, file_name, size_bytes, offset_bytes, state, sha256, created_at, expires_at
from uploads where team_id = $1::uuid and id = $2::uuid;

-- name: upload_list :many
select id, file_name, size_bytes, offset_bytes, state, sha256, created_at, expires_at
from uploads
where team_id = $1::uuid and user_id = $2::uuid and state = 'receiving' and expires_at > now()
  and ($3::uuid is null or id < $3::uuid)
order by id desc limit $4::int;

-- name: upload_count_own :opt
select count(*) from uploads
where team_id = $1::uuid and user_id = $2::uuid and state = 'receiving' and expires_at > now();

-- Guarded by the offset it starts from: of two servers on one upload one moves it.
-- name: upload_advance :exec
update uploads set offset_bytes = $4::bigint
where team_id = $1::uuid and id = $2::uuid and offset_bytes = $3::bigint and state = 'receiving';

-- name: upload_complete :exec
update uploads set offset_bytes = size_bytes, state = 'complete', sha256 = $3
where team_id = $1::uuid and id = $2::uuid and state = 'receiving';

-- name: upload_delete :exec
delete from uploads where team_id = $1::uuid and user_id = $2::uuid and id = $3::uuid;

-- name: uploads_expired :many
select id from uploads where state = 'receiving' and expires_at < now()
order by expires_at limit 1000;

-- Their rows stay a week, so that a late client hears "expired" and not "no such upload".
-- name: uploads_forget :exec
delete from uploads where expires_at < now() - interval '7 days';

-- --- the sweep

-- The last of the next $2 hashes; null behind the last of all.
-- name: blobs_part :one
select max(sha256) from (select sha256 from blobs where sha256 > $1::text order by sha256 limit $2::bigint) p;

-- name: blobs_unreferenced :many
select sha256 from blobs_unreferenced($1::text, $2::text, now() - $3::bigint * interval '1 hour') as sha256;

-- A foreign key refuses when somebody has referred to it since; "created_at" is looked at again after
-- waiting for somebody who stores the same bytes.
-- name: blob_collect :opt
delete from blobs where sha256 = $1::text and created_at < now() - $2::bigint * interval '1 hour'
returning sha256;

-- --- files that no row names

-- name: blobs_strays :many
select n as name from unnest($1::text[]) n where not exists (select from blobs b where b.sha256 = n);

-- Held until the rollback: see strays.c.
-- name: blob_claim :exec
insert into blobs (sha256, size_bytes) values ($1::text, 0) on conflict do nothing;

-- name: uploads_strays :many
select n as name from unnest($1::text[]) n
 where not exists (select from uploads u
                    where u.id = n::uuid and u.state = 'receiving' and u.expires_at > now());
