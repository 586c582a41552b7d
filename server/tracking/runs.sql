-- Runs: opening, reporting, ending. What a client repeats thousands of times is one statement each.

-- name: run_create :exec
insert into runs (id, team_id, project_id, experiment_id, name, dataset_version_id, created_by, spec)
values ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5::text, $6::uuid, $7::text, $8::json);

-- name: run_params_add :exec
insert into run_params (team_id, run_id, key, value)
select $1::uuid, $2::uuid, key, value from unnest($3::text[], $4::text[]) as p (key, value);

-- name: run_attach_job :exec
update runs set job_id = $3::uuid where team_id = $1::uuid and id = $2::uuid;

-- name: run_open :opt
-- One round trip for the run, its tags, its node and its row in the feed: opening one is the first
-- thing every script waits for. None comes back when the experiment is not in the project or is
-- archived. A parent is looked up before, and parameters, which few are opened with, come after: each
-- table a statement names costs it the start of that table's walls.
with e as materialized (
    select team_id, project_id, id, name, number from experiments
     where team_id = $2::uuid and project_id = $3::uuid and id = $4::uuid and archived_at is null
), made as (
    insert into runs (id, team_id, project_id, experiment_id, name, state, started_at, finished_at,
                      created_by, user_name, source, parent_id)
    select $1::uuid, e.team_id, e.project_id, e.id, $5::text, $6::text,
           case when $6::text <> 'queued' then coalesce($7::timestamptz, now()) else $7::timestamptz end,
           case when $6::text in ('succeeded', 'failed', 'cancelled') then now() end,
           $8::text, $9::text, $10::text, $11::uuid
      from e
    returning team_id, id, project_id, name, state, created_at, started_at, finished_at
), tagged as (
    insert into run_tags (team_id, run_id, key, value)
    select made.team_id, made.id, t.key, t.value
      from made cross join unnest($12::text[], $13::text[]) as t (key, value)
), node as (
    insert into lineage_nodes (team_id, kind, ref_id, project_id, name, state)
    select team_id, 'run', id, project_id, name, state from made
), told as (
    insert into feed (team_id, topic, kind)
    select team_id, 'project:' || project_id, 'created' from made
)
select made.created_at, made.started_at, made.finished_at, e.name as experiment_name,
       e.number as experiment_number
  from made cross join e;

-- name: run_get :opt
-- With what it logged only if $4 asks for it: that may be thousands of texts.
select r.id, r.project_id, r.experiment_id, e.name as experiment_name, e.number as experiment_number,
       r.name, r.state, r.parent_id, r.source, r.user_name, r.archived_at, r.job_id,
       r.dataset_version_id, d.name as dataset_name, v.version as dataset_version, r.created_at,
       r.started_at, r.finished_at, r.created_by, r.notes,
       (select coalesce(json_object_agg(t.key, t.value order by t.key), '{}') from run_tags t
         where $4::boolean and t.team_id = r.team_id and t.run_id = r.id) as tags,
       (select coalesce(json_object_agg(p.key, p.value order by p.key), '{}') from run_params p
         where $4::boolean and p.team_id = r.team_id and p.run_id = r.id) as params,
       (select coalesce(json_object_agg(m.key, m.last_value), '{}')
          from (select key, last_value from run_metrics
                 where $4::boolean and team_id = r.team_id and run_id = r.id and last_at is not null
                 order by key limit 1000) m) as metrics,
       coalesce(j.progress, 0) as progress, coalesce(j.message, '') as message, j.eta_s, r.device,
       r.evaluation, r.spec
  from runs r
  join experiments e on e.team_id = r.team_id and e.id = r.experiment_id
  left join dataset_versions v on v.team_id = r.team_id and v.id = r.dataset_version_id
  left join datasets d on d.team_id = v.team_id and d.id = v.dataset_id
  left join jobs j on j.team_id = r.team_id and j.id = r.job_id
 where r.team_id = $1::uuid and r.id = $2::uuid and ($3::uuid is null or r.project_id = $3::uuid);

-- name: run_children :many
select id from runs
 where team_id = $1::uuid and parent_id = $2::uuid and archived_at is null
   and ($3::uuid is null or id < $3::uuid)
 order by id desc
 limit $4::bigint;

-- name: run_require :opt
select id from runs where team_id = $1::uuid and id = $2::uuid and ($3::uuid is null or project_id = $3::uuid);

-- name: run_note :exec
update runs set notes = $3::text where team_id = $1::uuid and id = $2::uuid;

-- name: run_tags_clear :exec
delete from run_tags where team_id = $1::uuid and run_id = $2::uuid;

