-- The one table this folder reads itself: which project a request without a name of one means.
-- name: mlflow_project_find :opt
select id from projects
where team_id = $1::uuid and ($2::text is null or slug = $2)
order by slug <> 'default', created_at, id limit 1;
