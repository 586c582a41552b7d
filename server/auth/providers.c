/* Identity providers as their owners set them up, and the test of a connection, step by step. */

#include "auth/auth.h"
#include "auth/auth_private.h"
#include "auth/sso.h"
#include "base/ident.h"
#include "db/db.h"
#include "http/page.h"
#include "sql/auth.h"

#include <stdlib.h>
#include <string.h>

enum { PROVIDERS_MAX = 20, STEPS_MAX = 4 };

static const struct field GROUP_ROLE_FIELDS[] = {
    FIELD(STRING, struct group_role, group, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(ENUM, struct group_role, role, .flags = FIELD_REQUIRED, .names = ROLE_NAMES),
};
SHAPE(GROUP_ROLE, "GroupRole", struct group_role, GROUP_ROLE_FIELDS);

#define PROVIDER_MEMBERS                                                                           \
    FIELD(UUID, struct provider, id), FIELD(STRING, struct provider, name),                        \
        FIELD(STRING, struct provider, issuer), FIELD(STRING, struct provider, client_id),         \
        FIELD(BOOL, struct provider, has_secret), FIELD(STRING, struct provider, group_claim),     \
        FIELD(LIST, struct provider, group_roles, .nested = &GROUP_ROLE,                           \
              .doc = "the highest role that fits counts"),                                         \
        FIELD(ENUM, struct provider, default_role, .flags = FIELD_NULLABLE, .names = ROLE_NAMES,   \
              .doc = "of those in no group of the list; null = they stay out"),                    \
        FIELD(BOOL, struct provider, sso_only, .doc = "passwords let in owners alone"),            \
        FIELD(BOOL, struct provider, enabled)

static const struct field PROVIDER_FIELDS[] = {
    PROVIDER_MEMBERS,
    FIELD(STRING, struct provider, redirect_uri, .doc = "to be registered with the provider"),
};
SHAPE(PROVIDER, "Provider", struct provider, PROVIDER_FIELDS);

static const struct field PROVIDER_ROW_FIELDS[] = {
    PROVIDER_MEMBERS,
    FIELD(UUID, struct provider, team_id),
    FIELD(STRING, struct provider, secret_sealed, .flags = FIELD_SECRET),
};
SHAPE(PROVIDER_ROW, "ProviderRow", struct provider, PROVIDER_ROW_FIELDS);

enum err provider_list(struct ctx *cx, const struct page_query *page, struct list *ret) {
    const char *after;
    TRY(page_after(cx, page, &after));
    return db_many(cx, &SQL_provider_list, ARGS(cx->who.team_id, after, page_rows(cx, page)),
                   &PROVIDER_ROW, ret);
}

enum err provider_get(struct ctx *cx, const char *id, struct provider *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_provider_find, ARGS(cx->who.team_id, id), &PROVIDER_ROW, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "there is no such identity provider");
}

enum err provider_seal(struct ctx *cx, struct provider *provider, const char *secret) {
    provider->secret_sealed = NULL;
    provider->has_secret = secret != NULL;
    return secret ? seal(cx, provider->id, secret, strlen(secret), &provider->secret_sealed) : OK;
}

static const char *group_roles_json(struct ctx *cx, const struct provider *provider) {
    json_t *array = json_array();
    const struct group_role *items = provider->group_roles.items;
    for (size_t i = 0; i < provider->group_roles.count; i++)
        json_array_append_new(array, field_encode(&GROUP_ROLE, &items[i]));
    const char *text = db_json(cx, array);
    json_decref(array);
    return text;
}

static enum err end_password_sessions(struct ctx *cx, void *arg) {
    return db_exec(cx, &SQL_sso_end_password_sessions, ARGS(arg), NULL);
}

static enum err write_row(struct ctx *cx, const struct db_stmt *st, const struct provider *p) {
    const char *role = p->default_role == FIELD_NO_ENUM ? NULL : ROLE_NAMES[p->default_role];
    char team[ID_SIZE];
    memcpy(team, cx->who.team_id, sizeof(team));
    TRY(db_exec(cx, st,
                ARGS(cx->who.team_id, p->id, p->name, p->issuer, p->client_id, p->secret_sealed,
                     p->group_claim, group_roles_json(cx, p), role, db_bool(p->sso_only),
                     db_bool(p->enabled)),
                NULL));
    return p->sso_only && p->enabled ? as_system(cx, end_password_sessions, team) : OK;
}

