-- Searching. What a search itself reads is composed in search_sql.c and search_page.c.

-- name: search_begin :one
-- Hashing the ids of 100,000 runs needs about 8 MB; compiling a plan costs more than running it.
select set_config('statement_timeout', $1::text, true) || set_config('work_mem', '64MB', true)
    || set_config('jit', 'off', true);

-- name: search_experiments :many
select id from experiments where team_id = $1::uuid and project_id = $2::uuid;
