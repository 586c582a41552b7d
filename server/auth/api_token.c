/* API tokens of people and tokens of workers: <prefix>_<id8>_<secret43>_<crc8>.
 *
 * The id finds the row, the secret carries 256 random bits, and the checksum lets scanners of
 * leaked text, and us, tell a token from noise without a database. Only the SHA-256 of the whole is
 * stored: a slow hash would protect nothing that cannot be guessed anyway. */

#include "auth/auth_private.h"
#include "base/ident.h"
#include "db/db.h"
#include "http/page.h"
#include "sql/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_LENGTH = 8, SECRET_LENGTH = 43, CRC_LENGTH = 8, TOKENS_MAX = 100 };
#define PERSON_PREFIX "slp_"
#define WORKER_PREFIX "slw_"

static uint32_t crc32_of(const char *text, size_t size) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

enum {
    PREFIX_LENGTH = 4 + ID_LENGTH, /* "slp_" and the id: what the database finds it by */
    BODY_LENGTH = PREFIX_LENGTH + 1 + SECRET_LENGTH,
    TOKEN_LENGTH = BODY_LENGTH + 1 + CRC_LENGTH
};
_Static_assert(TOKEN_LENGTH + 1 == AUTH_TOKEN_SIZE, "auth.h states the size");

static void token_make(const char *kind, char ret[AUTH_TOKEN_SIZE],
                       char ret_prefix[PREFIX_LENGTH + 1]) {
    unsigned char id[ID_LENGTH / 2], secret[32];
    char id_text[ID_LENGTH + 1], secret_text[SECRET_LENGTH + 1];
    random_bytes(id, sizeof(id));
    random_bytes(secret, sizeof(secret));
    hex_encode(id, sizeof(id), id_text);
    base64url_encode(secret, sizeof(secret), secret_text, sizeof(secret_text));
    snprintf(ret_prefix, PREFIX_LENGTH + 1, "%s%s", kind, id_text);
    snprintf(ret, AUTH_TOKEN_SIZE, "%s_%s", ret_prefix, secret_text);
    snprintf(ret + BODY_LENGTH, AUTH_TOKEN_SIZE - BODY_LENGTH, "_%08x", crc32_of(ret, BODY_LENGTH));
}

bool api_token_is_well_formed(const char *text) {
    if (strnlen(text, TOKEN_LENGTH + 1) != TOKEN_LENGTH ||
        (strncmp(text, PERSON_PREFIX, 4) != 0 && strncmp(text, WORKER_PREFIX, 4) != 0))
        return false;
    char crc[CRC_LENGTH + 2];
    snprintf(crc, sizeof(crc), "_%08x", crc32_of(text, BODY_LENGTH));
    return strcmp(crc, text + BODY_LENGTH) == 0;
}

/* --- who is behind one --- */

static void fill_user(const struct identity *row, struct principal *ret) {
    ret->kind = PRINCIPAL_TOKEN;
    ret->role = (enum role)row->role;
    ret->scopes = (unsigned)row->scope_bits;
    ret->by_project = row->by_project;
    ret->limited = row->limited;
    ret->requests_max = row->requests_max;
    memcpy(ret->user_id, row->user_id, ID_SIZE);
    memcpy(ret->team_id, row->team_id, ID_SIZE);
}

enum err api_token_principal(struct ctx *cx, const char *text, struct principal *ret) {
    bool of_worker = strncmp(text, WORKER_PREFIX, 4) == 0;
    const char *prefix = arena_strndup(cx->arena, text, PREFIX_LENGTH);
    struct identity row;
    bool found;
    memset(ret, 0, sizeof(*ret));
    TRY(db_opt(cx, of_worker ? &SQL_worker_token_principal : &SQL_token_principal, ARGS(prefix),
               &IDENTITY, &row, &found));
    char hash[SHA256_TEXT_SIZE];
    sha256_hex_of(text, strlen(text), hash);
    if (!found || !equal_in_constant_time(hash, row.token_sha256, SHA256_TEXT_SIZE))
        return OK;
    if (of_worker)
        ret->kind = PRINCIPAL_WORKER;
    else
        fill_user(&row, ret);
    memcpy(ret->session_id, row.session_id, ID_SIZE);
    memccpy(ret->name, row.email, '\0', sizeof(ret->name) - 1);
    return db_exec(cx, of_worker ? &SQL_worker_token_used : &SQL_token_used, ARGS(row.session_id),
                   NULL);
}