enum err provider_create(struct ctx *cx, struct provider *provider, const char *secret) {
    char id[UUID_TEXT_SIZE];
    const char *count;
    uuid_new(id);
    provider->id = arena_strdup(cx->arena, id);
    TRY(db_value(cx, &SQL_provider_count, ARGS(cx->who.team_id), &count));
    if (atoll(count) >= PROVIDERS_MAX)
        return fail(cx, ERR_CONFLICT, "a team has at most %d identity providers", PROVIDERS_MAX);
    TRY(provider_seal(cx, provider, secret));
    return write_row(cx, &SQL_provider_create, provider);
}

static enum err forget_identities(struct ctx *cx, void *arg) {
    return db_exec(cx, &SQL_sso_forget_identities, ARGS(arg), NULL);
}

enum err provider_update(struct ctx *cx, const struct provider *provider, bool issuer_changed) {
    char id[UUID_TEXT_SIZE];
    memcpy(id, provider->id, sizeof(id));
    if (issuer_changed) /* first: who was known there must never meet the new issuer */
        TRY(as_system(cx, forget_identities, id));
    return write_row(cx, &SQL_provider_update, provider);
}

enum err provider_delete(struct ctx *cx, const char *id) {
    struct provider provider;
    TRY(provider_get(cx, id, &provider));
    return db_exec(cx, &SQL_provider_delete, ARGS(cx->who.team_id, id), NULL);
}

enum err provider_client(struct ctx *cx, const struct provider *provider, struct oidc_client *ret) {
    *ret = (struct oidc_client){.issuer = provider->issuer, .client_id = provider->client_id};
    if (!provider->secret_sealed)
        return OK;
    char *secret = arena_alloc(cx->arena, SEAL_MAX + 1);
    size_t size;
    TRY(unseal(cx, provider->id, provider->secret_sealed, secret, SEAL_MAX, &size));
    ret->secret = secret;
    return OK;
}

/* --- testing the connection --- */

static const struct field TEST_STEP_FIELDS[] = {
    FIELD(STRING, struct test_step, name, .doc = "discovery, keys or client"),
    FIELD(BOOL, struct test_step, ok),
    FIELD(STRING, struct test_step, detail, .doc = "a sentence"),
};
static SHAPE(TEST_STEP, "ProviderTestStep", struct test_step, TEST_STEP_FIELDS);

static const struct field PROVIDER_TEST_FIELDS[] = {
    FIELD(BOOL, struct provider_test, ok),
    FIELD(LIST, struct provider_test, steps, .nested = &TEST_STEP,
          .doc = "in order; the last is the one that failed, if any"),
};
SHAPE(PROVIDER_TEST, "ProviderTest", struct provider_test, PROVIDER_TEST_FIELDS);

/* True when the step went well. A failure is an answer here. */
static bool step(struct ctx *cx, struct provider_test *test, const char *name, enum err err,
                 const char *detail) {
    struct test_step *steps = test->steps.items;
    test->ok = err == OK;
    steps[test->steps.count++] = (struct test_step){
        name, test->ok, test->ok ? detail : arena_strdup(cx->arena, cx->err.message)};
    return test->ok;
}

static enum err test_keys(struct ctx *cx, const struct oidc_metadata *metadata) {
    int count;
    TRY(oidc_count_keys(cx, metadata, &count));
    return count ? OK : fail(cx, ERR_UNPROCESSABLE, "the provider has no key for RS256 or ES256");
}

enum err provider_test(struct ctx *cx, const struct provider *provider, struct provider_test *ret) {
    struct oidc_client client;
    struct oidc_metadata metadata;
    TRY(provider_client(cx, provider, &client));
    ret->steps.items = arena_new_array(cx->arena, struct test_step, STEPS_MAX);
    if (!step(cx, ret, "discovery", oidc_discover(cx, provider->issuer, &metadata),
              "the provider answers and calls itself by this name") ||
        !step(cx, ret, "keys", test_keys(cx, &metadata), "its keys can be used"))
        return OK;
    step(cx, ret, "client", oidc_test_client(cx, &client, &metadata, provider->redirect_uri),
         "it knows this client and its secret");
    return OK;
}
