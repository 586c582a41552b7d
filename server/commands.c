/* See command.h. Commands that change people or tokens need only the database; serve needs all. */
#include "app.h"
#include "auth/auth.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "command.h"
#include "db/db.h"
#include "http/server.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define DESCRIPTORS 8192

static enum log_level log_level_of(const char *name) {
    static const char *const NAMES[] = {"debug", "info", "warning", "error"};
    for (int i = 0; i < 4; i++)
        if (strcmp(name, NAMES[i]) == 0)
            return (enum log_level)i;
    return LOG_INFO;
}

/* Blocked in every thread, taken by this one: nothing runs in a signal handler. */
static int wait_for_signal(const sigset_t *signals) {
    int received = 0;
    while (sigwait(signals, &received) != 0)
        continue;
    return received;
}

/* Idle connections wait with a descriptor each, a thousand of them (third_party/patches): more than
 * the usual soft limit leaves room for. */
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* SIGHUP: what an operator changes under a running server. */
static void reload(struct app *app) {
    struct err_info err = {0};
    if (auth_keys_reload(app->auth, &err) != OK)
        log_event(LOG_ERROR, "keys.not_reloaded", LOG_T("message", err.message));
    if (http_certificate_reload(app->http, &err) != OK)
        log_event(LOG_ERROR, "certificate.not_reloaded", LOG_T("message", err.message));
    else
        log_event(LOG_INFO, "certificate.reloaded", LOG_T("by", "SIGHUP"));
}

static enum err run_serve(const struct command_input *in, struct err_info *err) {
    struct app *app;
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    log_init(log_level_of(in->config->log_level));
    raise_descriptor_limit();
    TRY(app_new(in->config, APP_SERVER, &app, err));
    log_event(LOG_INFO, "server.started", LOG_T("listen", in->config->listen),
              LOG_N("threads", in->config->threads));
    int received;
    while ((received = wait_for_signal(&signals)) == SIGHUP)
        reload(app);
    log_event(LOG_INFO, "server.stopping", LOG_N("signal", received));
    app_free(app);
    log_event(LOG_INFO, "server.stopped", LOG_N("signal", received));
    return OK;
}

static enum err run_migrate(const struct command_input *in, struct err_info *err) {
    int applied = 0;
    TRY(db_migrate(in->config->migrate_url, &applied, err));
    printf("%d migrations applied\n", applied);
    return OK;
}

struct routes_options {
    bool openapi, typescript;
};

static const struct option ROUTES_OPTIONS[] = {
    OPTION(BOOL, struct routes_options, openapi, .flags = OPTION_FLAG_ONLY,
           .doc = "as an OpenAPI 3.1 document"),
    OPTION(BOOL, struct routes_options, typescript, .flags = OPTION_FLAG_ONLY,
           .doc = "the shapes as TypeScript"),
};