/* --- scopes --- */

static const struct {
    const char *name;
    unsigned bit;   /* enum token_scope */
    enum role role; /* least role of its owner */
} TOKEN_SCOPES[SCOPE_NAMES_MAX] = {
    {"read", TOKEN_READ, ROLE_VIEWER},      {"ingest", TOKEN_INGEST, ROLE_EDITOR},
    {"write", TOKEN_WRITE, ROLE_EDITOR},    {"admin", TOKEN_ADMIN, ROLE_ADMIN},
    {"metrics", TOKEN_METRICS, ROLE_ADMIN},
};

static enum err scope_bits(struct ctx *cx, const struct token_owner *owner,
                           const struct list *names, unsigned *ret) {
    *ret = 0;
    for (size_t i = 0; i < names->count; i++) {
        const char *name = ((const char *const *)names->items)[i];
        int at = 0;
        while (at < SCOPE_NAMES_MAX && strcmp(TOKEN_SCOPES[at].name, name) != 0)
            at++;
        if (at == SCOPE_NAMES_MAX)
            return fail_field(cx, ERR_INVALID, "scopes", "there is no scope \"%.40s\"", name);
        if (owner->role < TOKEN_SCOPES[at].role)
            return fail_field(cx, ERR_FORBIDDEN, "scopes", "scope \"%s\" needs the role %s", name,
                              ROLE_NAMES[TOKEN_SCOPES[at].role]);
        if (!(owner->scopes & TOKEN_SCOPES[at].bit))
            return fail_field(cx, ERR_FORBIDDEN, "scopes",
                              "a token cannot hand on scope \"%s\", which it does not have", name);
        *ret |= TOKEN_SCOPES[at].bit;
    }
    if (!*ret)
        return fail_field(cx, ERR_INVALID, "scopes", "a token needs at least one scope");
    return OK;
}

static struct list scope_names(struct ctx *cx, unsigned bits) {
    const char **names = arena_new_array(cx->arena, const char *, SCOPE_NAMES_MAX);
    struct list list = {.items = names};
    for (int i = 0; i < SCOPE_NAMES_MAX; i++)
        if (bits & TOKEN_SCOPES[i].bit)
            names[list.count++] = TOKEN_SCOPES[i].name;
    return list;
}

/* --- what a person does with them --- */

static const struct field API_TOKEN_ROW_FIELDS[] = {
    FIELD(UUID, struct api_token, id),           FIELD(STRING, struct api_token, name),
    FIELD(STRING, struct api_token, prefix),     FIELD(INT, struct api_token, scope_bits),
    FIELD(STRING, struct api_token, owner),      FIELD(STRINGS, struct api_token, projects),
    FIELD(TIME, struct api_token, created_at),   FIELD(TIME, struct api_token, expires_at),
    FIELD(TIME, struct api_token, last_used_at),
};
static SHAPE(API_TOKEN_ROW, "ApiTokenRow", struct api_token, API_TOKEN_ROW_FIELDS);

struct token_owner token_owner_self(const struct ctx *cx) {
    return (struct token_owner){cx->who.team_id, cx->who.user_id, cx->who.role, cx->who.scopes};
}

enum err api_token_list(struct ctx *cx, const struct token_owner *owner,
                        const struct page_query *page, struct list *ret) {
    const char *after;
    TRY(page_after(cx, page, &after));
    TRY(db_many(cx, &SQL_token_list,
                ARGS(owner->team_id, owner->user_id, after, page_rows(cx, page)), &API_TOKEN_ROW,
                ret));
    struct api_token *items = ret->items;
    for (size_t i = 0; i < ret->count; i++)
        items[i].scopes = scope_names(cx, (unsigned)items[i].scope_bits);
    return OK;
}

