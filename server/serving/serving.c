/* serving.c: the process's part of serving, and its one thread. Every five seconds the thread adds
 * what was counted in memory to the endpoints' rows and stops the endpoints that nobody used for
 * ten minutes. It works in transactions of its own; a failure is logged and tried again next time.
 */
#include "serving/serving.h"
#include "serving/internal.h"

#include "base/log.h"
#include "sql/serving.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUND_S 2
#define IDLE_S 600

struct serving {
    struct connections *connections;
    struct app *app;
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of stopping */
    pthread_cond_t wake;
    bool stopping;
};

struct serving *serving_new(const char *serve_dir) {
    struct serving *serving = calloc(1, sizeof(*serving));
    if (!serving)
        abort();
    serving->connections = connections_new(serve_dir);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&serving->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&serving->lock, NULL);
    return serving;
}

void serving_free(struct serving *serving) {
    if (!serving)
        return;
    connections_free(serving->connections);
    pthread_cond_destroy(&serving->wake);
    pthread_mutex_destroy(&serving->lock);
    free(serving);
}

struct connections *serving_connections(struct serving *serving) {
    return serving->connections;
}

/* Runs fn as the system in a transaction of its own. */
static void as_system(struct app *app, const char *what,
                      enum err (*fn)(struct ctx *cx, const void *arg), const void *arg) {
    struct ctx cx;
    ctx_init(&cx, app);
    cx.who = (struct principal){.kind = PRINCIPAL_SYSTEM, .name = "slipwayd"};
    enum err err = fn(&cx, arg);
    if (err == OK)
        err = db_commit(&cx);
    if (err != OK)
        log_event(LOG_ERROR, what, LOG_T("error", cx.err.message), LOG_T("detail", cx.err.detail));
    ctx_done(&cx);
}

static enum err counts_write(struct ctx *cx, const void *arg) {
    const struct target_counts *counts = arg;
    return db_exec(cx, &SQL_endpoint_count,
                   ARGS(counts->target.team_id, counts->target.endpoint_id,
                        db_int(cx, counts->requests), db_int(cx, counts->errors),
                        db_int(cx, counts->p50_us)),
                   NULL);
}

struct idle {
    const char *id, *team_id;
};
static const struct field IDLE_FIELDS[] = {
    FIELD(UUID, struct idle, id),
    FIELD(UUID, struct idle, team_id),
};
static SHAPE(IDLE_SHAPE, "IdleEndpoint", struct idle, IDLE_FIELDS);

static enum err idle_stop(struct ctx *cx, const void *arg) {
    const struct idle *idle = arg;
    TRY(db_act_as_team(cx, idle->team_id));
    return endpoint_stop(cx, idle->id);
}

static enum err idle_stop_all(struct ctx *cx, const void *arg) {
    const int64_t *idle_s = arg;
    struct list rows;
    TRY(db_many(cx, &SQL_endpoint_idle, ARGS(db_int(cx, *idle_s)), &IDLE_SHAPE, &rows));
    TRY(db_commit(cx));
    for (size_t i = 0; i < rows.count; i++)
        as_system(cx->app, "endpoint.stop_failed", idle_stop, (struct idle *)rows.items + i);
    return OK;
}

static void counts_write_all(struct app *app, unsigned sweep) {
    struct target_counts counts;
    while (target_sweep(app->serving->connections, sweep, &counts))
        as_system(app, "endpoint.count_failed", counts_write, &counts);
}

void serving_round(struct app *app, unsigned sweep, int64_t idle_s) {
    counts_write_all(app, sweep);
    as_system(app, "endpoint.idle_failed", idle_stop_all, &idle_s);
}

/* False when it is time to end. */
static bool wait_round(struct serving *serving) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ROUND_S;
    pthread_mutex_lock(&serving->lock);
    int result = 0;
    while (!serving->stopping && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&serving->wake, &serving->lock, &until);
    bool stopping = serving->stopping;
    pthread_mutex_unlock(&serving->lock);
    return !stopping;
}

static void *serving_thread(void *arg) {
    struct serving *serving = arg;
    unsigned sweep = 1;
    while (wait_round(serving))
        serving_round(serving->app, sweep++, IDLE_S);
    counts_write_all(serving->app, sweep); /* what was counted is not lost by a shutdown */
    return NULL;
}

enum err serving_start(struct app *app, struct err_info *err) {
    app->serving->app = app;
    int failed = pthread_create(&app->serving->thread, NULL, serving_thread, app->serving);
    if (failed) {
        *err = (struct err_info){.code = ERR_INTERNAL};
        snprintf(err->message, sizeof(err->message), "could not start the serving thread: %s",
                 strerror(failed));
        return ERR_INTERNAL;
    }
    app->serving->running = true;
    return OK;
}

void serving_stop(struct serving *serving) {
    if (!serving || !serving->running)
        return;
    pthread_mutex_lock(&serving->lock);
    serving->stopping = true;
    pthread_cond_signal(&serving->wake);
    pthread_mutex_unlock(&serving->lock);
    pthread_join(serving->thread, NULL);
    serving->running = false;
}
