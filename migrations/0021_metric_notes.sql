-- Last values of a run do not wait until its points are packed: a batch of the inbox is noted first, which
-- brings the summaries up to date from its digest, and folded later.
-- Changes: metric_inbox gains digest, noted and an index, and keeps its pages. Locks: metric_inbox, for a moment; its rows are
-- not rewritten. A server of the version before leaves both columns as they are by default: its batches are
-- noted from their bodies.

-- digest: those of the batch's points that are a series' first, last, least or greatest, in the same form;
-- null where the body is not much longer. noted: the summaries have what the batch brings.
alter table metric_inbox add column digest bytea;
alter table metric_inbox add column noted boolean not null default false;
alter table metric_inbox alter column digest set storage external;
create index metric_inbox_fresh_index on metric_inbox (team_id, run_id, id) where not noted;

-- The planner reads a table of no pages whole rather than by an index, and keeps to that plan while the
-- inbox grows: an emptied one must not look as if it had never had any.
alter table metric_inbox set (vacuum_truncate = off);