static const struct field CREATED_FIELDS[] = {
    FIELD(UUID, struct api_token_created, id),
    FIELD(STRING, struct api_token_created, name),
    FIELD(TIME, struct api_token_created, expires_at),
};
static SHAPE(CREATED, "ApiTokenCreatedRow", struct api_token_created, CREATED_FIELDS);

/* As an array for the statement; NULL = every project. */
static enum err limit_of(struct ctx *cx, const struct token_owner *owner, const struct list *slugs,
                         const char **ret) {
    const char *found;
    *ret = NULL;
    if (slugs->count == 0)
        return OK;
    *ret = db_text_array(cx, slugs->items, slugs->count);
    TRY(db_value(cx, &SQL_token_projects_found, ARGS(owner->team_id, *ret), &found));
    if (strtoull(found, NULL, 10) != slugs->count)
        return fail_field(cx, ERR_NOT_FOUND, "projects",
                          "one of these projects does not exist, or is named twice");
    return OK;
}

static enum err require_few(struct ctx *cx, const struct token_owner *owner) {
    const char *count;
    TRY(db_value(cx, &SQL_token_count, ARGS(owner->team_id, owner->user_id), &count));
    if (atoll(count) >= TOKENS_MAX)
        return fail(cx, ERR_CONFLICT, "there are %d tokens already, delete one first", TOKENS_MAX);
    return OK;
}

enum err api_token_create(struct ctx *cx, const struct token_owner *owner,
                          const struct api_token_create *options, struct api_token_created *ret) {
    unsigned bits;
    const char *limit;
    TRY(scope_bits(cx, owner, &options->scopes, &bits));
    TRY(limit_of(cx, owner, &options->projects, &limit));
    TRY(require_few(cx, owner));
    char id[UUID_TEXT_SIZE], token[AUTH_TOKEN_SIZE], prefix[PREFIX_LENGTH + 1];
    char hash[SHA256_TEXT_SIZE];
    uuid_new(id);
    token_make(PERSON_PREFIX, token, prefix);
    sha256_hex_of(token, strlen(token), hash);
    const char *days = options->expires_in_days ? db_int(cx, options->expires_in_days) : NULL;
    TRY(db_one(cx, &SQL_token_create,
               ARGS(id, owner->team_id, owner->user_id, options->name, prefix, hash,
                    db_int(cx, bits), days, limit),
               &CREATED, ret));
    ret->token = arena_strdup(cx->arena, token);
    return OK;
}

enum err api_token_delete(struct ctx *cx, const struct token_owner *owner, const char *id) {
    int64_t deleted = 0;
    if (uuid_is_valid(id))
        TRY(db_exec(cx, &SQL_token_delete, ARGS(owner->team_id, owner->user_id, id), &deleted));
    if (!deleted)
        return fail(cx, ERR_NOT_FOUND, "there is no such token");
    if (cx->app->auth)
        principals_forget(cx->app->auth->principals, id);
    return OK;
}

/* --- workers --- */

struct worker_token {
    const char *id, *name, *prefix, *hash;
};

static enum err worker_token_insert(struct ctx *cx, void *arg) {
    const struct worker_token *t = arg;
    TRY(db_exec(cx, &SQL_worker_token_create, ARGS(t->id, t->name, t->prefix, t->hash), NULL));
    return auth_audit(cx, "worker_token.create", t->name, OK);
}

enum err auth_worker_token_create(struct ctx *cx, const char *name, char ret[AUTH_TOKEN_SIZE]) {
    char id[UUID_TEXT_SIZE], prefix[PREFIX_LENGTH + 1], hash[SHA256_TEXT_SIZE];
    char token[AUTH_TOKEN_SIZE];
    uuid_new(id);
    token_make(WORKER_PREFIX, token, prefix);
    sha256_hex_of(token, strlen(token), hash);
    struct worker_token row = {id, name, prefix, hash};
    TRY(as_system(cx, worker_token_insert, &row));
    memcpy(ret, token, sizeof(token));
    return OK;
}
