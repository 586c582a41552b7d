-- The registry as a domain of its own: free names, tags, aliases, stages, versions from any source.
-- Changes: models, model_versions, model_files and endpoints' reader; creates model_tags,
-- model_version_tags and model_aliases. Locks: those tables, briefly.

-- A name is text as people write it. Slashes and colons belong to the addresses that names stand in
-- (models:/name/3), control characters and those that turn the direction of text to nobody. One of two
-- spellings that look the same is refused: names are in Unicode's composed form, without outer blanks.
alter table models drop constraint models_name_form;
alter table models add constraint models_name_length check (char_length(name) between 1 and 256);
alter table models add constraint models_name_composed check (name is nfc normalized);
alter table models add constraint models_name_plain check
    (name !~ '[/:\u0001-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]'
     and name !~ '^\s|\s$' and name not in ('.', '..'));
create index models_name_index on models (team_id, project_id, name collate "C");

create table model_tags (
    team_id uuid not null,
    model_id uuid not null,
    key text not null,
    value text not null,
    constraint model_tags_pkey primary key (team_id, model_id, key),
    constraint model_tags_model foreign key (team_id, model_id)
        references models (team_id, id) on delete cascade,
    constraint model_tags_key_length check (char_length(key) between 1 and 250),
    constraint model_tags_value_length check (char_length(value) <= 100000)
);
call protect_team_table('model_tags');

-- source is kept as it was given; what it meant is in model_files. A deleted version keeps its row, so
-- that its number is seen to have been given, and nothing else: no files, tags, aliases or source.
alter table model_versions add column source text not null default '';
alter table model_versions add column logged_model_id uuid;
alter table model_versions add column run_link text not null default '';
alter table model_versions add column stage text not null default 'none';
alter table model_versions add column status text not null default 'ready';
alter table model_versions add column status_message text not null default '';
alter table model_versions add column updated_at timestamptz not null default now();
alter table model_versions add column deleted_at timestamptz;
update model_versions
   set updated_at = created_at,
       source = coalesce('runs:/' || replace(run_id::text, '-', '') || '/', '');
alter table model_versions alter column signature drop not null;
alter table model_versions alter column input_kind drop not null;
alter table model_versions alter column input_shape drop not null;
alter table model_versions add constraint model_versions_servable_whole check
    ((signature is null) = (input_kind is null) and (input_kind is null) = (input_shape is null));
alter table model_versions add constraint model_versions_stage_known check
    (stage in ('none', 'staging', 'production', 'archived'));
alter table model_versions add constraint model_versions_status_known check
    (status in ('pending', 'ready', 'failed'));
alter table model_versions add constraint model_versions_source_length check (char_length(source) <= 2000);
alter table model_versions add constraint model_versions_run_link_length check
    (char_length(run_link) <= 2000);
alter table model_versions add constraint model_versions_logged_model foreign key (team_id, logged_model_id)
    references logged_models (team_id, id) on delete set null (logged_model_id);
create index model_versions_logged_model_index on model_versions (team_id, logged_model_id);
create index model_versions_updated_index on model_versions (team_id, updated_at desc, id)
    where deleted_at is null;

create table model_version_tags (
    team_id uuid not null,
    version_id uuid not null,
    key text not null,
    value text not null,
    constraint model_version_tags_pkey primary key (team_id, version_id, key),
    constraint model_version_tags_version foreign key (team_id, version_id)
        references model_versions (team_id, id) on delete cascade,
    constraint model_version_tags_key_length check (char_length(key) between 1 and 250),
    constraint model_version_tags_value_length check (char_length(value) <= 100000)
);
call protect_team_table('model_version_tags');

-- The names "latest" and v<number> say something else wherever an alias may stand.
create table model_aliases (
    team_id uuid not null,
    model_id uuid not null,
    alias text not null,
    version bigint not null,
    constraint model_aliases_pkey primary key (team_id, model_id, alias),
    constraint model_aliases_version foreign key (team_id, model_id, version)
        references model_versions (team_id, model_id, version) on delete cascade,
    constraint model_aliases_alias_form check
        (alias ~ '^[A-Za-z0-9_-]{1,255}$' and lower(alias) <> 'latest' and alias !~* '^v[0-9]+$')
);
create index model_aliases_version_index on model_aliases (team_id, model_id, version);
call protect_team_table('model_aliases');

-- Paths, as artifacts have them.
alter table model_files drop constraint model_files_name_length;
alter table model_files add constraint model_files_name_length check (octet_length(name) between 1 and 1024);

-- What stands below a version is hidden with it.
call protect_project_table('model_files',
    'exists (select from model_versions v where v.team_id = model_files.team_id and v.id = version_id)');
call protect_project_table('model_tags',
    'exists (select from models m where m.team_id = model_tags.team_id and m.id = model_id)');
call protect_project_table('model_version_tags',
    'exists (select from model_versions v where v.team_id = model_version_tags.team_id and v.id = version_id)');
call protect_project_table('model_aliases',
    'exists (select from models m where m.team_id = model_aliases.team_id and m.id = model_id)');