-- name: run_set_state :exec
-- A run that is queued again keeps nothing of its failed end.
update runs
   set state = $3::text,
       started_at = case when $3::text = 'running' then coalesce(started_at, now()) else started_at end,
       finished_at = case when $3::text in ('succeeded', 'failed', 'cancelled') then now() end
 where team_id = $1::uuid and id = $2::uuid and state = any ($4::text[]);

-- name: run_set_outcome :exec
update runs set evaluation = $3::json, device = $4::text where team_id = $1::uuid and id = $2::uuid;

-- name: run_change :opt
-- $3 the state, $4 when it ended, $5 the name; null leaves them as they are.
with changed as (
    update runs
       set state = coalesce($3::text, state),
           started_at = case when $3::text = 'running' then coalesce(started_at, now()) else started_at end,
           finished_at = case when coalesce($3::text, state) in ('succeeded', 'failed', 'cancelled')
               then coalesce($4::timestamptz,
                             case when state = coalesce($3::text, state) then finished_at end, now()) end,
           name = coalesce($5::text, name),
           heard_at = case when $3::text is null then heard_at else now() end
     where team_id = $1::uuid and id = $2::uuid and archived_at is null
       and (job_id is null or $3::text is null)
    returning team_id, id, name, state
), tagged as (
    update run_tags t set value = c.name from changed c
     where t.team_id = c.team_id and t.run_id = c.id and t.key = 'mlflow.runName' and t.value <> c.name
), node as (
    update lineage_nodes n set name = c.name, state = c.state from changed c
     where n.team_id = c.team_id and n.kind = 'run' and n.ref_id = c.id
       and (n.name, n.state) is distinct from (c.name, c.state)
), told as (
    insert into feed (team_id, topic, kind) select team_id, 'run:' || id, 'state' from changed
)
select id from changed;

-- name: run_params_log :opt
-- A parameter that is there already is "updated" to what it is, so that its value comes back even when
-- another transaction has just written it. Ordered, so that two batches wait for each other one way.
with run as (
    select team_id, id, archived_at from runs where team_id = $1::uuid and id = $2::uuid
), given as (
    select key, value from unnest($3::text[], $4::text[]) as g (key, value)
), stored as (
    insert into run_params (team_id, run_id, key, value)
    select run.team_id, run.id, g.key, g.value from run cross join given g
     where run.archived_at is null
     order by g.key
    on conflict on constraint run_params_pkey do update set value = run_params.value
    returning key, value
), heard as (
    update runs r
       set heard_at = now(), state = case r.state when 'lost_contact' then 'running' else r.state end
      from run
     where r.team_id = run.team_id and r.id = run.id and r.archived_at is null and r.job_id is null
       and (r.heard_at < now() - interval '10 minutes' or r.state = 'lost_contact')
)
select run.archived_at is not null as archived, clash.key, clash.old
  from run left join lateral (
      select g.key, s.value as old from stored s join given g on g.key = s.key and g.value <> s.value
       order by g.key limit 1) clash on true;

-- name: run_tags_put :opt
-- $5 what mlflow.runName was set to, $6 whether mlflow.parentRunId was set, $7 to which run.
with run as (
    select team_id, id, project_id, archived_at from runs where team_id = $1::uuid and id = $2::uuid
), stored as (
    insert into run_tags (team_id, run_id, key, value)
    select run.team_id, run.id, g.key, g.value
      from run cross join unnest($3::text[], $4::text[]) as g (key, value)
     where run.archived_at is null
     order by g.key
    on conflict on constraint run_tags_pkey do update set value = excluded.value
), changed as (
    update runs r
       set name = coalesce($5::text, r.name),
           parent_id = case when $6::boolean
               then (select p.id from runs p where p.team_id = r.team_id and p.project_id = r.project_id
                        and p.id = $7::uuid and p.id <> r.id)
               else r.parent_id end,
           heard_at = now(),
           state = case when r.state = 'lost_contact' and r.job_id is null then 'running' else r.state end
      from run
     where r.team_id = run.team_id and r.id = run.id and r.archived_at is null
       and ($5::text is not null or $6::boolean or (r.job_id is null
            and (r.heard_at < now() - interval '10 minutes' or r.state = 'lost_contact')))
)
select run.archived_at is not null as archived from run;

-- name: run_tag_delete :opt
with run as (
    select team_id, id, archived_at from runs where team_id = $1::uuid and id = $2::uuid
), gone as (
    delete from run_tags t using run
     where t.team_id = run.team_id and t.run_id = run.id and t.key = $3::text and run.archived_at is null
    returning t.key
)
select run.archived_at is not null as archived, exists (select from gone) as found from run;

