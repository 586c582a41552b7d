-- Searching. What a search itself reads is composed in search_sql.c and search_page.c.

-- name: search_begin :one
-- Hashing the ids of 100,000 runs needs about 8 MB; compiling a plan costs more than running it. $2: a
-- walk has one plan for all values, everything else depends on them.
select set_config('statement_timeout', $1::text, true) || set_config('work_mem', '64MB', true)
    || set_config('jit', 'off', true) || set_config('plan_cache_mode', $2::text, true);

-- name: search_end :one
-- What follows in the transaction is not planned as a search of many is.
select set_config('enable_nestloop', 'on', true) || set_config('plan_cache_mode', 'auto', true);

-- name: search_scope :one
-- Of the experiments asked for (null = all) those that are the project's; whether metrics of the team
-- wait to be folded.
with asked as (
    select coalesce(array_agg(id), '{}') as ids from experiments
     where team_id = $1::uuid and project_id = $2::uuid and ($3::uuid[] is null or id = any ($3::uuid[]))
)
select ids::text as experiments, ids,
       exists (select from metric_inbox where team_id = $1::uuid) as waiting
  from asked;

-- name: search_metric_keys :many
-- Distinct keys by skipping along the index: one probe a key and experiment, of at most 2,000 keys from
-- the first that can begin with $3. Of more than 100 experiments the newest answer.
select distinct k.key
  from (select id from unnest($2::uuid[]) as u (id) order by id desc limit 100) e
 cross join lateral (
    with recursive keys as (
        select (select min(m.key) from run_metrics m
                 where m.team_id = $1::uuid and m.experiment_id = e.id and m.key >= $3::text) as key
         union all
        select (select min(m.key) from run_metrics m
                 where m.team_id = $1::uuid and m.experiment_id = e.id and m.key > k.key)
          from keys k
         where k.key is not null
    )
    select key from keys where key is not null limit 2000
 ) k
 where starts_with(k.key, $3::text)
 order by k.key
 limit $4::bigint;

-- name: search_text_keys :many
-- Keys of parameters and tags of the newest runs: of all of them it would take as long as reading them.
with newest as materialized (
    select r.id from runs r
     where r.team_id = $1::uuid and r.experiment_id = any ($2::uuid[])
     order by r.created_at desc
     limit 500
), keys as (
    select distinct 'params' as kind, p.key
      from newest n join run_params p on p.team_id = $1::uuid and p.run_id = n.id
     where starts_with(p.key, $3::text)
     union all
    select distinct 'tags', t.key
      from newest n join run_tags t on t.team_id = $1::uuid and t.run_id = n.id
     where starts_with(t.key, $3::text)
)
select kind, key from (select kind, key, row_number() over (partition by kind order by key) as n from keys) ranked
 where n <= $4::bigint
 order by kind, key;
