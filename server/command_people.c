/* slipwayd user and team: people and teams from the command line. See command.h. */
#include "auth/auth.h"
#include "auth/operator.h"
#include "base/cleanup.h"
#include "command.h"
#include "db/db.h"

#include <string.h>

struct json_only {
    bool json;
};
static const struct option JSON_ONLY[] = {
    OPTION(BOOL, struct json_only, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static void print_json(json_t *owned) {
    auto_json *json = owned;
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
}

/* One line of JSON an item, so that a script reads them one by one. */
static void print_items(const struct shape *shape, const struct list *items) {
    for (size_t i = 0; i < items->count; i++)
        print_json(field_encode(shape, (const char *)items->items + i * shape->size));
}

/* What was done to what. */
static void print_done(const char *name, const char *value, const char *done, bool as_json) {
    if (as_json)
        print_json(json_pack("{s:s, s:s}", name, value, "state", done));
    else
        printf("%s: %s\n", value, done);
}

/* --- user --- */

static enum err list_users(struct ctx *cx, const struct command_input *in) {
    const struct json_only *options = in->options;
    struct list users;
    TRY(operator_user_list(cx, &users));
    const struct operator_user *user = users.items;
    if (options->json)
        print_items(&OPERATOR_USER, &users);
    for (size_t i = 0; !options->json && i < users.count; i++)
        printf("%-40s %-12s %-4s %s\n", user[i].email, user[i].state, user[i].totp ? "2fa" : "",
               user[i].teams);
    return OK;
}

static enum err set_state(struct ctx *cx, const struct command_input *in, bool active) {
    const struct json_only *options = in->options;
    TRY(operator_user_activate(cx, in->rest[0], active));
    TRY(db_commit(cx));
    print_done("email", in->rest[0], active ? "active" : "deactivated", options->json);
    return OK;
}

static enum err deactivate(struct ctx *cx, const struct command_input *in) {
    return set_state(cx, in, false);
}

static enum err activate(struct ctx *cx, const struct command_input *in) {
    return set_state(cx, in, true);
}

struct reset_options {
    bool second_factor, json;
};
static const struct option RESET_OPTIONS[] = {
    OPTION(BOOL, struct reset_options, second_factor, .flags = OPTION_FLAG_ONLY,
           .doc = "remove the second factor too"),
    OPTION(BOOL, struct reset_options, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

/* By the first name the server answers to; behind a proxy the operator puts in another. */
static const char *link_of(const struct command_input *in, const char *token) {
    const char *hosts = in->config->allowed_hosts ? in->config->allowed_hosts : "localhost";
    const char *port = strrchr(in->config->listen, ':');
    return arena_printf(in->arena, "https://%.*s%s/reset/%s", (int)strcspn(hosts, ", "), hosts,
                        port ? port : "", token);
}

static enum err reset(struct ctx *cx, const struct command_input *in) {
    const struct reset_options *options = in->options;
    const char *token;
    TRY(operator_user_reset(cx, in->rest[0], options->second_factor, &token));
    TRY(db_commit(cx));
    const char *link = link_of(in, token);
    if (options->json)
        print_json(json_pack("{s:s, s:s}", "email", in->rest[0], "link", link));
    else
        printf("%s\n", link);
    return OK;
}

struct role_options {
    const char *team, *role;
    bool json;
};
static const struct option ROLE_OPTIONS[] = {
    OPTION(TEXT, struct role_options, team, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "team's short name"),
    OPTION(TEXT, struct role_options, role, .choices = "owner|admin|editor|viewer",
           .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED, .doc = "role in the team"),
    OPTION(BOOL, struct role_options, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static enum err set_role(struct ctx *cx, const struct command_input *in) {
    const struct role_options *options = in->options;
    enum role role = ROLE_NONE;
    for (int i = 0; ROLE_NAMES[i]; i++)
        if (strcmp(ROLE_NAMES[i], options->role) == 0)
            role = (enum role)i;
    TRY(operator_user_role(cx, in->rest[0], options->team, role));
    TRY(db_commit(cx));
    print_done("email", in->rest[0], options->role, options->json);
    return OK;
}

/* --- team --- */

static enum err list_teams(struct ctx *cx, const struct command_input *in) {
    const struct json_only *options = in->options;
    struct list teams;
    TRY(operator_team_list(cx, &teams));
    const struct operator_team *team = teams.items;
    if (options->json)
        print_items(&OPERATOR_TEAM, &teams);
    for (size_t i = 0; !options->json && i < teams.count; i++)
        printf("%-40s %6lld  %s\n", team[i].slug, (long long)team[i].members, team[i].name);
    return OK;
}

struct team_options {
    const char *name;
    bool json;
};
static const struct option TEAM_OPTIONS[] = {
    OPTION(TEXT, struct team_options, name, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "team's full name"),
    OPTION(BOOL, struct team_options, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static enum err create_team(struct ctx *cx, const struct command_input *in) {
    const struct team_options *options = in->options;
    TRY(operator_team_create(cx, in->rest[0], options->name));
    TRY(db_commit(cx));
    print_done("slug", in->rest[0], "created", options->json);
    return OK;
}

#define RUN(fn)                                                                                    \
    static enum err run_##fn(const struct command_input *in, struct err_info *err) {               \
        return command_offline(in, fn, err);                                                       \
    }
RUN(list_users)
RUN(deactivate)
RUN(activate)
RUN(reset)
RUN(set_role)
RUN(list_teams)
RUN(create_team)

const struct command PEOPLE_COMMANDS[] = {
    {"user", "list", "[--json]", OPTIONS_OF(JSON_ONLY, struct json_only), .run = run_list_users,
     .doc = "list people, with their teams and roles"},
    {"user", "deactivate", "EMAIL", OPTIONS_OF(JSON_ONLY, struct json_only), .rest_count = 1,
     .run = run_deactivate, .doc = "keep a person out of every team; sessions end"},
    {"user", "activate", "EMAIL", OPTIONS_OF(JSON_ONLY, struct json_only), .rest_count = 1,
     .run = run_activate, .doc = "let a deactivated person in again"},
    {"user", "reset", "EMAIL [--second-factor]", OPTIONS_OF(RESET_OPTIONS, struct reset_options),
     .rest_count = 1, .run = run_reset, .doc = "make a link that sets a new password, good once"},
    {"user", "role", "EMAIL --team SLUG --role R", OPTIONS_OF(ROLE_OPTIONS, struct role_options),
     .rest_count = 1, .run = run_set_role, .doc = "change a member's role"},
    {"team", "list", "[--json]", OPTIONS_OF(JSON_ONLY, struct json_only), .run = run_list_teams,
     .doc = "list teams, with how many members they have"},
    {"team", "create", "SLUG --name N", OPTIONS_OF(TEAM_OPTIONS, struct team_options),
     .rest_count = 1, .run = run_create_team, .doc = "create a team and its default project"},
};
const size_t PEOPLE_COMMAND_COUNT = sizeof(PEOPLE_COMMANDS) / sizeof(PEOPLE_COMMANDS[0]);
