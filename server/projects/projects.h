/* Projects: the folders of a team in which datasets, runs and models live. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

struct project {
    const char *id, *slug, *name, *description;
    int64_t created_at;
    int64_t datasets, runs, models, active_jobs; /* counts for the home page */
};

extern const struct shape PROJECT_SHAPE;

/* By the {project} of the path, in the caller's team; else ERR_NOT_FOUND. Counts nothing: of many
 * runs that takes longer than most requests do. */
MUST_USE enum err project_require(struct ctx *cx, const char *slug, struct project *ret);
/* The same with its counts. */
MUST_USE enum err project_get(struct ctx *cx, const char *slug, struct project *ret);

extern const struct route PROJECTS_ROUTES[];
extern const size_t PROJECTS_ROUTE_COUNT;

extern const struct db_constraint PROJECTS_CONSTRAINTS[];
extern const size_t PROJECTS_CONSTRAINT_COUNT;