static enum err run_routes(const struct command_input *in, struct err_info *err) {
    const struct routes_options *options = in->options;
    struct http_registry *r = app_registry();
    enum err checked = http_registry_check(r, err);
    if (checked == OK && options->openapi) {
        auto_json *document = http_openapi(r);
        json_dumpf(document, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (checked == OK && options->typescript) {
        http_typescript(r, stdout);
    } else if (checked == OK) {
        http_print(r, stdout);
    }
    http_registry_free(r);
    return checked;
}

static enum err run_config(const struct command_input *in, struct err_info *err) {
    (void)err;
    config_print(in->config, stdout);
    return OK;
}

static enum err run_keys_create(const struct command_input *in, struct err_info *err) {
    TRY(auth_key_create(in->rest[0], err));
    return cursor_key_create(in->rest[0], err);
}

enum err command_offline(const struct command_input *in,
                         enum err (*fn)(struct ctx *cx, const struct command_input *in),
                         struct err_info *err) {
    struct app *app;
    struct ctx cx;
    TRY(app_new(in->config, APP_DATABASE, &app, err));
    ctx_init(&cx, app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    enum err done = fn(&cx, in);
    *err = cx.err;
    ctx_done(&cx);
    app_free(app);
    return done;
}

struct user_options {
    const char *email, *name, *team, *team_name, *role;
    bool password_stdin, json;
};

static const struct option USER_OPTIONS[] = {
    OPTION(TEXT, struct user_options, email, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "address to sign in with"),
    OPTION(TEXT, struct user_options, name, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "name to show"),
    OPTION(TEXT, struct user_options, team, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "team's short name; it is made when absent"),
    OPTION(TEXT, struct user_options, team_name, .flags = OPTION_FLAG_ONLY,
           .doc = "team's full name; empty = the short one"),
    OPTION(TEXT, struct user_options, role, .fallback = "owner",
           .choices = "owner|admin|editor|viewer", .flags = OPTION_FLAG_ONLY,
           .doc = "role in the team"),
    OPTION(BOOL, struct user_options, password_stdin, .flags = OPTION_FLAG_ONLY,
           .doc = "read the password from standard input instead of making one"),
    OPTION(BOOL, struct user_options, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static enum role role_from_string(const char *name) {
    for (int i = 0; ROLE_NAMES[i]; i++)
        if (strcmp(ROLE_NAMES[i], name) == 0)
            return (enum role)i;
    return ROLE_NONE;
}

static enum err read_password(struct ctx *cx, const char **ret) {
    char line[1024];
    if (!fgets(line, sizeof(line), stdin))
        return fail(cx, ERR_INVALID, "there is no password on standard input");
    line[strcspn(line, "\n")] = '\0';
    *ret = arena_strdup(cx->arena, line);
    return OK;
}

static void print_pair(const char *const names[2], const char *const values[2], bool as_json) {
    if (!as_json) {
        printf("%s: %s\n%s: %s\n", names[0], values[0], names[1], values[1]);
        return;
    }
    auto_json *object = json_pack("{s:s, s:s}", names[0], values[0], names[1], values[1]);
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
}

static enum err create_user(struct ctx *cx, const struct command_input *in) {
    const struct user_options *options = in->options;
    const char *password = NULL;
    if (options->password_stdin)
        TRY(read_password(cx, &password));
    TRY(auth_user_create(cx,
                         &(struct auth_user_create){
                             .email = options->email,
                             .name = options->name,
                             .team_slug = options->team,
                             .team_name = options->team_name ? options->team_name : options->team,
                             .role = role_from_string(options->role),
                             .password = password},
                         &password));
    TRY(db_commit(cx));
    print_pair(
        (const char *const[]){"email", "password"},
        (const char *const[]){options->email, options->password_stdin ? "(as given)" : password},
        options->json);
    return OK;
}

static enum err run_user_create(const struct command_input *in, struct err_info *err) {
    return command_offline(in, create_user, err);
}

struct token_options {
    const char *name;
    bool json;
};

static const struct option TOKEN_OPTIONS[] = {
    OPTION(TEXT, struct token_options, name, .flags = OPTION_FLAG_ONLY | OPTION_REQUIRED,
           .doc = "name of the worker"),
    OPTION(BOOL, struct token_options, json, .flags = OPTION_FLAG_ONLY, .doc = "answer in JSON"),
};

static enum err create_worker_token(struct ctx *cx, const struct command_input *in) {
    const struct token_options *options = in->options;
    char token[AUTH_TOKEN_SIZE];
    TRY(auth_worker_token_create(cx, options->name, token));
    TRY(db_commit(cx));
    print_pair((const char *const[]){"name", "token"}, (const char *const[]){options->name, token},
               options->json);
    return OK;
}

static enum err run_worker_token_create(const struct command_input *in, struct err_info *err) {
    return command_offline(in, create_worker_token, err);
}

const struct command COMMANDS[] = {
    {"serve", .run = run_serve, .doc = "answer requests until SIGTERM or SIGINT"},
    {"migrate", .run = run_migrate, .doc = "bring the database's schema up to date"},
    {"routes", .arguments = "[--openapi|--typescript]",
     OPTIONS_OF(ROUTES_OPTIONS, struct routes_options), .run = run_routes,
     .doc = "print what is answered, from the route tables"},
    {"config", .run = run_config, .doc = "print the configuration in force, secrets masked"},
    {"keys", "create", "DIR", .rest_count = 1, .run = run_keys_create,
     .doc = "write new signing and sealing keys into DIR"},
    {"user", "create", "--email E --name N --team SLUG",
     OPTIONS_OF(USER_OPTIONS, struct user_options), .run = run_user_create,
     .doc = "create a person who can sign in, and their team when absent"},
    {"worker-token", "create", "--name N", OPTIONS_OF(TOKEN_OPTIONS, struct token_options),
     .run = run_worker_token_create, .doc = "create the token a worker connects with; shown once"},
};
const size_t COMMAND_COUNT = sizeof(COMMANDS) / sizeof(COMMANDS[0]);
