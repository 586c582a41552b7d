-- What runs logged. Two tables of jobs/ are read here, by the run's own job: its progress and its log
-- lines belong on the run's page and live in one place only.

-- name: run_lock :one
-- Batches of one run queue here: none overtakes another between points and summary.
select id from runs where team_id = $1::uuid and id = $2::uuid for no key update;

-- name: metric_series_create :exec
insert into run_metrics (team_id, run_id, key)
select $1::uuid, $2::uuid, k.key
  from (select distinct key from unnest($3::text[]) as u (key)) k
 where not exists (select from run_metrics m
                    where m.team_id = $1::uuid and m.run_id = $2::uuid and m.key = k.key);

-- name: metric_points_add :exec
-- Points that are there already are left out by the primary key and so by the summary too.
with stored as (
    insert into metric_points (team_id, series_id, step, at, value)
    select $1::uuid, m.series_id, p.step, timestamptz 'epoch' + p.at_us * interval '1 microsecond', p.value
      from unnest($3::text[], $4::bigint[], $5::bigint[], $6::float8[]) as p (key, step, at_us, value)
      join run_metrics m on m.team_id = $1::uuid and m.run_id = $2::uuid and m.key = p.key
     order by m.series_id, p.step
    on conflict do nothing
    returning series_id, step, at, value
), sums as (
    select series_id, count(*) as points, min(step) as first_step,
           count(*) filter (where value in ('NaN', 'Infinity', '-Infinity')) as non_finite,
           min(value) filter (where value not in ('NaN', 'Infinity', '-Infinity')) as least,
           max(value) filter (where value not in ('NaN', 'Infinity', '-Infinity')) as greatest
      from stored group by series_id
), lasts as (
    select distinct on (series_id) series_id, step, at, value
      from stored order by series_id, step desc, at desc, value desc
)
update run_metrics m
   set points = m.points + s.points,
       non_finite = m.non_finite + s.non_finite,
       first_step = least(m.first_step, s.first_step),
       least = least(m.least, s.least),
       greatest = greatest(m.greatest, s.greatest),
       (last_step, last_at, last_value) = (
           select n.step, n.at, n.value
             from (values (m.last_step, m.last_at, m.last_value), (l.step, l.at, l.value)) as n (step, at, value)
            where n.step is not null
            order by n.step desc, n.at desc, n.value desc limit 1)
  from sums s join lasts l on l.series_id = s.series_id
 where m.team_id = $1::uuid and m.series_id = s.series_id;

-- name: metric_series_list :many
select key, series_id, points, first_step, last_step
  from run_metrics
 where team_id = $1::uuid and run_id = $2::uuid and points > 0
   and ($3::text[] is null or key = any ($3::text[]))
 order by key
 limit 200;

-- name: metric_buckets :many
-- Buckets of $5 steps over the steps $3..$4. The first and last point of each are looked up by the
-- primary key, which costs a few probes a bucket instead of a sort of all points.
select b.step, b.last_step, f.at, coalesce(b.min, 'NaN') as min, coalesce(b.max, 'NaN') as max,
       f.value as first, l.value as last, b.count, b.non_finite
  from (select min(step) as step, max(step) as last_step, count(*) as count,
               min(value) filter (where value not in ('NaN', 'Infinity', '-Infinity')) as min,
               max(value) filter (where value not in ('NaN', 'Infinity', '-Infinity')) as max,
               count(*) filter (where value in ('NaN', 'Infinity', '-Infinity')) as non_finite
          from metric_points
         where team_id = $1::uuid and series_id = $2::bigint
           and step between $3::bigint and $4::bigint
         group by (step - $3::bigint) / $5::bigint) b
 cross join lateral (select p.at, p.value from metric_points p
                      where p.team_id = $1::uuid and p.series_id = $2::bigint and p.step = b.step
                      order by p.at, p.value limit 1) f
 cross join lateral (select p.value from metric_points p
                      where p.team_id = $1::uuid and p.series_id = $2::bigint and p.step = b.last_step
                      order by p.at desc, p.value desc limit 1) l
 order by b.step;

-- name: metric_missing :many
-- Which of these keys the run never logged.
select key from unnest($3::text[]) as u (key)
 where not exists (select from run_metrics m
                    where m.team_id = $1::uuid and m.run_id = $2::uuid and m.key = u.key and m.points > 0);

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
