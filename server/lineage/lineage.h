/* The graph of what came from what. Nodes are rows of the domains; an edge is written in the same
 * transaction as the fact it records, so the picture cannot disagree with the data.
 *
 * Direction: from = what was used, to = what came of it (dataset_version → run → model_version). */
#pragma once

#include "ctx.h"
#include "http/http.h"

enum node_kind {
    NODE_DATASET_VERSION,
    NODE_JOB,
    NODE_RUN,
    NODE_ARTIFACT,
    NODE_MODEL_VERSION,
    NODE_ENDPOINT
};

/* Creates the node of a row just inserted (id = the row's id); project_id may be NULL. */
MUST_USE enum err lineage_node(struct ctx *cx, enum node_kind kind, const char *id,
                               const char *project_id, const char *name);
MUST_USE enum err lineage_node_state(struct ctx *cx, enum node_kind kind, const char *id,
                                     const char *state);
/* relation: "produced", "used", "trained_on", "registered_as", "served_by", … Repeating is fine. */
MUST_USE enum err lineage_edge(struct ctx *cx, enum node_kind from_kind, const char *from_id,
                               enum node_kind to_kind, const char *to_id, const char *relation);

extern const struct route LINEAGE_ROUTES[];
extern const size_t LINEAGE_ROUTE_COUNT;
