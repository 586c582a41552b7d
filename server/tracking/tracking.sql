-- What runs logged. Two tables of jobs/ are read here, by the run's own job: its progress and its log
-- lines belong on the run's page and live in one place only.

-- name: run_logs :many
select l.seq, l.at, l.level, l.message
  from runs r
  join job_logs l on l.team_id = r.team_id and l.job_id = r.job_id
 where r.team_id = $1::uuid and r.id = $2::uuid and l.seq > $3::bigint
   and ($4::text is null or position(lower($4::text) in lower(l.message)) > 0)
 order by l.seq
 limit $5::bigint;

-- name: run_artifact_put :one
insert into run_artifacts (id, team_id, run_id, name, media_type, sha256, size_bytes)
values ($1::uuid, $2::uuid, $3::uuid, $4::text, $5::text, $6::text, $7::bigint)
on conflict on constraint run_artifacts_name_unique do update
   set media_type = excluded.media_type, sha256 = excluded.sha256,
       size_bytes = excluded.size_bytes, created_at = now(), uploaded = false
returning id;

-- name: run_artifact_get :opt
select id, run_id, name, size_bytes, sha256, media_type, created_at
  from run_artifacts
 where team_id = $1::uuid and id = $2::uuid;
