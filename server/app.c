/* See app.h. PARTS is the order of life: each row may use those above it. A domain is made known
 * here and nowhere else: its routes in app_registry(), its job kinds in start_jobs(), its sweep in
 * SWEEPS. */
#include "app.h"

#include "artifacts/artifacts.h"
#include "auth/audit.h"
#include "auth/auth.h"
#include "auth/permissions.h"
#include "auth/quotas.h"
#include "auth/service_accounts.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "datasets/datasets.h"
#include "db/db.h"
#include "http/feed.h"
#include "http/server.h"
#include "jobs/jobs.h"
#include "lineage/lineage.h"
#include "mlflow/mlflow.h"
#include "projects/projects.h"
#include "registry/registry.h"
#include "serving/serving.h"
#include "traces/traces.h"
#include "tracking/search.h"
#include "tracking/tracking.h"
#include "training/training.h"
#include "webhooks/webhooks.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define DRAIN_MS 30000
#define SWEEP_SECONDS 60
#define HOSTS_MAX 64

/* What the parts need beyond struct app. app is first: one is found from the other. */
struct process {
    struct app app;
    struct arena *arena; /* texts of the options below */
    struct http_options http;
    const char *hosts[HOSTS_MAX + 1];
    size_t started; /* rows of PARTS */
    pthread_t sweeper;
    pthread_mutex_t lock; /* stopping */
    pthread_cond_t stop;
    bool stopping;
};

static struct process *process_of(struct app *app) {
    return (struct process *)(void *)app;
}

struct http_registry *app_registry(void) {
    struct http_registry *r = http_registry_new(&AUTH_HOOKS);
    http_register(r, HTTP_ROUTES, HTTP_ROUTE_COUNT);
    http_register(r, FEED_ROUTES, FEED_ROUTE_COUNT);
    http_register(r, AUTH_ROUTES, AUTH_ROUTE_COUNT);
    http_register(r, MEMBERS_ROUTES, MEMBERS_ROUTE_COUNT);
    http_register(r, SESSIONS_ROUTES, SESSIONS_ROUTE_COUNT);
    http_register(r, SETUP_ROUTES, SETUP_ROUTE_COUNT);
    http_register(r, TOTP_ROUTES, TOTP_ROUTE_COUNT);
    http_register(r, SSO_ROUTES, SSO_ROUTE_COUNT);
    http_register(r, AUDIT_ROUTES, AUDIT_ROUTE_COUNT);
    http_register(r, SERVICE_ROUTES, SERVICE_ROUTE_COUNT);
    http_register(r, GROUPS_ROUTES, GROUPS_ROUTE_COUNT);
    http_register(r, PERMISSIONS_ROUTES, PERMISSIONS_ROUTE_COUNT);
    http_register(r, QUOTAS_ROUTES, QUOTAS_ROUTE_COUNT);
    http_register(r, PROJECTS_ROUTES, PROJECTS_ROUTE_COUNT);
    http_register(r, WEBHOOK_ROUTES, WEBHOOK_ROUTE_COUNT);
    http_register(r, ARTIFACTS_ROUTES, ARTIFACTS_ROUTE_COUNT);
    http_register(r, DATASETS_ROUTES, DATASETS_ROUTE_COUNT);
    http_register(r, TRAINING_ROUTES, TRAINING_ROUTE_COUNT);
    http_register(r, JOBS_ROUTES, JOBS_ROUTE_COUNT);
    http_register(r, WORKER_ROUTES, WORKER_ROUTE_COUNT);
    http_register(r, EXPERIMENT_ROUTES, EXPERIMENT_ROUTE_COUNT);
    http_register(r, RUN_ROUTES, RUN_ROUTE_COUNT);
    http_register(r, RUN_REPORT_ROUTES, RUN_REPORT_ROUTE_COUNT);
    http_register(r, RUN_BULK_ROUTES, RUN_BULK_ROUTE_COUNT);
    http_register(r, SEARCH_ROUTES, SEARCH_ROUTE_COUNT);
    http_register(r, METRIC_ROUTES, METRIC_ROUTE_COUNT);
    http_register(r, TRACKING_ROUTES, TRACKING_ROUTE_COUNT);
    http_register(r, ARTIFACT_FILE_ROUTES, ARTIFACT_FILE_ROUTE_COUNT);
    http_register(r, LOGGED_MODEL_ROUTES, LOGGED_MODEL_ROUTE_COUNT);
    http_register(r, REGISTRY_ROUTES, REGISTRY_ROUTE_COUNT);
    http_register(r, VERSION_ROUTES, VERSION_ROUTE_COUNT);
    http_register(r, TRACE_ROUTES, TRACE_ROUTE_COUNT);
    http_register(r, SERVING_ROUTES, SERVING_ROUTE_COUNT);
    http_register(r, LINEAGE_ROUTES, LINEAGE_ROUTE_COUNT);
    http_register(r, MLFLOW_ROUTES, MLFLOW_ROUTE_COUNT);
    http_register(r, MLFLOW_EXPERIMENT_ROUTES, MLFLOW_EXPERIMENT_ROUTE_COUNT);
    http_register(r, MLFLOW_RUN_ROUTES, MLFLOW_RUN_ROUTE_COUNT);
    http_register(r, MLFLOW_INPUT_ROUTES, MLFLOW_INPUT_ROUTE_COUNT);
    http_register(r, MLFLOW_METRIC_ROUTES, MLFLOW_METRIC_ROUTE_COUNT);
    http_register(r, MLFLOW_SEARCH_ROUTES, MLFLOW_SEARCH_ROUTE_COUNT);
    http_register(r, MLFLOW_MODEL_ROUTES, MLFLOW_MODEL_ROUTE_COUNT);
    http_register(r, MLFLOW_VERSION_ROUTES, MLFLOW_VERSION_ROUTE_COUNT);
    http_register(r, MLFLOW_WEBHOOK_ROUTES, MLFLOW_WEBHOOK_ROUTE_COUNT);
    http_register(r, MLFLOW_ARTIFACT_ROUTES, MLFLOW_ARTIFACT_ROUTE_COUNT);
    http_register(r, MLFLOW_MULTIPART_ROUTES, MLFLOW_MULTIPART_ROUTE_COUNT);
    http_register(r, MLFLOW_LOGGED_MODEL_ROUTES, MLFLOW_LOGGED_MODEL_ROUTE_COUNT);
    http_register(r, MLFLOW_TRACE_ROUTES, MLFLOW_TRACE_ROUTE_COUNT);
    http_register(r, MLFLOW_OLD_TRACE_ROUTES, MLFLOW_OLD_TRACE_ROUTE_COUNT);
    http_register(r, MLFLOW_EVALUATION_ROUTES, MLFLOW_EVALUATION_ROUTE_COUNT);
    http_register(r, MLFLOW_ISSUE_ROUTES, MLFLOW_ISSUE_ROUTE_COUNT);
    return r;
}

