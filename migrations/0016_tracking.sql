-- Experiments get a number, a folder, tags and an end; runs of clients beside those of jobs: parent,
-- source, archive; what a run read and made.
-- Changes: experiments, runs, projects gain columns; numbers and "Default" experiments are filled in;
-- creates the rest. Locks: these three tables, for as long as filling in takes.

-- --- experiments ------------------------------------------------------------------------------

-- The number is an experiment's name in MLflow: from 0 in each project, in the order they were made.
-- The counter's row is locked until commit, so two experiments made at once cannot share one.
alter table projects add column next_experiment bigint not null default 1;

alter table experiments
    add column number bigint,
    add column folder text not null default '',
    add column artifact_location text,
    add column archived_at timestamptz,
    add column updated_at timestamptz not null default now();

create function experiment_number() returns trigger
    language plpgsql
as $$
begin
    if new.number is null then
        update projects set next_experiment = next_experiment + 1
         where team_id = new.team_id and id = new.project_id
        returning next_experiment - 1 into new.number;
    end if;
    return new;
end
$$;

create function project_default_experiment() returns trigger
    language plpgsql
as $$
begin
    insert into experiments (id, team_id, project_id, name, number)
    values (gen_random_uuid(), new.team_id, new.id, 'Default', 0);
    return null;
end
$$;

select set_config('app.system', 'on', true);

update experiments e
   set number = n.number, updated_at = e.created_at
  from (select id, row_number() over (partition by team_id, project_id
                                      order by first desc, created_at, id) - has_default as number
          from (select id, team_id, project_id, created_at, name = 'Default' as first,
                       max((name = 'Default')::int) over (partition by team_id, project_id) as has_default
                  from experiments) named) n
 where n.id = e.id;

insert into experiments (id, team_id, project_id, name, number)
select gen_random_uuid(), p.team_id, p.id, 'Default', 0
  from projects p
 where not exists (select from experiments e
                    where e.team_id = p.team_id and e.project_id = p.id and e.number = 0);

update projects p
   set next_experiment = (select max(number) + 1 from experiments e
                           where e.team_id = p.team_id and e.project_id = p.id);

create trigger experiments_number before insert on experiments
    for each row execute function experiment_number();
create trigger projects_default_experiment after insert on projects
    for each row execute function project_default_experiment();

alter table experiments
    alter column number set not null,
    drop constraint experiments_name_length,
    add constraint experiments_name_length check (length(name) between 1 and 500),
    add constraint experiments_number_unique unique (team_id, project_id, number),
    add constraint experiments_folder_form check
        (folder = '' or (length(folder) <= 500 and folder ~ '^[^/[:cntrl:]]+(/[^/[:cntrl:]]+)*$')),
    add constraint experiments_location_form check
        (length(artifact_location) <= 2000 and artifact_location ~ '^mlflow-artifacts:/[^[:cntrl:]]*$');
create index experiments_folder_index on experiments (team_id, project_id, folder);

create table experiment_tags (
    team_id uuid not null,
    experiment_id uuid not null,
    key text not null,
    value text not null,
    constraint experiment_tags_pkey primary key (team_id, experiment_id, key),
    constraint experiment_tags_experiment foreign key (team_id, experiment_id)
        references experiments (team_id, id) on delete cascade,
    constraint experiment_tags_key_length check (length(key) between 1 and 250),
    constraint experiment_tags_value_length check (length(value) <= 5000)
);
call protect_team_table('experiment_tags');
call protect_project_table('experiment_tags',
    'exists (select from experiments e where e.team_id = experiment_tags.team_id and e.id = experiment_id)');

-- --- runs -------------------------------------------------------------------------------------

-- heard_at is when a client last reported, to about ten minutes; it and state are in no index, so that
-- reports and ends are updates within the page (hence also the room left in it).
alter table runs
    add column parent_id uuid,
    add column archived_at timestamptz,
    add column source text not null default 'native',
    add column user_name text,
    add column heard_at timestamptz not null default now(),
    add constraint runs_parent foreign key (team_id, parent_id)
        references runs (team_id, id) on delete set null (parent_id),
    add constraint runs_parent_not_itself check (parent_id <> id),
    add constraint runs_source_length check (length(source) between 1 and 50),
    add constraint runs_user_name_length check (length(user_name) <= 256);
alter table runs set (fillfactor = 80);
create index runs_parent_index on runs (team_id, parent_id) where parent_id is not null;
create index runs_archived_index on runs (team_id, experiment_id) where archived_at is not null;

