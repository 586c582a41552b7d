-- Whether the holder of a job's lease was ever heard of: a lease handed to a worker that had just
-- been killed counts no attempt. Locks: jobs, for a moment; no rewrite.

alter table jobs add column contacted boolean not null default true;
