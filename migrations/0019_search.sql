-- What searches need: parameters and tags are found by their value, or what stands for it where it is
-- too long for an index entry; texts that are numbers compare as numbers.
-- Changes: run_params and run_tags gain value_key, an index and statistics; two functions; an index of
-- runs. Locks: runs, while its index is made; both tables are rewritten.

-- Neither function is declared strict, which would keep PostgreSQL from putting its body in place of a
-- call: 100,000 calls take 300 ms.

-- A text itself when it has at most 64 bytes, else something longer that only equal texts share.
create function search_key(value text) returns text
    language sql immutable parallel safe
    return case when octet_length(value) <= 64 then value else left(value, 64) || md5(value) end;

-- Null where a text is no number. What is admitted cannot be out of float8's range.
create function search_number(value text) returns float8
    language sql immutable parallel safe
    return case when length(value) <= 40 and value ~ '^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?\s*$'
                then value::float8 end;

alter table run_params add column value_key text not null
    generated always as (case when octet_length(value) <= 64 then value
                              else left(value, 64) || md5(value) end) stored;
create index run_params_value_index on run_params (team_id, key, value_key, run_id);
alter table run_tags add column value_key text not null
    generated always as (case when octet_length(value) <= 64 then value
                              else left(value, 64) || md5(value) end) stored;
create index run_tags_value_index on run_tags (team_id, key, value_key, run_id);

-- Values go with keys: without this the planner takes a common pair for a rare one, and looks up
-- thousands of rows one by one.
create statistics run_params_statistics (mcv) on key, value_key from run_params;
create statistics run_tags_statistics (mcv) on key, value_key from run_tags;

-- MLflow's clients are told a start of every run, and get the newest first.
create index runs_started_index on runs
    (team_id, experiment_id, (coalesce(started_at, created_at)) desc);
