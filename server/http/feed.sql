-- name: feed_post :exec
insert into feed (team_id, topic, kind) values ($1::uuid, $2 || ':' || $3, $4);

-- name: feed_post_all :exec
insert into feed (team_id, topic, kind)
select $1::uuid, $2 || ':' || id, $4 from unnest($3::text[]) as u (id);

-- Rows of transactions that began after the oldest one still running may get predecessors yet.
-- name: feed_after :many
select xid::text as xid, seq, topic, kind, at from feed
where team_id = $1::uuid and topic = any ($2::text[])
  and (xid, seq) > ($3::text::xid8, $4::bigint)
  and xid < pg_snapshot_xmin(pg_current_snapshot())
order by xid, seq limit 200;

-- Where a new reader starts: everything that is committed now is in the pages it has just loaded.
-- name: feed_position :one
select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1)::text;

-- name: feed_expire :exec
delete from feed where at < now() - interval '1 hour';
