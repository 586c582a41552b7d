/* API tokens as the operator handles them on the command line, in any team. As PRINCIPAL_SYSTEM;
 * each change is in the audit log, and a running server notices within five seconds. */
#pragma once

#include "base/field.h"
#include "ctx.h"
#include "db/db.h"

struct operator_token {
    const char *id, *name, *prefix, *owner;
    int64_t created_at, expires_at, last_used_at;
};
extern const struct shape OPERATOR_TOKEN;

MUST_USE enum err operator_token_list(struct ctx *cx, const char *team_slug, struct list *ret);

struct operator_token_create {
    const char *team_slug;
    const char *owner; /* a member's address or a service account's name */
    const char *name;
    struct list scopes, projects; /* const char *; no projects = every one */
    int64_t expires_in_days;      /* 0 = never */
};
/* ret_token (arena) cannot be shown again. */
MUST_USE enum err operator_token_create(struct ctx *cx, const struct operator_token_create *options,
                                        const char **ret_token);
MUST_USE enum err operator_token_revoke(struct ctx *cx, const char *id);
