-- Files of runs and logged models by path. Names are compared by their bytes (the column's collation),
-- so "a/" up to "a0" is everything below a.

-- name: artifact_place :one
-- Before a file is written: what the team may still store (null = no quota), a name that is in the way
-- (a file that $3 would stand below, or a file below $3), and whether the job owns the file of that name.
select (select q.max - quota_used(q.team_id, q.name) from quotas q
         where q.team_id = $1::uuid and q.name = 'storage_bytes') as room,
       (select c.name from (
            select a.name from run_artifacts a
             where a.team_id = $1::uuid and a.owner_id = $2::uuid and a.name = any ($4::text[])
            union all
            (select a.name from run_artifacts a
              where a.team_id = $1::uuid and a.owner_id = $2::uuid
                and a.name >= $3::text || '/' and a.name < $3::text || '0' limit 1)) c
         limit 1) as clash,
       (select not a.uploaded from run_artifacts a
         where a.team_id = $1::uuid and a.owner_id = $2::uuid and a.name = $3::text) as fixed;

-- name: artifact_put :opt
-- No row when the file of that name is the job's.
insert into run_artifacts as a (id, team_id, run_id, logged_model_id, name, media_type, sha256, size_bytes, uploaded)
values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::text, $6::text, $7::text, $8::bigint, true)
on conflict on constraint run_artifacts_name_unique do update
   set media_type = excluded.media_type, sha256 = excluded.sha256,
       size_bytes = excluded.size_bytes, created_at = now()
 where a.uploaded
returning a.id;

-- name: artifact_find :opt
select a.id, a.run_id, a.name, a.size_bytes, a.sha256, a.media_type, a.created_at
  from run_artifacts a
 where a.team_id = $1::uuid and a.owner_id = $2::uuid and a.name = $3::text;

-- name: artifact_level :many
-- One level of a tree: after each entry the index is entered again behind it, so what stands below a
-- directory costs nothing. $3 = what every name begins with, from $4 on, before $5. The limit outside
-- ends the walk. behind is a column, because row-level security lets only plain comparisons into the index.
with recursive level (id, run_id, name, is_dir, size_bytes, sha256, media_type, created_at, behind) as (
    select f.id, f.run_id, f.name, f.is_dir, f.size_bytes, f.sha256, f.media_type, f.created_at,
           f.name || case when f.is_dir then '0' else chr(1) end
      from (select case when s.slash = 0 then a.id end as id, a.run_id,
                   (case when s.slash = 0 then a.name
                         else left(a.name, length($3::text) + s.slash - 1) end) collate "C" as name,
                   s.slash > 0 as is_dir, case when s.slash = 0 then a.size_bytes else 0 end as size_bytes,
                   case when s.slash = 0 then a.sha256 end as sha256,
                   case when s.slash = 0 then a.media_type end as media_type,
                   case when s.slash = 0 then a.created_at end as created_at
              from run_artifacts a
             cross join lateral (select position('/' in substr(a.name, length($3::text) + 1)) as slash) s
             where a.team_id = $1::uuid and a.owner_id = $2::uuid and a.name >= $4::text and a.name < $5::text
             order by a.name limit 1) f
    union all
    select f.id, f.run_id, f.name, f.is_dir, f.size_bytes, f.sha256, f.media_type, f.created_at,
           f.name || case when f.is_dir then '0' else chr(1) end
      from level l
     cross join lateral (
            select case when s.slash = 0 then a.id end as id, a.run_id,
                   (case when s.slash = 0 then a.name
                         else left(a.name, length($3::text) + s.slash - 1) end) collate "C" as name,
                   s.slash > 0 as is_dir, case when s.slash = 0 then a.size_bytes else 0 end as size_bytes,
                   case when s.slash = 0 then a.sha256 end as sha256,
                   case when s.slash = 0 then a.media_type end as media_type,
                   case when s.slash = 0 then a.created_at end as created_at
              from run_artifacts a
             cross join lateral (select position('/' in substr(a.name, length($3::text) + 1)) as slash) s
             where a.team_id = $1::uuid and a.owner_id = $2::uuid
               and a.name >= l.behind and a.name < $5::text
             order by a.name limit 1) f
)
select id, run_id, name, is_dir, size_bytes, sha256, media_type, created_at from level limit $6::bigint;

-- name: artifact_tree :many
-- The file $3, and every file from $4 on, before $5.
select a.id, a.run_id, a.name, a.size_bytes, a.sha256, a.media_type, a.created_at
  from run_artifacts a
 where a.team_id = $1::uuid and a.owner_id = $2::uuid and a.name = $3::text
 union all
(select a.id, a.run_id, a.name, a.size_bytes, a.sha256, a.media_type, a.created_at
   from run_artifacts a
  where a.team_id = $1::uuid and a.owner_id = $2::uuid and a.name >= $4::text and a.name < $5::text
  order by a.name);

-- name: artifact_tree_fixed :opt
-- A file of the job in the tree.
select a.name from run_artifacts a
 where a.team_id = $1::uuid and a.owner_id = $2::uuid and not a.uploaded
   and (a.name = $3::text or (a.name >= $4::text and a.name < $5::text))
 limit 1;

-- name: artifact_delete :exec
delete from run_artifacts a
 where a.team_id = $1::uuid and a.owner_id = $2::uuid
   and (a.name = $3::text or (a.name >= $4::text and a.name < $5::text));

-- name: artifact_home_of_run :opt
select e.number as experiment_number, e.artifact_location as location
  from runs r join experiments e on e.team_id = r.team_id and e.id = r.experiment_id
 where r.team_id = $1::uuid and r.project_id = $2::uuid and r.id = $3::uuid;

-- name: artifact_home_of_logged_model :opt
select e.number as experiment_number, e.artifact_location as location
  from logged_models m join experiments e on e.team_id = m.team_id and e.id = m.experiment_id
 where m.team_id = $1::uuid and m.project_id = $2::uuid and m.id = $3::uuid;

-- name: artifact_page :many
select a.id, a.run_id, a.name, a.size_bytes, a.sha256, a.media_type, a.created_at
  from run_artifacts a
 where a.team_id = $1::uuid and a.owner_id = $2::uuid and ($3::text is null or a.name > $3::text)
 order by a.name
 limit $4::bigint;