-- A data set as a client described it. It is not one of ours: nothing here can be read, only compared.
create table logged_datasets (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    experiment_id uuid not null,
    name text not null,
    digest text not null,
    source_type text not null,
    source text not null,
    schema text,
    profile text,
    created_at timestamptz not null default now(),
    constraint logged_datasets_team_id_unique unique (team_id, id),
    constraint logged_datasets_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint logged_datasets_experiment foreign key (team_id, experiment_id)
        references experiments (team_id, id) on delete cascade,
    constraint logged_datasets_name_unique unique (team_id, experiment_id, name, digest),
    constraint logged_datasets_name_length check (length(name) between 1 and 500),
    constraint logged_datasets_digest_length check (length(digest) between 1 and 36),
    constraint logged_datasets_source_type_length check (length(source_type) <= 500),
    constraint logged_datasets_source_length check (length(source) <= 65535),
    constraint logged_datasets_schema_length check (length(schema) <= 1048575),
    constraint logged_datasets_profile_length check (length(profile) <= 16777215)
);
create index logged_datasets_project_index on logged_datasets (team_id, project_id, name);
call protect_team_table('logged_datasets');
call protect_project_table('logged_datasets',
    'exists (select from experiments e where e.team_id = logged_datasets.team_id and e.id = experiment_id)');

-- tags: an object of text; "mlflow.data.context" says what the data set was used for.
create table run_inputs (
    team_id uuid not null,
    run_id uuid not null,
    logged_dataset_id uuid not null,
    tags json not null default '{}',
    constraint run_inputs_pkey primary key (team_id, run_id, logged_dataset_id),
    constraint run_inputs_run foreign key (team_id, run_id) references runs (team_id, id) on delete cascade,
    constraint run_inputs_dataset foreign key (team_id, logged_dataset_id)
        references logged_datasets (team_id, id) on delete cascade
);
create index run_inputs_dataset_index on run_inputs (team_id, logged_dataset_id);
call protect_team_table('run_inputs');
call protect_project_table('run_inputs',
    'exists (select from runs r where r.team_id = run_inputs.team_id and r.id = run_id)');

create table run_model_inputs (
    team_id uuid not null,
    run_id uuid not null,
    logged_model_id uuid not null,
    constraint run_model_inputs_pkey primary key (team_id, run_id, logged_model_id),
    constraint run_model_inputs_run foreign key (team_id, run_id)
        references runs (team_id, id) on delete cascade
);
create index run_model_inputs_model_index on run_model_inputs (team_id, logged_model_id);
call protect_team_table('run_model_inputs');
call protect_project_table('run_model_inputs',
    'exists (select from runs r where r.team_id = run_model_inputs.team_id and r.id = run_id)');

create table run_model_outputs (
    team_id uuid not null,
    run_id uuid not null,
    logged_model_id uuid not null,
    step bigint not null default 0,
    constraint run_model_outputs_pkey primary key (team_id, run_id, logged_model_id),
    constraint run_model_outputs_run foreign key (team_id, run_id)
        references runs (team_id, id) on delete cascade
);
create index run_model_outputs_model_index on run_model_outputs (team_id, logged_model_id);
call protect_team_table('run_model_outputs');
call protect_project_table('run_model_outputs',
    'exists (select from runs r where r.team_id = run_model_outputs.team_id and r.id = run_id)');

-- --- blobs that nobody refers to ----------------------------------------------------------------

grant update (created_at), delete on blobs to slipway_app;

-- Asks every table that has a foreign key to blobs: one that is added later is asked too.
create function blobs_unreferenced(after text, last text, before timestamptz) returns setof text
    language plpgsql stable
as $$
declare
    conditions text;
begin
    select string_agg(format('not exists (select from %s x where x.%I = b.sha256)',
                             c.conrelid::regclass, a.attname), ' and ')
      into conditions
      from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and c.confrelid = 'blobs'::regclass;
    return query execute 'select b.sha256 from blobs b where b.sha256 > $1 and b.sha256 <= $2'
        ' and b.created_at < $3 and ' || conditions using after, last, before;
end
$$;

-- --- logged models and artifacts by path --------------------------------------------------------
-- (run_model_inputs and run_model_outputs refer to logged_models from here on)

