-- Issues that were found in traces.

-- name: issue_create :exec
insert into issues (id, team_id, project_id, experiment_id, name, description, status, severity, root_causes,
                    categories, source_run, created_by)
values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::text, $6::text, $7::text, $8::text,
        coalesce($9::json, '[]'), coalesce($10::json, '[]'), coalesce($11::text, ''), $12::text);

-- name: issues_load :many
-- In the order of the ids; a trace has an issue by an assessment that is named like it.
select i.id, i.experiment_id, e.number as experiment_number, i.name, i.description, i.status, i.severity,
       i.root_causes, i.categories, i.source_run, i.created_by, i.created_at, i.updated_at,
       case when $4::boolean then (
           select count(distinct a.trace) from trace_assessments a
             join traces t on t.team_id = a.team_id and t.id = a.trace and t.project_id = i.project_id
            where a.team_id = i.team_id and a.kind = 'issue'
              and a.name = 'iss-' || replace(i.id::text, '-', '')) end as traces
  from unnest($2::uuid[]) with ordinality as w (id, place)
  join issues i on i.team_id = $1::uuid and i.project_id = $3::uuid and i.id = w.id
  join experiments e on e.team_id = i.team_id and e.id = i.experiment_id
 order by w.place;

-- name: issue_change :exec
update issues
   set name = coalesce($4::text, name), description = coalesce($5::text, description),
       status = coalesce($6::text, status), severity = coalesce($7::text, severity), updated_at = now()
 where team_id = $1::uuid and project_id = $2::uuid and id = $3::uuid;
