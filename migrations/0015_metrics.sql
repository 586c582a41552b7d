-- Metric points in packed chunks instead of a row each (145 bytes a point became 8 to 14), behind an
-- inbox that takes batches as they come.
-- Changes: creates metric_inbox and metric_chunks; run_metrics gains experiment_id; the points move to
-- the inbox, from which they are folded when the server runs; drops metric_points. Locks: run_metrics and
-- metric_points until all points have moved, a few seconds a million.

-- Batches that were acknowledged and wait to be folded. Rows are written once and deleted soon.
create table metric_inbox (
    team_id uuid not null,
    run_id uuid not null,
    id bigint generated always as identity,
    points integer not null,
    body bytea not null,
    constraint metric_inbox_pkey primary key (team_id, run_id, id),
    constraint metric_inbox_run foreign key (team_id, run_id) references runs (team_id, id) on delete cascade,
    constraint metric_inbox_points_some check (points > 0)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
alter table metric_inbox alter column body set storage external;
call protect_team_table('metric_inbox');

-- Up to 312 points of a series, in the order (step, time, value) and apart from its other chunks in that
-- order; the key is the first point. body: server/tracking/chunk.c. Times in microseconds since 1970.
-- least and greatest are NaN when no point is finite. Rows lie whole in their pages up to 8160 bytes.
create table metric_chunks (
    team_id uuid not null,
    series_id bigint not null,
    first_step bigint not null,
    first_at bigint not null,
    first_value double precision not null,
    last_step bigint not null,
    last_at bigint not null,
    last_value double precision not null,
    min_at bigint not null,
    max_at bigint not null,
    least double precision not null,
    greatest double precision not null,
    points integer not null,
    non_finite integer not null,
    body bytea not null,
    constraint metric_chunks_pkey primary key (team_id, series_id, first_step, first_at, first_value),
    constraint metric_chunks_points_some check (points > 0),
    constraint metric_chunks_in_order check
        ((first_step, first_at, first_value) <= (last_step, last_at, last_value) and min_at <= max_at)
) with (toast_tuple_target = 8160, autovacuum_vacuum_cost_delay = 0);
alter table metric_chunks alter column body set storage external;
call protect_team_table('metric_chunks');

select set_config('app.system', 'on', true);

-- --- the points there are -----------------------------------------------------------------------

-- A number of one to two bytes, as batches have them.
create function pg_temp.varint(value int) returns bytea
    language sql immutable
    return case when value < 128 then set_byte('\x00'::bytea, 0, value)
                else set_byte(set_byte('\x0000'::bytea, 0, value & 127 | 128), 1, value >> 7) end;

-- server/tracking/ingest_batch.c: one key, the points' keys (all number 0), and the points plainly (4).
insert into metric_inbox (team_id, run_id, points, body)
select m.team_id, m.run_id, p.points,
       '\x01'::bytea || pg_temp.varint(octet_length(m.key)) || convert_to(m.key, 'UTF8')
       || pg_temp.varint(p.points) || decode(repeat('00', p.points), 'hex')
       || '\x04'::bytea || pg_temp.varint(p.points) || p.body
  from run_metrics m
  join (select team_id, series_id, count(*)::int as points,
               string_agg(int8send(step) || int8send((extract(epoch from at) * 1000000)::bigint)
                          || float8send(value), ''::bytea order by step, at, value) as body
          from (select team_id, series_id, step, at, value,
                       row_number() over (partition by team_id, series_id order by step, at, value) / 4096 as block
                  from metric_points) numbered
         group by team_id, series_id, block) p on p.team_id = m.team_id and p.series_id = m.series_id
 order by m.team_id, m.run_id;

drop table metric_points;

-- --- summaries ----------------------------------------------------------------------------------

-- They begin anew: folding adds the points that have moved. The experiment is repeated here so that runs
-- are found by a metric's last value within experiments.
alter table run_metrics add column experiment_id uuid;
update run_metrics m
   set experiment_id = r.experiment_id, points = 0, non_finite = 0, first_step = null, last_step = null,
       last_at = null, last_value = null, least = null, greatest = null
  from runs r
 where r.team_id = m.team_id and r.id = m.run_id;
alter table run_metrics alter column experiment_id set not null;
drop index run_metrics_last_index;
create index run_metrics_last_index on run_metrics (team_id, experiment_id, key, last_value, run_id);

alter table metric_chunks add constraint metric_chunks_series foreign key (team_id, series_id)
    references run_metrics (team_id, series_id) on delete cascade;

create function run_metrics_follow() returns trigger
    language plpgsql
as $$
begin
    update run_metrics set experiment_id = new.experiment_id
     where team_id = new.team_id and run_id = new.id;
    return null;
end
$$;

create trigger runs_metrics_follow after update of experiment_id on runs
    for each row when (new.experiment_id <> old.experiment_id) execute function run_metrics_follow();
