/* Service accounts: programs of a team that act under a name of their own, with a role and tokens
 * like a member's, and no way to sign in. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

extern const struct route SERVICE_ROUTES[];
extern const size_t SERVICE_ROUTE_COUNT;
extern const struct db_constraint SERVICE_CONSTRAINTS[];
extern const size_t SERVICE_CONSTRAINT_COUNT;
