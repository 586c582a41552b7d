/* The lineage graph: writing nodes and edges, and walking them; see lineage.h.
 *
 * Nothing here deletes: nodes go with their project, edges with their nodes. */

#include "lineage/lineage.h"

#include "base/ident.h"
#include "db/db.h"
#include "sql/lineage.h"

#include <string.h>

enum { DEPTH_MAX = 20, NODES_MAX = 500 };

static const char *const NODE_KIND_NAMES[] = {"dataset_version", "job",           "run",
                                              "artifact",        "model_version", "endpoint"};
#define NODE_KIND_COUNT (sizeof(NODE_KIND_NAMES) / sizeof(NODE_KIND_NAMES[0]))

enum err lineage_node(struct ctx *cx, enum node_kind kind, const char *id, const char *project_id,
                      const char *name) {
    return db_exec(cx, &SQL_lineage_node_create,
                   ARGS(cx->who.team_id, NODE_KIND_NAMES[kind], id, project_id, name), NULL);
}

enum err lineage_node_state(struct ctx *cx, enum node_kind kind, const char *id,
                            const char *state) {
    return db_exec(cx, &SQL_lineage_node_set_state,
                   ARGS(cx->who.team_id, NODE_KIND_NAMES[kind], id, state), NULL);
}

enum err lineage_edge(struct ctx *cx, enum node_kind from_kind, const char *from_id,
                      enum node_kind to_kind, const char *to_id, const char *relation) {
    return db_exec(cx, &SQL_lineage_edge_create,
                   ARGS(cx->who.team_id, NODE_KIND_NAMES[from_kind], from_id,
                        NODE_KIND_NAMES[to_kind], to_id, relation),
                   NULL);
}

/* --- the graph as people see it --- */

struct lineage_node {
    const char *id, *kind, *ref_id, *name, *state;
    int64_t created_at;
};

static const struct field NODE_FIELDS[] = {
    FIELD(STRING, struct lineage_node, id, .doc = "kind:ref_id"),
    FIELD(STRING, struct lineage_node, kind,
          .doc = "dataset_version, job, run, artifact, model_version or endpoint"),
    FIELD(UUID, struct lineage_node, ref_id),
    FIELD(STRING, struct lineage_node, name),
    FIELD(STRING, struct lineage_node, state, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct lineage_node, created_at),
};
static SHAPE(LINEAGE_NODE, "LineageNode", struct lineage_node, NODE_FIELDS);

struct lineage_edge {
    const char *from_node, *to_node, *relation;
    int64_t at;
};

/* Columns cannot be called "from" and "to"; the members are. */
static const struct field EDGE_ROW_FIELDS[] = {
    FIELD(STRING, struct lineage_edge, from_node),
    FIELD(STRING, struct lineage_edge, to_node),
    FIELD(STRING, struct lineage_edge, relation),
    FIELD(TIME, struct lineage_edge, at),
};
static SHAPE(EDGE_ROW, "LineageEdgeRow", struct lineage_edge, EDGE_ROW_FIELDS);

static const struct field EDGE_FIELDS[] = {
    {.name = "from",
     .type = FIELD_TYPE_STRING,
     .offset = offsetof(struct lineage_edge, from_node),
     .doc = "what was used"},
    {.name = "to",
     .type = FIELD_TYPE_STRING,
     .offset = offsetof(struct lineage_edge, to_node),
     .doc = "what came of it"},
    FIELD(STRING, struct lineage_edge, relation),
    FIELD(TIME, struct lineage_edge, at),
};
static SHAPE(LINEAGE_EDGE, "LineageEdge", struct lineage_edge, EDGE_FIELDS);

struct lineage_graph {
    const char *root;
    struct list nodes, edges;
    bool truncated;
};

static const struct field GRAPH_FIELDS[] = {
    FIELD(STRING, struct lineage_graph, root),
    FIELD(LIST, struct lineage_graph, nodes, .nested = &LINEAGE_NODE, .max = NODES_MAX),
    FIELD(LIST, struct lineage_graph, edges, .nested = &LINEAGE_EDGE),
    FIELD(BOOL, struct lineage_graph, truncated, .doc = "there is more than is shown"),
};
static SHAPE(LINEAGE_GRAPH, "LineageGraph", struct lineage_graph, GRAPH_FIELDS);

