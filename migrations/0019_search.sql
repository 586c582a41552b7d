-- What searches need: parameters and tags are found by the hash of their value, because a value may
-- be longer than an index entry; texts that are numbers compare as numbers.
-- Changes: run_params and run_tags gain value_hash and an index; search_number(). Locks: both tables
-- are rewritten.

alter table run_params add column value_hash bigint not null
    generated always as (hashtextextended(value, 0)) stored;
create index run_params_value_index on run_params (team_id, key, value_hash, run_id);

alter table run_tags add column value_hash bigint not null
    generated always as (hashtextextended(value, 0)) stored;
create index run_tags_value_index on run_tags (team_id, key, value_hash, run_id);

-- Null where a text is no number. What is admitted cannot be out of float8's range.
create function search_number(value text) returns float8
    language sql immutable strict parallel safe
    return case when length(value) <= 40 and value ~ '^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,2})?\s*$'
                then value::float8 end;
