/* slipwayd token and key: API tokens of any team, and the keys that sign sessions. See command.h.
 */
#include "auth/auth.h"
#include "auth/operator_tokens.h"
#include "base/cleanup.h"
#include "command.h"

#include <stdlib.h>
#include <string.h>

static void print_json(json_t *owned) {
    auto_json *json = owned;
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
}

/* --- token --- */

struct list_options {
    const char *team;
    bool json;
};
static const struct option LIST_OPTIONS[] = {
    OPTION(TEXT, struct list_options, team, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "team's short name"),
    OPTION(BOOL, struct list_options, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static enum err list_tokens(struct ctx *cx, const struct command_input *in) {
    const struct list_options *options = in->options;
    struct list tokens;
    TRY(operator_token_list(cx, options->team, &tokens));
    for (size_t i = 0; i < tokens.count; i++) {
        const struct operator_token *t = (const struct operator_token *)tokens.items + i;
        if (options->json)
            print_json(field_encode(&OPERATOR_TOKEN, t));
        else
            printf("%s  %s  %-24s %s\n", t->id, t->prefix, t->owner, t->name);
    }
    return OK;
}

static enum err run_token_list(const struct command_input *in, struct err_info *err) {
    return command_offline(in, list_tokens, err);
}

struct create_options {
    const char *team, *owner, *name, *scopes, *projects;
    int64_t days;
    bool json;
};
static const struct option CREATE_OPTIONS[] = {
    OPTION(TEXT, struct create_options, team, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "team's short name"),
    OPTION(TEXT, struct create_options, owner, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "a member's address, or a service account's name"),
    OPTION(TEXT, struct create_options, name, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "name of the token"),
    OPTION(TEXT, struct create_options, scopes, .fallback = "read", .flags = OPTION_FLAG_ONLY,
           .doc = "read,ingest,write,admin,metrics"),
    OPTION(TEXT, struct create_options, projects, .flags = OPTION_FLAG_ONLY,
           .doc = "the only projects it sees, with commas; empty = every one"),
    OPTION(INT, struct create_options, days, .fallback = "0", .max = 3650,
           .flags = OPTION_FLAG_ONLY, .doc = "life in days; 0 = without end"),
    OPTION(BOOL, struct create_options, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static struct list split(struct ctx *cx, const char *text) {
    size_t cap = 1;
    for (const char *c = text ? text : ""; *c; c++)
        cap += *c == ',';
    const char **items = arena_new_array(cx->arena, const char *, cap);
    struct list list = {.items = items};
    for (const char *at = text ? text : ""; *at; at += strcspn(at, ",")) {
        at += strspn(at, ", ");
        if (*at)
            items[list.count++] = arena_strndup(cx->arena, at, strcspn(at, ","));
    }
    return list;
}

static enum err create_token(struct ctx *cx, const struct command_input *in) {
    const struct create_options *o = in->options;
    const struct operator_token_create options = {.team_slug = o->team,
                                                  .owner = o->owner,
                                                  .name = o->name,
                                                  .scopes = split(cx, o->scopes),
                                                  .projects = split(cx, o->projects),
                                                  .expires_in_days = o->days};
    const char *token;
    TRY(operator_token_create(cx, &options, &token));
    TRY(db_commit(cx));
    if (o->json)
        print_json(json_pack("{s:s, s:s}", "name", o->name, "token", token));
    else
        printf("name: %s\ntoken: %s\n", o->name, token);
    return OK;
}

static enum err run_token_create(const struct command_input *in, struct err_info *err) {
    return command_offline(in, create_token, err);
}

struct json_only {
    bool json;
};
static const struct option JSON_ONLY[] = {
    OPTION(BOOL, struct json_only, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static void print_state(const struct command_input *in, const char *what, const char *state) {
    const struct json_only *options = in->options;
    if (options->json)
        print_json(json_pack("{s:s, s:s}", what, in->rest[0], "state", state));
    else
        printf("%s %s: %s\n", what, in->rest[0], state);
}

static enum err revoke_token(struct ctx *cx, const struct command_input *in) {
    TRY(operator_token_revoke(cx, in->rest[0]));
    TRY(db_commit(cx));
    print_state(in, "token", "revoked");
    return OK;
}

static enum err run_token_revoke(const struct command_input *in, struct err_info *err) {
    return command_offline(in, revoke_token, err);
}

/* --- key --- */

static enum err run_key_list(const struct command_input *in, struct err_info *err) {
    const struct json_only *options = in->options;
    struct auth_key keys[64];
    int count;
    TRY(auth_key_list(in->config->key_dir, keys, 64, &count, err));
    for (int i = 0; i < count; i++) {
        const char *state = i == 0 ? "signs" : "verifies";
        int64_t created_s = keys[i].created_at / 1000000;
        if (options->json)
            print_json(json_pack("{s:i, s:s, s:I}", "number", keys[i].number, "state", state,
                                 "created_at_s", (json_int_t)created_s));
        else
            printf("%d %s\n", keys[i].number, state);
    }
    return OK;
}

static enum err run_key_create(const struct command_input *in, struct err_info *err) {
    TRY(auth_key_create(in->config->key_dir, err));
    return run_key_list(in, err);
}

static enum err run_key_retire(const struct command_input *in, struct err_info *err) {
    char *end;
    long number = strtol(in->rest[0], &end, 10);
    if (*end || number < 1 || number > 999999999)
        return err_set(err, ERR_INVALID, NULL, "\"%s\" is not the number of a key", in->rest[0]);
    TRY(auth_key_retire(in->config->key_dir, (int)number, err));
    print_state(in, "key", "retired");
    return OK;
}

const struct command TOKEN_COMMANDS[] = {
    {"token", "list", "--team SLUG", OPTIONS_OF(LIST_OPTIONS, struct list_options),
     .run = run_token_list, .doc = "a team's API tokens"},
    {"token", "create", "--team SLUG --owner E --name N",
     OPTIONS_OF(CREATE_OPTIONS, struct create_options), .run = run_token_create,
     .doc = "make an API token for a member or service account; shown once"},
    {"token", "revoke", "ID", OPTIONS_OF(JSON_ONLY, struct json_only), .rest_count = 1,
     .run = run_token_revoke, .doc = "end an API token"},
    {"key", "list", "[--json]", OPTIONS_OF(JSON_ONLY, struct json_only), .run = run_key_list,
     .doc = "the keys of sessions: the newest signs, the others still verify"},
    {"key", "create", "[--json]", OPTIONS_OF(JSON_ONLY, struct json_only), .run = run_key_create,
     .doc = "make the next key; a running server takes it within a minute, or at SIGHUP"},
    {"key", "retire", "NUMBER", OPTIONS_OF(JSON_ONLY, struct json_only), .rest_count = 1,
     .run = run_key_retire, .doc = "delete an old key, ten minutes after its successor signs"},
};
const size_t TOKEN_COMMAND_COUNT = sizeof(TOKEN_COMMANDS) / sizeof(TOKEN_COMMANDS[0]);