-- name: run_inputs_add :opt
-- What was made by another transaction since this statement began is neither made nor seen: linked is
-- then less than given, and the caller asks again.
with run as (
    select team_id, id, project_id, experiment_id, archived_at from runs
     where team_id = $1::uuid and id = $2::uuid
), given as (
    select distinct on (name, digest) id, name, digest, source_type, source, schema, profile, tags
      from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                  $10::text[]) as g (id, name, digest, source_type, source, schema, profile, tags)
), made as (
    insert into logged_datasets (id, team_id, project_id, experiment_id, name, digest, source_type,
                                 source, schema, profile)
    select g.id, run.team_id, run.project_id, run.experiment_id, g.name, g.digest, g.source_type,
           g.source, g.schema, g.profile
      from run cross join given g
     where run.archived_at is null
       and not exists (select from logged_datasets d
                        where d.team_id = run.team_id and d.experiment_id = run.experiment_id
                          and d.name = g.name and d.digest = g.digest)
     order by g.name, g.digest
    on conflict on constraint logged_datasets_name_unique do nothing
    returning id, name, digest
), known as (
    select id, name, digest from made
    union all
    select d.id, d.name, d.digest
      from run join logged_datasets d on d.team_id = run.team_id and d.experiment_id = run.experiment_id
      join given g on g.name = d.name and g.digest = d.digest
), linked as (
    insert into run_inputs (team_id, run_id, logged_dataset_id, tags)
    select run.team_id, run.id, k.id, g.tags::json
      from run cross join known k join given g on g.name = k.name and g.digest = k.digest
     where run.archived_at is null
    on conflict on constraint run_inputs_pkey do nothing
)
select run.archived_at is not null as archived, (select count(*) from given) as given,
       (select count(*) from known) as linked
  from run;

-- name: run_model_inputs_add :opt
with run as (
    select team_id, id, archived_at from runs where team_id = $1::uuid and id = $2::uuid
), linked as (
    insert into run_model_inputs (team_id, run_id, logged_model_id)
    select run.team_id, run.id, m.id from run cross join unnest($3::uuid[]) as m (id)
     where run.archived_at is null
    on conflict on constraint run_model_inputs_pkey do nothing
)
select run.archived_at is not null as archived from run;

-- name: run_model_outputs_add :opt
with run as (
    select team_id, id, archived_at from runs where team_id = $1::uuid and id = $2::uuid
), linked as (
    insert into run_model_outputs (team_id, run_id, logged_model_id, step)
    select run.team_id, run.id, m.id, m.step
      from run cross join unnest($3::uuid[], $4::bigint[]) as m (id, step)
     where run.archived_at is null
    on conflict on constraint run_model_outputs_pkey do nothing
)
select run.archived_at is not null as archived from run;

-- name: run_inputs_list :many
-- Without the profiles: one may have 16 MB.
select d.name, d.digest, d.source_type, d.source, d.schema, i.tags
  from run_inputs i join logged_datasets d on d.team_id = i.team_id and d.id = i.logged_dataset_id
 where i.team_id = $1::uuid and i.run_id = $2::uuid
 order by d.name, d.digest
 limit 1000;

-- name: run_models_list :many
select m.id, m.name, l.made, l.step
  from (select logged_model_id, false as made, 0 as step from run_model_inputs
         where team_id = $1::uuid and run_id = $2::uuid
        union all
        select logged_model_id, true, step from run_model_outputs
         where team_id = $1::uuid and run_id = $2::uuid) l
  join logged_models m on m.team_id = $1::uuid and m.id = l.logged_model_id
 order by l.made, m.name, m.id
 limit 1000;

-- name: runs_archive :exec
update runs set archived_at = now()
 where team_id = $1::uuid and id = any ($2::uuid[]) and archived_at is null;

-- name: runs_restore :exec
-- Not those of an experiment that is archived itself.
update runs r set archived_at = null, heard_at = now()
  from experiments e
 where r.team_id = $1::uuid and r.id = any ($2::uuid[]) and r.archived_at is not null
   and e.team_id = r.team_id and e.id = r.experiment_id and e.archived_at is null;

