-- The lineage graph. A node's id in the API is "<kind>:<ref_id>".

-- name: lineage_node_create :exec
insert into lineage_nodes (team_id, kind, ref_id, project_id, name)
values ($1::uuid, $2, $3::uuid, $4::uuid, $5)
on conflict on constraint lineage_nodes_pkey do nothing;

-- name: lineage_node_set_state :exec
update lineage_nodes set state = $4 where team_id = $1::uuid and kind = $2 and ref_id = $3::uuid;

-- name: lineage_edge_create :exec
insert into lineage_edges (team_id, from_kind, from_id, to_kind, to_id, relation)
values ($1::uuid, $2, $3::uuid, $4, $5::uuid, $6)
on conflict on constraint lineage_edges_pkey do nothing;

-- Breadth first from one node, along the edges ($4), against them ($5) or both. A node is kept at its
-- least depth. The inner limit bounds the work on graphs far larger than a page can show; the outer
-- one is one more than is shown, so that the caller can say that there is more.
-- name: lineage_walk :many
with recursive walk (kind, ref_id, depth) as (
    select n.kind, n.ref_id, 0 from lineage_nodes n
    where n.team_id = $1::uuid and n.kind = $2 and n.ref_id = $3::uuid
    union
    select next.kind, next.ref_id, w.depth + 1
    from walk w cross join lateral (
        select e.to_kind, e.to_id from lineage_edges e
        where $4::boolean and e.team_id = $1::uuid and e.from_kind = w.kind and e.from_id = w.ref_id
        union all
        select e.from_kind, e.from_id from lineage_edges e
        where $5::boolean and e.team_id = $1::uuid and e.to_kind = w.kind and e.to_id = w.ref_id
    ) as next (kind, ref_id)
    where w.depth < $6::int
), near as (
    select kind, ref_id, min(depth) as depth from (select * from walk limit 20000) w
    group by kind, ref_id
)
select n.kind || ':' || n.ref_id as id, n.kind, n.ref_id, n.name, n.state, n.created_at
from near join lineage_nodes n using (kind, ref_id)
where n.team_id = $1::uuid
order by near.depth, n.created_at, n.ref_id limit $7::int;

-- The edges between the nodes listed, as they are in the API.
-- name: lineage_edges_between :many
select e.from_kind || ':' || e.from_id as from_node, e.to_kind || ':' || e.to_id as to_node,
       e.relation, e.at
from lineage_edges e
where e.team_id = $1::uuid
  and e.from_kind || ':' || e.from_id = any ($2::text[])
  and e.to_kind || ':' || e.to_id = any ($2::text[])
  and (e.from_kind, e.from_id) in (
      select split_part(id, ':', 1), split_part(id, ':', 2)::uuid from unnest($2::text[]) as id)
order by e.at, from_node, to_node limit 5000;