-- A model that a client logged: its files are artifacts of its own, beside those of the run it came
-- from. project_id repeats the experiment's, so that one wall and one index serve both.
create table logged_models (
    id uuid primary key,
    team_id uuid not null,
    project_id uuid not null,
    experiment_id uuid not null,
    name text not null,
    model_type text not null default '',
    source_run_id uuid,
    status text not null default 'pending',
    status_message text not null default '',
    created_by text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    archived_at timestamptz,
    constraint logged_models_team_id_unique unique (team_id, id),
    constraint logged_models_project foreign key (team_id, project_id)
        references projects (team_id, id) on delete cascade,
    constraint logged_models_experiment foreign key (team_id, experiment_id)
        references experiments (team_id, id) on delete cascade,
    constraint logged_models_source_run foreign key (team_id, source_run_id)
        references runs (team_id, id) on delete set null (source_run_id),
    constraint logged_models_status_known check (status in ('pending', 'ready', 'failed')),
    constraint logged_models_name_length check (length(name) between 1 and 500),
    constraint logged_models_model_type_length check (length(model_type) <= 500),
    constraint logged_models_status_message_length check (length(status_message) <= 5000)
);
create index logged_models_project_index on logged_models (team_id, project_id, created_at desc, id desc);
create index logged_models_experiment_index on logged_models (team_id, experiment_id, created_at desc, id desc);
create index logged_models_source_run_index on logged_models (team_id, source_run_id);
call protect_team_table('logged_models');
call protect_project_table('logged_models',
    '(project_id <> all ((select hidden_projects())::uuid[])'
    ' and ((select token_projects()) is null or project_id = any ((select token_projects())::uuid[])))');

create table logged_model_params (
    team_id uuid not null,
    model_id uuid not null,
    key text not null,
    value text not null,
    constraint logged_model_params_pkey primary key (team_id, model_id, key),
    constraint logged_model_params_model foreign key (team_id, model_id)
        references logged_models (team_id, id) on delete cascade,
    constraint logged_model_params_key_length check (length(key) between 1 and 250),
    constraint logged_model_params_value_length check (length(value) <= 6000)
);
call protect_team_table('logged_model_params');
call protect_project_table('logged_model_params',
    'exists (select from logged_models m where m.team_id = logged_model_params.team_id and m.id = model_id)');

create table logged_model_tags (
    team_id uuid not null,
    model_id uuid not null,
    key text not null,
    value text not null,
    constraint logged_model_tags_pkey primary key (team_id, model_id, key),
    constraint logged_model_tags_model foreign key (team_id, model_id)
        references logged_models (team_id, id) on delete cascade,
    constraint logged_model_tags_key_length check (length(key) between 1 and 250),
    constraint logged_model_tags_value_length check (length(value) <= 8000)
);
call protect_team_table('logged_model_tags');
call protect_project_table('logged_model_tags',
    'exists (select from logged_models m where m.team_id = logged_model_tags.team_id and m.id = model_id)');

-- What runs measured of a model, on which data set ('' = none was named). A value is in the run's
-- series too; here it stands beside the model, for tables of models.
create table logged_model_metrics (
    team_id uuid not null,
    model_id uuid not null,
    key text not null,
    run_id uuid not null,
    dataset_name text not null default '',
    dataset_digest text not null default '',
    step bigint not null,
    at timestamptz not null,
    value double precision not null,
    constraint logged_model_metrics_pkey primary key
        (team_id, model_id, key, at, step, run_id, dataset_name, dataset_digest),
    constraint logged_model_metrics_model foreign key (team_id, model_id)
        references logged_models (team_id, id) on delete cascade,
    constraint logged_model_metrics_run foreign key (team_id, run_id)
        references runs (team_id, id) on delete cascade,
    constraint logged_model_metrics_key_length check (length(key) between 1 and 250),
    constraint logged_model_metrics_dataset_length check
        (length(dataset_name) <= 500 and length(dataset_digest) <= 36)
);
create index logged_model_metrics_run_index on logged_model_metrics (team_id, run_id);
call protect_team_table('logged_model_metrics');
call protect_project_table('logged_model_metrics',
    'exists (select from logged_models m where m.team_id = logged_model_metrics.team_id and m.id = model_id)');

alter table run_model_inputs add constraint run_model_inputs_model
    foreign key (team_id, logged_model_id) references logged_models (team_id, id) on delete cascade;
alter table run_model_outputs add constraint run_model_outputs_model
    foreign key (team_id, logged_model_id) references logged_models (team_id, id) on delete cascade;

