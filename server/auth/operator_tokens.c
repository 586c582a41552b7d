/* See operator_tokens.h. */
#include "auth/operator_tokens.h"

#include "auth/auth_private.h"
#include "base/ident.h"
#include "sql/auth.h"

static const struct field TOKEN_FIELDS[] = {
    FIELD(UUID, struct operator_token, id),
    FIELD(STRING, struct operator_token, name),
    FIELD(STRING, struct operator_token, prefix),
    FIELD(STRING, struct operator_token, owner),
    FIELD(TIME, struct operator_token, created_at),
    FIELD(TIME, struct operator_token, expires_at, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct operator_token, last_used_at, .flags = FIELD_NULLABLE),
};
SHAPE(OPERATOR_TOKEN, "OperatorToken", struct operator_token, TOKEN_FIELDS);

enum err operator_token_list(struct ctx *cx, const char *team_slug, struct list *ret) {
    return db_many(cx, &SQL_operator_token_list, ARGS(team_slug), &OPERATOR_TOKEN, ret);
}

enum err operator_token_create(struct ctx *cx, const struct operator_token_create *options,
                               const char **ret_token) {
    struct identity row;
    struct api_token_created created;
    bool found;
    TRY(db_opt(cx, &SQL_operator_token_owner, ARGS(options->team_slug, options->owner), &IDENTITY,
               &row, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "team \"%s\" has no member or service account \"%s\"",
                    options->team_slug, options->owner);
    const struct token_owner owner = {row.team_id, row.user_id, (enum role)row.role, ~0u};
    const struct api_token_create wanted = {.name = options->name,
                                            .scopes = options->scopes,
                                            .projects = options->projects,
                                            .expires_in_days = options->expires_in_days};
    TRY(api_token_create(cx, &owner, &wanted, &created));
    *ret_token = created.token;
    return auth_audit(cx, "token.create", options->owner, OK);
}

enum err operator_token_revoke(struct ctx *cx, const char *id) {
    const char *prefix = NULL;
    if (uuid_is_valid(id))
        TRY(db_value(cx, &SQL_operator_token_revoke, ARGS(id), &prefix));
    if (!prefix)
        return fail(cx, ERR_NOT_FOUND, "there is no token \"%s\"", id);
    return auth_audit(cx, "token.delete", prefix, OK);
}
