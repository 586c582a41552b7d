-- Metrics: their points, and the summary of each series.

-- name: metric_history :many
select m.key, p.step, (extract(epoch from p.at) * 1000000)::bigint as at_us, p.value
  from run_metrics m
  join metric_points p on p.team_id = m.team_id and p.series_id = m.series_id
 where m.team_id = $1::uuid and m.run_id = $2::uuid and m.key = $3::text
 order by p.at, p.step, p.value
 offset $4::bigint limit $5::bigint;

-- name: metric_lasts :many
select m.run_id, m.key, m.last_step as step, (extract(epoch from m.last_at) * 1000000)::bigint as at_us,
       m.last_value as value
  from run_metrics m
 where m.team_id = $1::uuid and m.run_id = any ($2::uuid[]) and m.points > 0
 order by m.run_id, m.key;
