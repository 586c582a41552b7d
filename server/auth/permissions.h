/* Groups, roles in projects, and what follows from them: who may do what, and why.
 *
 * The rule itself is project_role() of migrations/0010_permissions.sql; a project in which somebody
 * has the role none is hidden from them by row-level security. http/ asks for the role that counts
 * on a path through its hooks; teams without any role in a project are never asked about. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

/* Hook: the caller's role in the project that `id`, an object of the path's word `kind`, belongs
 * to. Untouched when there is none, or none that the caller sees. */
MUST_USE enum err permission_role(struct ctx *cx, const char *kind, const char *id, enum role *ret);
/* Hook: "it needs the role editor; ask Olive Owner, Ada Admin"; in the arena. */
MUST_USE enum err permission_advice(struct ctx *cx, enum role needs, const char **ret);

extern const struct route GROUPS_ROUTES[];
extern const size_t GROUPS_ROUTE_COUNT;
extern const struct route PERMISSIONS_ROUTES[];
extern const size_t PERMISSIONS_ROUTE_COUNT;
extern const struct db_constraint GROUPS_CONSTRAINTS[];
extern const size_t GROUPS_CONSTRAINT_COUNT;
