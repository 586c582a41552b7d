-- Versions and logged models whose run or files are another server's: MLflow's clients register those too.
-- Changes: model_versions gains run_ref and location, logged_models source_run_ref. Locks: both, for a moment.

-- run_ref: the run's id as it was given, when it is none that could be here. location: the address of the
-- files in another store, which nobody here asks; empty = the files are here, or there are none.
alter table model_versions add column run_ref text not null default '';
alter table model_versions add column location text not null default '';
alter table model_versions add constraint model_versions_run_ref_length check (char_length(run_ref) <= 256);
alter table model_versions add constraint model_versions_location_length check (char_length(location) <= 8000);
alter table model_versions add constraint model_versions_run_once check (run_id is null or run_ref = '');

-- The same of a logged model's run.
alter table logged_models add column source_run_ref text not null default '';
alter table logged_models add constraint logged_models_source_run_ref_length
    check (char_length(source_run_ref) <= 256);
alter table logged_models add constraint logged_models_source_run_once
    check (source_run_id is null or source_run_ref = '');
