-- Most runs are opened by clients and have neither a job nor a data set's version: they need no place
-- in the indexes of those, which serve foreign keys.
-- Changes: two indexes of runs become partial. Locks: runs, while they are made.

drop index runs_job_index;
create index runs_job_index on runs (team_id, job_id) where job_id is not null;
drop index runs_dataset_version_index;
create index runs_dataset_version_index on runs (team_id, dataset_version_id) where dataset_version_id is not null;
