-- One row takes the key for the transaction that works; others with the same key wait here for its
-- end and then find the stored reply. A row older than a day counts as absent.
-- name: idempotency_take :opt
insert into idempotency_keys (team_id, principal, route, key, request_hash)
values ($1::uuid, $2, $3, $4, $5)
on conflict on constraint idempotency_keys_pk do update
    set request_hash = excluded.request_hash, status = null, body = null, location = null,
        created_at = now()
    where idempotency_keys.created_at < now() - interval '24 hours'
returning true as taken;

-- name: idempotency_get :one
select request_hash, status, location, body from idempotency_keys
where team_id = $1::uuid and principal = $2 and route = $3 and key = $4;

-- name: idempotency_store :exec
update idempotency_keys set status = $5::int, location = $6, body = $7
where team_id = $1::uuid and principal = $2 and route = $3 and key = $4;

-- name: idempotency_expire :exec
delete from idempotency_keys where created_at < now() - interval '24 hours';
