/* What the operator does to people and teams from the command line, whichever team they are in. All
 * as PRINCIPAL_SYSTEM and in the audit log; a running server notices within five seconds. */
#pragma once

#include "base/field.h"
#include "ctx.h"

#include <stdbool.h>

struct operator_user {
    const char *id, *email, *name, *state; /* state: active or deactivated */
    bool totp;
    const char *teams; /* "acme:owner rivals:viewer" */
    int64_t created_at;
};
struct operator_team {
    const char *id, *slug, *name;
    int64_t members, created_at;
};
extern const struct shape OPERATOR_USER, OPERATOR_TEAM;

MUST_USE enum err operator_user_list(struct ctx *cx, struct list *ret);
/* In all teams at once; deactivating ends every session. */
MUST_USE enum err operator_user_activate(struct ctx *cx, const char *email, bool active);
/* A link that sets a new password, good once and for an hour; its token in the arena. */
MUST_USE enum err operator_user_reset(struct ctx *cx, const char *email, bool drop_second_factor,
                                      const char **ret_token);
/* ERR_CONFLICT when the team would be left without an active owner. */
MUST_USE enum err operator_user_role(struct ctx *cx, const char *email, const char *team_slug,
                                     enum role role);
MUST_USE enum err operator_team_list(struct ctx *cx, struct list *ret);
MUST_USE enum err operator_team_create(struct ctx *cx, const char *slug, const char *name);