-- name: runs_delete :one
-- With the nodes of the runs and their files; everything else goes by the schema.
with gone as (
    delete from runs r
     where r.team_id = $1::uuid and r.id = any ($2::uuid[]) and r.archived_at is not null
       and not exists (select from jobs j where j.team_id = r.team_id and j.id = r.job_id
                          and j.finished_at is null)
    returning r.team_id, r.id
), nodes as (
    delete from lineage_nodes n using gone
     where n.team_id = gone.team_id and n.kind = 'run' and n.ref_id = gone.id
), file_nodes as (
    delete from lineage_nodes n
     using gone join run_artifacts a on a.team_id = gone.team_id and a.run_id = gone.id
     where n.team_id = a.team_id and n.kind = 'artifact' and n.ref_id = a.id
)
select count(*) from gone;

-- name: runs_heard :exec
with heard as (
    update runs
       set heard_at = now(), state = case state when 'lost_contact' then 'running' else state end
     where team_id = $1::uuid and id = any ($2::uuid[]) and job_id is null and archived_at is null
       and (heard_at < now() - interval '10 minutes' or state = 'lost_contact')
    returning team_id, id, state
)
update lineage_nodes n set state = h.state from heard h
 where n.team_id = h.team_id and n.kind = 'run' and n.ref_id = h.id and n.state is distinct from h.state;

-- name: runs_lose :exec
-- Of every team. state is in no index for the sake of the runs' ends: this reads the table, once a
-- minute.
with lost as (
    update runs set state = 'lost_contact'
     where state = 'running' and job_id is null and archived_at is null
       and heard_at < now() - $1::bigint * interval '1 hour'
    returning team_id, id
), nodes as (
    update lineage_nodes n set state = 'lost_contact' from lost
     where n.team_id = lost.team_id and n.kind = 'run' and n.ref_id = lost.id
)
insert into feed (team_id, topic, kind) select team_id, 'run:' || id, 'state' from lost;

-- --- many at once

-- name: runs_lock :many
select id, name, archived_at from runs
 where team_id = $1::uuid and project_id = $2::uuid and id = any ($3::uuid[])
 order by id
   for no key update;

-- name: runs_missing :opt
select g.id from unnest($3::uuid[]) as g (id)
 where not exists (select from runs r
                    where r.team_id = $1::uuid and r.project_id = $2::uuid and r.id = g.id)
 limit 1;

-- name: runs_tag :exec
insert into run_tags (team_id, run_id, key, value)
select $1::uuid, g.id, $3::text, $4::text from (select distinct unnest($2::uuid[]) as id) g
on conflict on constraint run_tags_pkey do update set value = excluded.value
 where run_tags.value <> excluded.value;

-- name: runs_untag :exec
delete from run_tags where team_id = $1::uuid and run_id = any ($2::uuid[]) and key = $3::text;

-- name: runs_move :exec
update runs set experiment_id = $3::uuid
 where team_id = $1::uuid and id = any ($2::uuid[]) and experiment_id <> $3::uuid;

-- name: runs_move_inputs :exec
-- A data set belongs to an experiment: the runs' ones are known to the new one too.
with used as (
    select distinct d.id, d.project_id, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
      from run_inputs i
      join logged_datasets d on d.team_id = i.team_id and d.id = i.logged_dataset_id
     where i.team_id = $1::uuid and i.run_id = any ($2::uuid[]) and d.experiment_id <> $3::uuid
), made as (
    insert into logged_datasets (id, team_id, project_id, experiment_id, name, digest, source_type,
                                 source, schema, profile)
    select distinct on (name, digest) gen_random_uuid(), $1::uuid, project_id, $3::uuid, name, digest,
           source_type, source, schema, profile
      from used
     order by name, digest, id
    on conflict on constraint logged_datasets_name_unique do update set name = excluded.name
    returning id, name, digest
), linked as (
    insert into run_inputs (team_id, run_id, logged_dataset_id, tags)
    select i.team_id, i.run_id, m.id, i.tags
      from run_inputs i join used u on u.id = i.logged_dataset_id
      join made m on m.name = u.name and m.digest = u.digest
     where i.team_id = $1::uuid and i.run_id = any ($2::uuid[])
    on conflict on constraint run_inputs_pkey do nothing
)
delete from run_inputs i using used u
 where i.team_id = $1::uuid and i.run_id = any ($2::uuid[]) and i.logged_dataset_id = u.id;

-- name: export_keys :many
-- What these runs logged: 0 parameters, 1 metrics, 2 tags.
select kind, key from (
    select distinct 0 as kind, key from run_params where team_id = $1::uuid and run_id = any ($2::uuid[])
    union all
    select distinct 1, key from run_metrics
     where team_id = $1::uuid and run_id = any ($2::uuid[]) and last_at is not null
    union all
    select distinct 2, key from run_tags where team_id = $1::uuid and run_id = any ($2::uuid[])) k
 order by kind, key
 limit $3::bigint;
