-- Metrics: the inbox, the chunks it is folded into, and the summary of each series.

-- --- storing -------------------------------------------------------------------------------------

-- name: metric_inbox_add :many
-- Batches of several requests, each for a run of its own. A batch whose run is missing here has no row.
with batches as materialized (
    select b.ord, b.run_id, b.points, b.body, b.digest, r.archived_at is not null as archived
      from unnest($2::uuid[], $3::uuid[], $4::int[], $5::bytea[], $6::bytea[]) with ordinality
           as b (run_id, project_id, points, body, digest, ord)
      join runs r on r.team_id = $1::uuid and r.id = b.run_id
                 and (b.project_id is null or r.project_id = b.project_id)
), stored as (
    insert into metric_inbox (team_id, run_id, points, body, digest)
    select $1::uuid, run_id, points, body, nullif(digest, '') from batches where not archived order by ord
)
select ord, archived from batches;

-- --- noting --------------------------------------------------------------------------------------

-- name: metric_teams_fresh :many
-- Of all teams, for the sweep.
select distinct team_id, run_id from metric_inbox where not noted order by team_id, run_id limit 10000;

-- name: metric_runs_fresh :many
-- Those that have something to note. untouched: this transaction has written nothing.
select r.id as run_id, pg_current_xact_id_if_assigned() is null as untouched
  from runs r
 where r.team_id = $1::uuid and r.id = any ($2::uuid[])
   and exists (select from metric_inbox i where i.team_id = $1::uuid and i.run_id = r.id and not i.noted)
 order by r.id;

-- name: metric_team_fresh :many
select r.id as run_id, pg_current_xact_id_if_assigned() is null as untouched
  from (select distinct run_id from metric_inbox where team_id = $1::uuid and not noted) i
  join runs r on r.team_id = $1::uuid and r.id = i.run_id
 order by r.id;

-- name: metric_experiments_fresh :many
select r.id as run_id, pg_current_xact_id_if_assigned() is null as untouched
  from (select distinct run_id from metric_inbox where team_id = $1::uuid and not noted) i
  join runs r on r.team_id = $1::uuid and r.id = i.run_id and r.experiment_id = any ($2::uuid[])
 order by r.id;

-- name: metric_inbox_note :many
-- Of the oldest $4 batches those that begin within $3 bytes.
update metric_inbox set noted = true
 where team_id = $1::uuid and run_id = any ($2::uuid[]) and not noted
   and id <= (select max(id)
                from (select id, sum(size) over (order by id) - size as before
                        from (select id, octet_length(coalesce(digest, body)) as size from metric_inbox
                               where team_id = $1::uuid and run_id = any ($2::uuid[]) and not noted
                               order by id limit $4::bigint) oldest) page
               where before < $3::bigint)
returning run_id, coalesce(digest, body) as body;

-- --- folding -------------------------------------------------------------------------------------

-- name: metric_teams_waiting :many
-- Of all teams, for the sweep: whoever has waited longest comes first.
select team_id, run_id, sum(points) as points from metric_inbox
 group by team_id, run_id order by min(id) limit 10000;

-- name: metric_run_waiting :opt
-- Whether the run has more than $3 points to fold. untouched: this transaction has written nothing.
select pg_current_xact_id_if_assigned() is null as untouched
  from metric_inbox where team_id = $1::uuid and run_id = $2::uuid
having sum(points) > $3::bigint;

-- name: metric_fold_lock :exec
-- In one order for everybody, so that two who want several runs cannot wait for each other. A step of
-- folding may take longer than the two seconds for which anything else is waited for. $2: nothing else is
-- in this transaction; should its commit be lost, the inbox still has all of it, so nobody waits for the disk.
select set_config('lock_timeout', '9s', true),
       set_config('synchronous_commit', case when $2::boolean then 'off' else current_setting('synchronous_commit') end, true),
       (select count(pg_advisory_xact_lock(hashtextextended('metrics ' || r.run_id, 0)))
          from (select run_id from unnest($1::text[]) as u (run_id) order by run_id) r),
       set_config('lock_timeout', '2s', true);

-- name: metric_fold_try :many
-- Those that nobody else folds; as metric_fold_lock with $2 = true.
select run_id from unnest($1::text[]) as u (run_id), set_config('synchronous_commit', 'off', true)
 where pg_try_advisory_xact_lock(hashtextextended('metrics ' || run_id, 0));

-- name: metric_inbox_take :many
-- Of the oldest $4 batches those that begin within $3 points. No join: the planner, which last saw the
-- inbox empty, would choose one that visits every row for every row.
delete from metric_inbox
 where team_id = $1::uuid and run_id = any ($2::uuid[])
   and id <= (select max(id)
                from (select id, sum(points) over (order by id) - points as before
                        from (select id, points from metric_inbox
                               where team_id = $1::uuid and run_id = any ($2::uuid[])
                               order by id limit $4::bigint) oldest) page
               where before < $3::bigint)
