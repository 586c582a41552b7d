-- Uploads of artifacts in parts.

-- name: artifact_upload_create :one
insert into multipart_uploads (id, team_id, user_id, run_id, logged_model_id, name, parts)
values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::uuid, $6::text, $7::int)
returning id, run_id, logged_model_id, name, parts, expires_at;

-- name: artifact_upload_get :opt
select id, run_id, logged_model_id, name, parts, expires_at
  from multipart_uploads
 where team_id = $1::uuid and id = $2::uuid and expires_at > now();

-- name: artifact_upload_part :exec
insert into multipart_parts (team_id, upload_id, number, sha256, size_bytes)
values ($1::uuid, $2::uuid, $3::int, $4::text, $5::bigint)
on conflict on constraint multipart_parts_pkey do update
   set sha256 = excluded.sha256, size_bytes = excluded.size_bytes;

-- name: artifact_upload_parts :many
select number, sha256, size_bytes from multipart_parts
 where team_id = $1::uuid and upload_id = $2::uuid
 order by number;

-- name: artifact_upload_room :opt
select q.max - quota_used(q.team_id, q.name) from quotas q
 where q.team_id = $1::uuid and q.name = 'storage_bytes';

-- Of two who end an upload one finds its row.
-- name: artifact_upload_delete :exec
delete from multipart_uploads where team_id = $1::uuid and id = $2::uuid;

-- name: artifact_uploads_expired :many
select id, run_id, logged_model_id, name, parts, expires_at
  from multipart_uploads where expires_at < now()
 order by expires_at limit 1000;

-- name: artifact_uploads_forget :exec
delete from multipart_uploads where id = any ($1::uuid[]);
