-- When did a team's turn last come: the claim asks for each team that waits.
-- Changes: one index. Locks: jobs against writes while it is built.

create index jobs_turn_index on jobs (team_id, started_at desc nulls last);