returning run_id, body;

-- name: metric_series_find :many
-- With the end of the last chunk, and with its points if they are fewer than $4; null = without.
select u.ord, m.series_id, m.points, m.last_step, (extract(epoch from m.last_at) * 1000000)::bigint as last_at,
       m.last_value, c.last_step as end_step, c.last_at as end_at, c.last_value as end_value,
       c.points as tail_points, c.body as tail
  from unnest($2::uuid[], $3::text[]) with ordinality as u (run_id, key, ord)
  join run_metrics m on m.team_id = $1::uuid and m.run_id = u.run_id and m.key = u.key
  left join lateral (
       select b.last_step, b.last_at, b.last_value, b.points, case when b.points < $4::int then b.body end as body
         from metric_chunks b
        where b.team_id = $1::uuid and b.series_id = m.series_id
        order by b.first_step desc, b.first_at desc, b.first_value desc limit 1) c on $4::int is not null;

-- name: metric_series_create :many
-- Seconds and the rest apart, here and below: a product with an interval is exact only below 2^53.
insert into run_metrics (team_id, run_id, key, experiment_id, points, non_finite, first_step, least, greatest,
                         last_step, last_at, last_value)
select $1::uuid, u.run_id, u.key, r.experiment_id, u.points, u.non_finite, u.first_step,
       nullif(u.least, 'NaN'), nullif(u.greatest, 'NaN'), u.last_step,
       timestamptz 'epoch' + u.last_at / 1000000 * interval '1 second'
       + u.last_at % 1000000 * interval '1 microsecond', u.last_value
  from unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::float8[], $8::float8[],
              $9::bigint[], $10::bigint[], $11::float8[])
       as u (run_id, key, points, non_finite, first_step, least, greatest, last_step, last_at, last_value)
  join runs r on r.team_id = $1::uuid and r.id = u.run_id
returning run_id, key, series_id;

-- name: metric_chunks_near :many
-- Where the chunks begin in which points from (step, at, value) to (to_step, to_at, to_value) have their
-- places: the last one that begins at or before the range, else the first one; and all within it.
select distinct p.series_id, c.first_step, c.first_at, c.first_value
  from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::float8[], $6::bigint[], $7::bigint[], $8::float8[])
       as p (series_id, step, at, value, to_step, to_at, to_value)
 cross join lateral (
      ((select b.first_step, b.first_at, b.first_value from metric_chunks b
         where b.team_id = $1::uuid and b.series_id = p.series_id
           and (b.first_step, b.first_at, b.first_value) <= (p.step, p.at, p.value)
         order by b.first_step desc, b.first_at desc, b.first_value desc limit 1)
       union all
       (select b.first_step, b.first_at, b.first_value from metric_chunks b
         where b.team_id = $1::uuid and b.series_id = p.series_id
           and (b.first_step, b.first_at, b.first_value) > (p.step, p.at, p.value)
         order by b.first_step, b.first_at, b.first_value limit 1)
       limit 1)
      union all
      (select b.first_step, b.first_at, b.first_value from metric_chunks b
        where b.team_id = $1::uuid and b.series_id = p.series_id
          and (b.first_step, b.first_at, b.first_value) > (p.step, p.at, p.value)
          and (b.first_step, b.first_at, b.first_value) <= (p.to_step, p.to_at, p.to_value))) c
 order by p.series_id, c.first_step, c.first_at, c.first_value;

-- name: metric_chunks_at :many
select c.series_id, c.points, c.body
  from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::float8[]) as k (series_id, step, at, value)
  join metric_chunks c
    on c.team_id = $1::uuid and c.series_id = k.series_id and c.first_step = k.step
   and c.first_at = k.at and c.first_value = k.value
 order by c.series_id, c.first_step, c.first_at, c.first_value;

-- name: metric_chunks_drop :exec
delete from metric_chunks c
 using unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::float8[]) as d (series_id, step, at, value)
 where c.team_id = $1::uuid and c.series_id = d.series_id
   and c.first_step = d.step and c.first_at = d.at and c.first_value = d.value;

-- name: metric_chunks_put :exec
insert into metric_chunks (team_id, series_id, first_step, first_at, first_value, last_step, last_at,
                           last_value, min_at, max_at, least, greatest, points, non_finite, body)
select $1::uuid, u.*
  from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::float8[], $6::bigint[], $7::bigint[],
              $8::float8[], $9::bigint[], $10::bigint[], $11::float8[], $12::float8[], $13::int[],
              $14::int[], $15::bytea[]) as u
on conflict on constraint metric_chunks_pkey do update
   set last_step = excluded.last_step, last_at = excluded.last_at, last_value = excluded.last_value,
       min_at = excluded.min_at, max_at = excluded.max_at, least = excluded.least,
       greatest = excluded.greatest, points = excluded.points, non_finite = excluded.non_finite,
       body = excluded.body;

