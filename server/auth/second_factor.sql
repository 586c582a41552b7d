-- Second factors, in system mode: they are asked for before anybody is signed in.

-- name: factor_find :opt
select secret_sealed, confirmed_at is not null as confirmed
from second_factors where user_id = $1::uuid;

-- A factor that was never confirmed gives way to the next try to set one up.
-- name: factor_create :exec
insert into second_factors (user_id, secret_sealed) values ($1::uuid, $2)
on conflict (user_id) do update set secret_sealed = $2, last_step = 0, created_at = now()
where second_factors.confirmed_at is null;

-- name: factor_confirm :exec
update second_factors set confirmed_at = now() where user_id = $1::uuid and confirmed_at is null;

-- Of any number of callers with the same code one gets the row.
-- name: factor_take_step :opt
update second_factors set last_step = $2::bigint
where user_id = $1::uuid and last_step < $2::bigint
returning user_id;

-- name: factor_delete :exec
delete from second_factors where user_id = $1::uuid;

-- name: recovery_create :exec
insert into recovery_codes (user_id, code_sha256) select $1::uuid, unnest($2::text[]);

-- name: recovery_delete :exec
delete from recovery_codes where user_id = $1::uuid;

-- name: recovery_take :opt
update recovery_codes set used_at = now()
where user_id = $1::uuid and code_sha256 = $2 and used_at is null
returning user_id;
