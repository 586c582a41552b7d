-- The first start, in system mode.

-- name: setup_has_owner :opt
select 1 from members where role = 'owner' and deactivated_at is null limit 1;

-- name: setup_lock :one
select 1 from pg_advisory_xact_lock(hashtextextended('first owner', 0));