/* What clients read when they break a rule of the schema. */
static void register_constraints(void) {
    db_register_constraints(AUTH_CONSTRAINTS, AUTH_CONSTRAINT_COUNT);
    db_register_constraints(SERVICE_CONSTRAINTS, SERVICE_CONSTRAINT_COUNT);
    db_register_constraints(QUOTAS_CONSTRAINTS, QUOTAS_CONSTRAINT_COUNT);
    db_register_constraints(GROUPS_CONSTRAINTS, GROUPS_CONSTRAINT_COUNT);
    db_register_constraints(PROJECTS_CONSTRAINTS, PROJECTS_CONSTRAINT_COUNT);
    db_register_constraints(WEBHOOK_CONSTRAINTS, WEBHOOK_CONSTRAINT_COUNT);
    db_register_constraints(DATASETS_CONSTRAINTS, DATASETS_CONSTRAINT_COUNT);
    db_register_constraints(TRACKING_CONSTRAINTS, TRACKING_CONSTRAINT_COUNT);
    db_register_constraints(ARTIFACT_FILE_CONSTRAINTS, ARTIFACT_FILE_CONSTRAINT_COUNT);
    db_register_constraints(LOGGED_MODEL_CONSTRAINTS, LOGGED_MODEL_CONSTRAINT_COUNT);
    db_register_constraints(TRACE_CONSTRAINTS, TRACE_CONSTRAINT_COUNT);
    db_register_constraints(REGISTRY_CONSTRAINTS, REGISTRY_CONSTRAINT_COUNT);
}

static enum err start_db(struct app *app, struct err_info *err) {
    register_constraints();
    const struct db_pool_options options = {.url = app->config->database_url,
                                            .size = (int)app->config->db_pool,
                                            .wait_ms = (int)app->config->db_wait_ms};
    TRY(db_pool_new(&options, &app->db, err));
    enum err current = db_require_schema(app->db, err);
    if (current != OK)
        db_pool_free(app->db);
    return current;
}

static void stop_db(struct app *app) {
    db_pool_free(app->db);
}

static enum err start_auth(struct app *app, struct err_info *err) {
    const struct auth_options options = {.key_dir = app->config->key_dir,
                                         .session_hours = app->config->session_hours,
                                         .access_minutes = app->config->access_minutes};
    return auth_new(&options, &app->auth, err);
}

static void stop_auth(struct app *app) {
    auth_free(app->auth);
}

