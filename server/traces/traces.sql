-- Traces: what was asked of applications, and the spans of their work.

-- name: trace_put :one
-- One that has no time was asked just now.
insert into traces as t (id, team_id, project_id, experiment_id, trace_id, client_request_id, state,
    requested_at, duration_ms, request_preview, response_preview, reported)
values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::text, $6::text, $7::text, coalesce($8::timestamptz, now()), $9::bigint,
    left($10::text, $12::int), left($11::text, $12::int), true)
on conflict on constraint traces_trace_id_unique do update
   set experiment_id = excluded.experiment_id, state = excluded.state, requested_at = excluded.requested_at,
       client_request_id = coalesce(excluded.client_request_id, t.client_request_id),
       duration_ms = coalesce(excluded.duration_ms, t.duration_ms),
       request_preview = coalesce(excluded.request_preview, t.request_preview),
       response_preview = coalesce(excluded.response_preview, t.response_preview), reported = true
returning id;

-- name: traces_seen :many
-- Traces as their spans tell them; in one order, so that two requests do not wait for each other.
insert into traces as t (id, team_id, project_id, experiment_id, trace_id, state, requested_at, duration_ms,
    request_preview, response_preview)
select n.id, $1::uuid, $2::uuid, $3::uuid, n.trace_id, n.state,
       case when n.started_ns < 1000 then now()
            else timestamptz 'epoch' + (n.started_ns / 1000) * interval '1 microsecond' end,
       (n.ended_ns - n.started_ns) / 1000000, left(n.request, $11::int), left(n.response, $11::int)
  from unnest($4::uuid[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::text[], $10::text[])
       as n (id, trace_id, state, started_ns, ended_ns, request, response)
 order by n.trace_id
on conflict on constraint traces_trace_id_unique do update
   set state = case when t.reported or excluded.state = 'in_progress' then t.state else excluded.state end,
       requested_at = case when t.reported then t.requested_at
                           else least(t.requested_at, excluded.requested_at) end,
       duration_ms = case when t.reported then t.duration_ms
                          else greatest(t.duration_ms, excluded.duration_ms) end,
       request_preview = coalesce(t.request_preview, excluded.request_preview),
       response_preview = coalesce(t.response_preview, excluded.response_preview)
returning id, trace_id;

-- name: trace_ids :many
select t.id, t.trace_id from unnest($3::text[]) with ordinality as w (trace_id, place)
  join traces t on t.team_id = $1::uuid and t.project_id = $2::uuid and t.trace_id = w.trace_id
 order by w.place;

-- name: traces_load :many
-- In the order of the ids; $3 cuts the previews.
select t.id, t.project_id, t.experiment_id, e.number as experiment_number, t.trace_id, t.client_request_id,
       t.state, t.requested_at, t.duration_ms, left(t.request_preview, $3::int) as request_preview,
       left(t.response_preview, $3::int) as response_preview,
       (select coalesce(json_object_agg(key, value order by key), '{}') from trace_tags
         where team_id = t.team_id and trace = t.id) as tags,
       (select coalesce(json_object_agg(key, value order by key), '{}') from trace_metadata
         where team_id = t.team_id and trace = t.id) as metadata,
       (select coalesce(json_agg(run_id order by run_id), '[]') from trace_runs
         where team_id = t.team_id and trace = t.id) as runs,
       (select coalesce(json_agg(a.body::json order by a.created_at, a.assessment_id), '[]')
          from trace_assessments a where a.team_id = t.team_id and a.trace = t.id) as assessments,
       (select count(*) from trace_spans where team_id = t.team_id and trace = t.id) as span_count
  from unnest($2::uuid[]) with ordinality as w (id, place)
  join traces t on t.team_id = $1::uuid and t.id = w.id
  join experiments e on e.team_id = t.team_id and e.id = t.experiment_id
 order by w.place;

-- name: trace_put_tags :exec
insert into trace_tags (team_id, trace, key, value)
select $1::uuid, $2::uuid, key, left(value, $5::int) from unnest($3::text[], $4::text[]) as n (key, value)
on conflict on constraint trace_tags_pkey do update set value = excluded.value;

-- name: trace_names_add :exec
-- What traces are called as long as nobody says it.
insert into trace_tags (team_id, trace, key, value)
select $1::uuid, n.trace, 'mlflow.traceName', left(n.name, $4::int)
  from unnest($2::uuid[], $3::text[]) as n (trace, name)
 where n.name is not null
 order by n.trace
on conflict on constraint trace_tags_pkey do nothing;

-- name: trace_delete_tag :exec
delete from trace_tags where team_id = $1::uuid and trace = $2::uuid and key = $3::text;

-- name: trace_put_metadata :exec
insert into trace_metadata (team_id, trace, key, value)
select $1::uuid, $2::uuid, key, left(value, $5::int) from unnest($3::text[], $4::text[]) as n (key, value)
on conflict on constraint trace_metadata_pkey do update set value = excluded.value;

-- name: trace_link_runs :exec
-- Runs of other projects are left out.
insert into trace_runs (team_id, trace, run_id)
select t.team_id, t.id, r.id
  from traces t join runs r on r.team_id = t.team_id and r.project_id = t.project_id and r.id = $3::uuid
 where t.team_id = $1::uuid and t.id = any ($2::uuid[])
 order by t.id
on conflict on constraint trace_runs_pkey do nothing;

-- name: trace_link_prompts :exec
insert into trace_prompts (team_id, trace, name, version)
select $1::uuid, $2::uuid, n.name, n.version from unnest($3::text[], $4::text[]) as n (name, version)
on conflict on constraint trace_prompts_pkey do nothing;

-- name: trace_spans_add :exec
-- Of a span that comes twice the later one counts.
insert into trace_spans (team_id, trace, span_id, parent_id, name, type, status, started_ns, ended_ns, body,
    attributes)
select distinct on (n.trace, n.span_id)
       $1::uuid, n.trace, n.span_id, n.parent_id, n.name, n.type, n.status, n.started_ns, n.ended_ns, n.body,
       n.attributes::jsonb
  from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
              $9::bigint[], $10::text[], $11::text[]) with ordinality
       as n (trace, span_id, parent_id, name, type, status, started_ns, ended_ns, body, attributes, place)
 order by n.trace, n.span_id, n.place desc