-- name: metric_series_grow :exec
update run_metrics m
   set points = m.points + u.points, non_finite = m.non_finite + u.non_finite,
       first_step = least(m.first_step, u.first_step),
       least = least(m.least, nullif(u.least, 'NaN')),
       greatest = greatest(m.greatest, nullif(u.greatest, 'NaN')),
       last_step = u.last_step, last_value = u.last_value,
       last_at = timestamptz 'epoch' + u.last_at / 1000000 * interval '1 second'
                 + u.last_at % 1000000 * interval '1 microsecond'
  from unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::float8[], $7::float8[],
              $8::bigint[], $9::bigint[], $10::float8[])
       as u (series_id, points, non_finite, first_step, least, greatest, last_step, last_at, last_value)
 where m.team_id = $1::uuid and m.series_id = u.series_id;

-- --- reading -------------------------------------------------------------------------------------

-- name: metric_series_list :many
select m.key, m.series_id, m.points, m.first_step, m.last_step
  from run_metrics m
 where m.team_id = $1::uuid and m.run_id = $2::uuid and m.last_at is not null
   and ($3::text[] is null or m.key = any ($3::text[]))
 order by m.key
 limit 200;

-- name: metric_chunks_charted :many
-- Of the steps $3..$4 in buckets of $5 steps; the points only of chunks that are not within one bucket, or
-- of all where $5 is null.
select c.first_step, c.first_at, c.first_value, c.last_step, c.last_value, c.least, c.greatest, c.points,
       c.non_finite,
       case when $5::bigint is null then c.body
            when c.first_step < $3::bigint or c.last_step > $4::bigint
              or (c.first_step - $3::bigint) / $5::bigint <> (c.last_step - $3::bigint) / $5::bigint
            then c.body end as body
  from metric_chunks c
 where c.team_id = $1::uuid and c.series_id = $2::bigint
   and c.first_step <= $4::bigint and c.last_step >= $3::bigint
   and c.first_step >= coalesce((select b.first_step from metric_chunks b
                                  where b.team_id = $1::uuid and b.series_id = $2::bigint
                                    and b.first_step <= $3::bigint
                                  order by b.first_step desc limit 1), $3::bigint)
 order by c.first_step, c.first_at, c.first_value;

-- name: metric_series_of_run :opt
-- The run, and its series of that name if there is one.
select m.series_id, m.points, m.first_step, m.last_step
  from runs r
  left join run_metrics m on m.team_id = r.team_id and m.run_id = r.id and m.key = $3::text
 where r.team_id = $1::uuid and r.id = $2::uuid;

-- name: metric_inbox_read :many
select body from metric_inbox where team_id = $1::uuid and run_id = $2::uuid;

-- name: metric_chunks_since :many
-- Chunks that reach to the time $3 or beyond it, by their beginnings in time, behind ($4, …, $7).
select c.min_at, c.first_step, c.first_at, c.first_value, c.points, c.body
  from metric_chunks c
 where c.team_id = $1::uuid and c.series_id = $2::bigint and c.max_at >= $3::bigint
   and (c.min_at, c.first_step, c.first_at, c.first_value)
       > ($4::bigint, $5::bigint, $6::bigint, $7::float8)
 order by c.min_at, c.first_step, c.first_at, c.first_value
 limit $8::bigint;

-- name: metric_chunks_between :many
-- The chunks that have points of the steps $3..$4.
select c.first_step, c.first_at, c.first_value, c.points
  from metric_chunks c
 where c.team_id = $1::uuid and c.series_id = $2::bigint
   and c.first_step <= $4::bigint and c.last_step >= $3::bigint
 order by c.first_step, c.first_at, c.first_value;

-- name: metric_chunks_get :many
select c.points, c.body
  from unnest($3::bigint[], $4::bigint[], $5::float8[]) as k (step, at, value)
  join metric_chunks c
    on c.team_id = $1::uuid and c.series_id = $2::bigint and c.first_step = k.step
   and c.first_at = k.at and c.first_value = k.value
 order by c.first_step, c.first_at, c.first_value;

-- name: metric_lasts :many
select m.run_id, m.key, m.last_step as step, (extract(epoch from m.last_at) * 1000000)::bigint as at_us,
       m.last_value as value
  from runs r
  join run_metrics m on m.team_id = r.team_id and m.run_id = r.id and m.last_at is not null
 where r.team_id = $1::uuid and r.id = any ($2::uuid[])
 order by m.run_id, m.key;

-- name: metric_missing :many
-- Which of these keys the run never logged.
select key from unnest($3::text[]) as u (key)
 where not exists (select from run_metrics m
                    where m.team_id = $1::uuid and m.run_id = $2::uuid and m.key = u.key and m.last_at is not null);