static enum err start_blobs(struct app *app, struct err_info *err) {
    return blobs_new(app->config->data_dir, &app->blobs, err);
}

static void stop_blobs(struct app *app) {
    blobs_free(app->blobs);
}

static enum err start_feed(struct app *app, struct err_info *err) {
    (void)err;
    app->feed = feed_new();
    return OK;
}

static void stop_feed(struct app *app) {
    feed_free(app->feed);
}

static enum err start_ingest(struct app *app, struct err_info *err) {
    (void)err;
    app->ingest = ingest_new(app);
    return OK;
}

static void stop_ingest(struct app *app) {
    ingest_free(app->ingest);
}

static enum err start_folding(struct app *app, struct err_info *err) {
    return ingest_start(app->ingest, err);
}

static void stop_folding(struct app *app) {
    ingest_stop(app->ingest);
}

static enum err start_webhooks(struct app *app, struct err_info *err) {
    (void)err;
    app->webhooks = webhooks_new();
    return OK;
}

static void stop_webhooks(struct app *app) {
    webhooks_free(app->webhooks);
}

static enum err start_sending(struct app *app, struct err_info *err) {
    return webhooks_start(app, err);
}

static void stop_sending(struct app *app) {
    webhooks_stop(app->webhooks);
}

static enum err start_mlflow(struct app *app, struct err_info *err) {
    (void)err;
    app->mlflow = mlflow_new();
    return OK;
}

static void stop_mlflow(struct app *app) {
    mlflow_free(app->mlflow);
}

static enum err start_serving(struct app *app, struct err_info *err) {
    app->serving = serving_new(app->config->serve_dir);
    return serving_start(app, err);
}

static void stop_serving(struct app *app) {
    serving_stop(app->serving);
    serving_free(app->serving);
}

static enum err start_jobs(struct app *app, struct err_info *err) {
    app->jobs = jobs_new();
    jobs_register(app->jobs, DATASETS_JOBS, DATASETS_JOB_COUNT);
    jobs_register(app->jobs, TRAINING_JOBS, TRAINING_JOB_COUNT);
    jobs_register(app->jobs, SERVING_JOBS, SERVING_JOB_COUNT);
    return jobs_start(app, err);
}

static void stop_jobs(struct app *app) {
    jobs_stop(app->jobs);
    jobs_free(app->jobs);
}

/* --- sweeping: what nobody needs any more, once a minute --- */

static const struct {
    const char *name;
    enum err (*run)(struct ctx *cx);
} SWEEPS[] = {{"auth", auth_sweep},       {"feed", feed_sweep},
              {"uploads", uploads_sweep}, {"blobs", blobs_sweep},
              {"strays", strays_sweep},   {"parts", artifact_uploads_sweep},
              {"runs", runs_sweep},       {"webhooks", webhooks_sweep}};

static void sweep(struct app *app) {
    for (size_t i = 0; i < sizeof(SWEEPS) / sizeof(SWEEPS[0]); i++) {
        struct ctx cx;
        ctx_init(&cx, app);
        cx.who.kind = PRINCIPAL_SYSTEM;
        enum err err = SWEEPS[i].run(&cx);
        if (err == OK)
            err = db_commit(&cx);
        if (err != OK)
            log_event(LOG_WARNING, "sweep.failed", LOG_T("of", SWEEPS[i].name),
                      LOG_T("message", cx.err.message), LOG_T("detail", cx.err.detail));
        ctx_done(&cx);
    }
}

/* False when the process ends. */
static bool wait_minute(struct process *p) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SWEEP_SECONDS;
    scope_lock(&p->lock);
    while (!p->stopping)
        if (pthread_cond_timedwait(&p->stop, &p->lock, &until) == ETIMEDOUT)
            break;
    return !p->stopping;
}

static void *run_sweeper(void *arg) {
    struct process *p = arg;
    while (wait_minute(p))
        sweep(&p->app);
    return NULL;
}

static enum err start_sweeper(struct app *app, struct err_info *err) {
    struct process *p = process_of(app);
    if (pthread_create(&p->sweeper, NULL, run_sweeper, p) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not start a thread");
    return OK;
}

static void stop_sweeper(struct app *app) {
    struct process *p = process_of(app);
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    pthread_cond_signal(&p->stop);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->sweeper, NULL);
}

/* --- HTTP --- */