on conflict on constraint trace_spans_pkey do update
   set parent_id = excluded.parent_id, name = excluded.name, type = excluded.type, status = excluded.status,
       started_ns = excluded.started_ns, ended_ns = excluded.ended_ns, body = excluded.body,
       attributes = excluded.attributes;

-- name: trace_spans_size :one
-- The most spans and bytes that one of these traces has, and the bytes of all.
select coalesce(max(n), 0) as spans, coalesce(max(bytes), 0)::bigint as largest,
       coalesce(sum(bytes), 0)::bigint as total
  from (select count(*) as n, sum(octet_length(body)) as bytes from trace_spans
         where team_id = $1::uuid and trace = any ($2::uuid[]) group by trace) counted;

-- name: trace_spans_of :many
-- $3 false = without their bodies.
select trace, span_id, parent_id, name, type, status, started_ns, ended_ns,
       case when $3::boolean then body end as body
  from trace_spans
 where team_id = $1::uuid and trace = any ($2::uuid[])
 order by trace, started_ns, span_id;

-- name: trace_span_of :opt
-- Without its body beyond $4 bytes.
select trace, span_id, parent_id, name, type, status, started_ns, ended_ns,
       case when octet_length(body) <= $4::bigint then body end as body
  from trace_spans
 where team_id = $1::uuid and trace = $2::uuid and span_id = $3::text;

-- name: traces_remove :exec
delete from traces where team_id = $1::uuid and id = any ($2::uuid[]);

-- name: traces_delete_ids :exec
delete from traces
 where team_id = $1::uuid and project_id = $2::uuid and experiment_id = $3::uuid and trace_id = any ($4::text[]);

-- name: traces_delete_before :exec
-- $5 null = all of them.
delete from traces where team_id = $1::uuid and id in (
    select id from traces
     where team_id = $1::uuid and project_id = $2::uuid and experiment_id = $3::uuid
       and requested_at <= $4::timestamptz
     order by requested_at, id limit $5::bigint);

-- name: assessment_put :exec
insert into trace_assessments as a (team_id, trace, assessment_id, kind, name, value, overrides, body)
values ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text)
on conflict on constraint trace_assessments_pkey do update
   set kind = excluded.kind, name = excluded.name, value = excluded.value, overrides = excluded.overrides,
       body = excluded.body, updated_at = now();

-- name: assessments_count :one
select count(*) as n from trace_assessments where team_id = $1::uuid and trace = $2::uuid;

-- name: assessment_find :opt
select body from trace_assessments
 where team_id = $1::uuid and trace = $2::uuid and assessment_id = $3::text;

-- name: assessment_validate :exec
-- Says whether it is valid: $4 is a JSON boolean.
update trace_assessments
   set body = (body::jsonb || jsonb_build_object('valid', $4::boolean))::text
 where team_id = $1::uuid and trace = $2::uuid and assessment_id = $3::text;

-- name: assessment_delete :opt
delete from trace_assessments
 where team_id = $1::uuid and trace = $2::uuid and assessment_id = $3::text
returning coalesce(overrides, '') as overrides;