-- A file belongs to a run or to a logged model; owner_id is whichever it is. Names are paths and are
-- ordered by their bytes, so that one level of a directory is read by skipping along the index.
-- uploaded: put there by a client, and counted as storage here; else it is an output of the run's job,
-- which is counted there and which no client may replace.
alter table run_artifacts drop constraint run_artifacts_name_unique;
alter table run_artifacts drop constraint run_artifacts_name_length;
alter table run_artifacts
    alter column run_id drop not null,
    alter column name type text collate "C",
    add column logged_model_id uuid,
    add column uploaded boolean not null default false,
    add column owner_id uuid not null generated always as (coalesce(run_id, logged_model_id)) stored,
    add constraint run_artifacts_of_one check (num_nonnulls(run_id, logged_model_id) = 1),
    add constraint run_artifacts_name_length check (octet_length(name) between 1 and 1024),
    add constraint run_artifacts_name_unique unique (team_id, owner_id, name),
    add constraint run_artifacts_logged_model foreign key (team_id, logged_model_id)
        references logged_models (team_id, id) on delete cascade;
create index run_artifacts_run_index on run_artifacts (team_id, run_id) where run_id is not null;
create index run_artifacts_logged_model_index on run_artifacts (team_id, logged_model_id)
    where logged_model_id is not null;
create index run_artifacts_uploaded_index on run_artifacts (team_id) include (size_bytes) where uploaded;
drop policy project_wall on run_artifacts;
call protect_project_table('run_artifacts',
    'case when run_id is not null'
    ' then exists (select from runs r where r.team_id = run_artifacts.team_id and r.id = run_id)'
    ' else exists (select from logged_models m where m.team_id = run_artifacts.team_id and m.id = logged_model_id)'
    ' end');

create trigger run_artifacts_quota before insert on run_artifacts
    for each row when (new.uploaded) execute function quota_check('storage_bytes');

-- A file that a client sends in parts, in any order. The parts are files of their own until the last
-- call joins them. One row a part whose bytes are durable.
create table multipart_uploads (
    id uuid primary key,
    team_id uuid not null,
    user_id uuid not null,
    run_id uuid,
    logged_model_id uuid,
    name text not null,
    parts integer not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null default now() + interval '24 hours',
    constraint multipart_uploads_team_id_unique unique (team_id, id),
    constraint multipart_uploads_member foreign key (team_id, user_id)
        references members (team_id, user_id) on delete cascade,
    constraint multipart_uploads_run foreign key (team_id, run_id)
        references runs (team_id, id) on delete cascade,
    constraint multipart_uploads_logged_model foreign key (team_id, logged_model_id)
        references logged_models (team_id, id) on delete cascade,
    constraint multipart_uploads_of_one check (num_nonnulls(run_id, logged_model_id) = 1),
    constraint multipart_uploads_name_length check (octet_length(name) between 1 and 1024),
    constraint multipart_uploads_parts_in_range check (parts between 1 and 10000)
);
create index multipart_uploads_member_index on multipart_uploads (team_id, user_id);
create index multipart_uploads_run_index on multipart_uploads (team_id, run_id);
create index multipart_uploads_logged_model_index on multipart_uploads (team_id, logged_model_id);
create index multipart_uploads_expires_index on multipart_uploads (expires_at);
call protect_team_table('multipart_uploads');

create table multipart_parts (
    team_id uuid not null,
    upload_id uuid not null,
    number integer not null,
    sha256 text not null,
    size_bytes bigint not null,
    constraint multipart_parts_pkey primary key (team_id, upload_id, number),
    constraint multipart_parts_upload foreign key (team_id, upload_id)
        references multipart_uploads (team_id, id) on delete cascade,
    constraint multipart_parts_size_not_negative check (size_bytes >= 0)
);
call protect_team_table('multipart_parts');

create or replace function quota_used(team uuid, quota text) returns bigint
    language sql stable
    return case quota
        when 'storage_bytes' then (select coalesce(sum(size_bytes), 0) from uploads where team_id = team)
            + (select coalesce(sum(b.size_bytes), 0) from job_outputs o join blobs b using (sha256)
               where o.team_id = team)
            + (select coalesce(sum(size_bytes), 0) from run_artifacts where team_id = team and uploaded)
            + (select coalesce(sum(size_bytes), 0) from multipart_parts where team_id = team)
        when 'runs' then (select count(*) from runs where team_id = team)
        when 'queued_jobs' then (select count(*) from jobs where team_id = team and state = 'queued')
        when 'tokens' then (select count(*) from api_tokens where team_id = team)
        when 'members' then (select count(*) from members where team_id = team)
        else 0 end;