static void add_host(struct process *p, const char *name, size_t length) {
    size_t count = 0;
    while (p->hosts[count])
        count++;
    if (count == HOSTS_MAX || length == 0)
        return;
    char *host = arena_strndup(p->arena, name, length);
    for (char *c = host; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    p->hosts[count] = host;
}

/* As configured; otherwise the names this machine has of itself. */
static void find_hosts(struct process *p) {
    static const char *const OWN[] = {"localhost", "127.0.0.1", "::1"};
    const char *at = p->app.config->allowed_hosts;
    char name[256] = "";

    for (size_t i = 0; !at && i < sizeof(OWN) / sizeof(OWN[0]); i++)
        add_host(p, OWN[i], strlen(OWN[i]));
    if (!at && gethostname(name, sizeof(name) - 1) == 0)
        add_host(p, name, strlen(name));
    while (at && *at) {
        at += strspn(at, ", ");
        add_host(p, at, strcspn(at, ", "));
        at += strcspn(at, ", ");
    }
}

static enum err start_http(struct app *app, struct err_info *err) {
    struct process *p = process_of(app);
    const struct config *config = app->config;
    find_hosts(p);
    p->http = (struct http_options){.listen = config->listen,
                                    .certificate = config->tls_cert,
                                    .private_key = config->tls_key,
                                    .key_dir = config->key_dir,
                                    .static_dir = config->static_dir,
                                    .hosts = p->hosts,
                                    .trusted_proxy = config->trusted_proxy,
                                    .threads = (int)config->threads,
                                    .streams = (int)config->streams};
    struct http_registry *registry = app_registry();
    enum err made = http_server_new(&p->http, registry, &app->http, err);
    if (made != OK)
        http_registry_free(registry);
    return made;
}

static void stop_http(struct app *app) {
    http_server_free(app->http);
}

/* Nothing is there to stop: what is written stays until it is used. */
static void stop_nothing(struct app *app) {
    (void)app;
}

/* Needs the schema: an old one is told here already. */
static enum err start_setup(struct app *app, struct err_info *err) {
    struct ctx cx;
    TRY(db_require_schema(app->db, err));
    ctx_init(&cx, app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    enum err prepared = auth_setup_prepare(&cx);
    if (prepared != OK)
        *err = cx.err;
    ctx_done(&cx);
    return prepared;
}

static enum err start_listening(struct app *app, struct err_info *err) {
    return http_listen(app, err);
}

static void stop_listening(struct app *app) {
    http_drain(app->http);
    feed_wake(app->feed);
    http_wait_idle(app->http, DRAIN_MS);
    http_close(app->http);
}

static const struct {
    const char *name;
    enum app_extent since; /* the least extent that has it */
    enum err (*start)(struct app *app, struct err_info *err);
    void (*stop)(struct app *app);
} PARTS[] = {
    {"database", APP_DATABASE, start_db, stop_db},
    {"sign-in", APP_SERVICE, start_auth, stop_auth},
    {"blobs", APP_SERVICE, start_blobs, stop_blobs},
    {"feed", APP_SERVICE, start_feed, stop_feed},
    {"ingest", APP_SERVICE, start_ingest, stop_ingest},
    {"webhooks", APP_SERVICE, start_webhooks, stop_webhooks},
    {"serving", APP_SERVICE, start_serving, stop_serving},
    {"jobs", APP_SERVICE, start_jobs, stop_jobs},
    {"MLflow", APP_SERVICE, start_mlflow, stop_mlflow},
    {"HTTP", APP_SERVICE, start_http, stop_http},
    {"set-up", APP_SERVER, start_setup, stop_nothing},
    {"folding", APP_SERVER, start_folding, stop_folding},
    {"sending", APP_SERVER, start_sending, stop_sending},
    {"sweeper", APP_SERVER, start_sweeper, stop_sweeper},
    {"listener", APP_SERVER, start_listening, stop_listening},
};
#define PART_COUNT (sizeof(PARTS) / sizeof(PARTS[0]))

static struct process *process_new(const struct config *config) {
    struct process *p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    p->app.config = config;
    p->arena = arena_new();
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->stop, NULL);
    return p;
}

enum err app_new(const struct config *config, enum app_extent extent, struct app **ret,
                 struct err_info *err) {
    struct process *p = process_new(config);
    for (; p->started < PART_COUNT && PARTS[p->started].since <= extent; p->started++) {
        enum err started = PARTS[p->started].start(&p->app, err);
        if (started != OK) {
            snprintf(err->detail, sizeof(err->detail), "while starting: %s",
                     PARTS[p->started].name);
            app_free(&p->app);
            return started;
        }
    }
    *ret = &p->app;
    return OK;
}

void app_free(struct app *app) {
    if (!app)
        return;
    struct process *p = process_of(app);
    while (p->started > 0)
        PARTS[--p->started].stop(app);
    pthread_cond_destroy(&p->stop);
    pthread_mutex_destroy(&p->lock);
    arena_free(p->arena);
    free(p);
}
