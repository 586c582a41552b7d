/* projects.c: the rules of projects. A slug is how people and paths name one; it never changes. */
#include "projects/projects.h"

#include "sql/projects.h"

static const struct field PROJECT_FIELDS[] = {
    FIELD(UUID, struct project, id),
    FIELD(STRING, struct project, slug, .doc = "its name in paths"),
    FIELD(STRING, struct project, name),
    FIELD(STRING, struct project, description),
    FIELD(TIME, struct project, created_at),
    FIELD(INT, struct project, datasets),
    FIELD(INT, struct project, runs),
    FIELD(INT, struct project, models),
    FIELD(INT, struct project, active_jobs, .doc = "queued or at work, without endpoints"),
};
SHAPE(PROJECT_SHAPE, "Project", struct project, PROJECT_FIELDS);

const struct db_constraint PROJECTS_CONSTRAINTS[] = {
    {"projects_slug_unique", ERR_CONFLICT, "slug", "a project with this slug already exists"},
};
const size_t PROJECTS_CONSTRAINT_COUNT =
    sizeof(PROJECTS_CONSTRAINTS) / sizeof(PROJECTS_CONSTRAINTS[0]);

static enum err read_project(struct ctx *cx, const struct db_stmt *statement, const char *slug,
                             struct project *ret) {
    bool found;
    TRY(db_opt(cx, statement, ARGS(cx->who.team_id, slug), &PROJECT_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "project \"%s\" does not exist", slug);
}

enum err project_require(struct ctx *cx, const char *slug, struct project *ret) {
    return read_project(cx, &SQL_project_find, slug, ret);
}

enum err project_get(struct ctx *cx, const char *slug, struct project *ret) {
    return read_project(cx, &SQL_project_get, slug, ret);
}