enum direction { DIRECTION_BOTH, DIRECTION_UP, DIRECTION_DOWN };
static const char *const DIRECTION_NAMES[] = {"both", "up", "down", NULL};

struct lineage_query {
    const char *node;
    int direction;
    int64_t depth;
};

static const struct field LINEAGE_QUERY_FIELDS[] = {
    FIELD(STRING, struct lineage_query, node, .flags = FIELD_REQUIRED, .max = 64,
          .doc = "where to start: run:UUID"),
    FIELD(ENUM, struct lineage_query, direction, .names = DIRECTION_NAMES,
          .doc = "up = what it was made from, down = what came of it; both by default"),
    FIELD(INT, struct lineage_query, depth, .min = 1, .max = DEPTH_MAX,
          .doc = "edges; 5 by default"),
};
static SHAPE(LINEAGE_QUERY, "LineageQuery", struct lineage_query, LINEAGE_QUERY_FIELDS);

/* "run:UUID" → kind and id. */
static enum err parse_node(struct ctx *cx, const char *node, const char **ret_kind,
                           const char **ret_id) {
    for (size_t i = 0; i < NODE_KIND_COUNT; i++) {
        size_t length = strlen(NODE_KIND_NAMES[i]);
        if (strncmp(node, NODE_KIND_NAMES[i], length) == 0 && node[length] == ':' &&
            uuid_is_valid(node + length + 1)) {
            *ret_kind = NODE_KIND_NAMES[i];
            *ret_id = node + length + 1;
            return OK;
        }
    }
    return fail_field(cx, ERR_INVALID, "node", "a node is a kind, a colon and an id");
}

static enum err graph_walk(struct ctx *cx, const struct lineage_query *query,
                           struct lineage_graph *graph) {
    const char *kind, *id;
    TRY(parse_node(cx, query->node, &kind, &id));
    bool down = query->direction != DIRECTION_UP, up = query->direction != DIRECTION_DOWN;
    TRY(db_many(cx, &SQL_lineage_walk,
                ARGS(cx->who.team_id, kind, id, db_bool(down), db_bool(up),
                     db_int(cx, query->depth ? query->depth : 5), db_int(cx, NODES_MAX + 1)),
                &LINEAGE_NODE, &graph->nodes));
    if (graph->nodes.count == 0)
        return fail(cx, ERR_NOT_FOUND, "there is no such node");
    graph->truncated = graph->nodes.count > NODES_MAX;
    if (graph->truncated)
        graph->nodes.count = NODES_MAX;
    return OK;
}

static enum err graph_edges(struct ctx *cx, struct lineage_graph *graph) {
    const struct lineage_node *nodes = graph->nodes.items;
    const char **ids = arena_new_array(cx->arena, const char *, graph->nodes.count);
    for (size_t i = 0; i < graph->nodes.count; i++)
        ids[i] = nodes[i].id;
    return db_many(cx, &SQL_lineage_edges_between,
                   ARGS(cx->who.team_id, db_text_array(cx, ids, graph->nodes.count)), &EDGE_ROW,
                   &graph->edges);
}

static enum err get_lineage(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct lineage_query *query = rq->query;
    struct lineage_graph *graph = arena_new_struct(cx->arena, struct lineage_graph);
    graph->root = query->node;
    TRY(graph_walk(cx, query, graph));
    TRY(graph_edges(cx, graph));
    reply_object(rp, graph);
    return OK;
}

const struct route LINEAGE_ROUTES[] = {
    {GET, "/api/v1/lineage", SCOPE_LINEAGE_READ, .query = &LINEAGE_QUERY, .reply = &LINEAGE_GRAPH,
     .handle = get_lineage, .rate = RATE_SEARCH,
     .doc = "What something came from and what came of it."},
};
const size_t LINEAGE_ROUTE_COUNT = ROUTES_COUNT(LINEAGE_ROUTES);
