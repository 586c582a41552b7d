/* The pool: a bounded number of connections, shared by all threads, lent to one at a time.
 *
 * Bounded twice: at most `size` connections, and whoever waits longer than `wait_ms` is told 503
 * with Retry-After instead of queueing. A connection that died while idle (PostgreSQL restarted, an
 * administrator ended the backend) is noticed before it is lent: its socket is readable. lock
 * guards every member of the pool; connecting and talking happen outside it. */

#include "base/clock.h"
#include "db/internal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>

/* search_path is fixed so that no object in another schema can stand in for ours. */
#define SESSION_SETTINGS                                                                           \
    "-c statement_timeout=10s -c lock_timeout=2s -c idle_in_transaction_session_timeout=15s "      \
    "-c timezone=UTC -c datestyle=ISO -c search_path=public -c jit=off"

struct db_pool {
    pthread_mutex_t lock;
    pthread_cond_t freed; /* a connection came back, or a place for a new one */
    char *url;
    int size, wait_ms;
    int open; /* idle and lent */
    struct pooled *idle;
};

PGconn *pg_connect(const char *url, const char *settings, struct err_info *err) {
    /* Later ones win: the operator's URL beats our connection defaults, not our session settings.
     */
    static const char *const keys[] = {
        "connect_timeout",  "keepalives_idle", "tcp_user_timeout",
        "application_name", "client_encoding", "target_session_attrs",
        "dbname",           "options",         NULL};
    const char *const values[] = {"3",          "10", "10000",  "slipwayd", "UTF8",
                                  "read-write", url,  settings, NULL};
    PGconn *pg = PQconnectdbParams(keys, values, 1);
    if (pg && PQstatus(pg) == CONNECTION_OK)
        return pg;
    connection_to_err(pg, err);
    PQfinish(pg);
    return NULL;
}

static void pooled_free(struct pooled *c) {
    PQfinish(c->pg);
    free(c->prepared);
    free(c);
}

static struct pooled *pooled_new(const char *url, struct err_info *err) {
    PGconn *pg = pg_connect(url, SESSION_SETTINGS, err);
    if (!pg)
        return NULL;
    struct pooled *c = calloc(1, sizeof(*c));
    if (!c)
        abort();
    c->pg = pg;
    PQenterPipelineMode(pg);
    return c;
}

/* The second wall between teams stands only if the role cannot walk around it. */
static enum err check_role(struct pooled *c, struct err_info *err) {
    PQexitPipelineMode(c->pg);
    auto_result *r = PQexec(c->pg, "select rolname from pg_roles where rolname = current_user and "
                                   "(rolsuper or rolbypassrls)");
    PQenterPipelineMode(c->pg);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        return result_to_err(r, "check_role", err);
    if (PQntuples(r) > 0)
        return err_set(err, ERR_INVALID, "database_url",
                       "database role \"%s\" bypasses row-level security; use one that does not",
                       PQgetvalue(r, 0, 0));
    return OK;
}

static struct db_pool *pool_alloc(const struct db_pool_options *options) {
    struct db_pool *pool = calloc(1, sizeof(*pool));
    if (!pool || !(pool->url = strdup(options->url)))
        abort();
    pool->size = options->size;
    pool->wait_ms = options->wait_ms;
    pthread_mutex_init(&pool->lock, NULL);
    /* The wall clock may be set while somebody waits. */
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->freed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return pool;
}

enum err db_pool_new(const struct db_pool_options *options, struct db_pool **ret,
                     struct err_info *err) {
    struct pooled *first = pooled_new(options->url, err);
    if (!first)
        return err->code;
    enum err checked = check_role(first, err);
    if (checked != OK) {
        pooled_free(first);
        return checked;
    }
    struct db_pool *pool = pool_alloc(options);
    pool->idle = first;
    pool->open = 1;
    *ret = pool;
    return OK;
}

void db_pool_free(struct db_pool *pool) {
    if (!pool)
        return;
    for (struct pooled *c = pool->idle, *next; c; c = next) {
        next = c->next;
        pooled_free(c);
    }
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->lock);
    free(pool->url);
    free(pool);
}

/* Nothing should arrive while a connection is idle but its end. Two reads, because the farewell
 * message and the end of the stream come one after the other. */
static bool pooled_is_alive(struct pooled *c) {
    struct pollfd fd = {.fd = PQsocket(c->pg), .events = POLLIN};
    for (int i = 0; i < 2 && poll(&fd, 1, 0) != 0; i++)
        if (fd.revents & (POLLERR | POLLNVAL) || !PQconsumeInput(c->pg))
            return false;
    return PQstatus(c->pg) == CONNECTION_OK;
}

static struct timespec monotonic_at(int64_t at_us) {
    return (struct timespec){.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
}

/* Under the lock: an idle connection, or the right to open one (*ret = NULL), or a time-out. */
static enum err wait_for_place(struct db_pool *pool, int64_t until_us, struct pooled **ret,
                               struct err_info *err) {
    scope_lock(&pool->lock);
    struct timespec until = monotonic_at(until_us);
    int waited = 0;
    while (!pool->idle && pool->open >= pool->size && waited == 0)
        waited = pthread_cond_timedwait(&pool->freed, &pool->lock, &until);
    if (pool->idle) {
        *ret = pool->idle;
        pool->idle = (*ret)->next;
    } else if (pool->open < pool->size) {
        pool->open++;
        *ret = NULL;
    } else {
        err_set(err, ERR_UNAVAILABLE, NULL, "the database is busy");
        err->retry_after_s = 1;
        return ERR_UNAVAILABLE;
    }
    return OK;
}

static void give_up_place(struct db_pool *pool) {
    scope_lock(&pool->lock);
    pool->open--;
    pthread_cond_signal(&pool->freed);
}

enum err pool_borrow(struct db_pool *pool, int64_t deadline_us, struct pooled **ret,
                     struct err_info *err) {
    int64_t until_us = clock_mono_us() + (int64_t)pool->wait_ms * 1000;
    if (deadline_us && deadline_us < until_us)
        until_us = deadline_us;
    struct pooled *c;
    TRY(wait_for_place(pool, until_us, &c, err));
    if (c && !pooled_is_alive(c)) {
        /* Its place is still ours: the rest of the idle ones most likely died with it. */
        pooled_free(c);
        c = NULL;
    }
    if (!c && !(c = pooled_new(pool->url, err))) {
        give_up_place(pool);
        return err->code;
    }
    c->next = NULL;
    *ret = c;
    return OK;
}

void pool_return(struct db_pool *pool, struct pooled *c) {
    bool clean = PQstatus(c->pg) == CONNECTION_OK && PQtransactionStatus(c->pg) == PQTRANS_IDLE;
    if (!clean) {
        pooled_free(c);
        give_up_place(pool);
        return;
    }
    scope_lock(&pool->lock);
    c->next = pool->idle;
    pool->idle = c;
    pthread_cond_signal(&pool->freed);
}

PGresult *pooled_result(struct pooled *c, bool *ret_lost) {
    int64_t until_us = clock_mono_us() + (int64_t)DB_REPLY_LIMIT_MS * 1000;
    struct pollfd fd = {.fd = PQsocket(c->pg), .events = POLLIN};
    *ret_lost = false;
    while (PQisBusy(c->pg)) {
        int64_t left_us = until_us - clock_mono_us();
        int ready = left_us > 0 ? poll(&fd, 1, (int)(left_us / 1000) + 1) : 0;
        if ((ready < 0 && errno != EINTR) || ready == 0 || !PQconsumeInput(c->pg)) {
            *ret_lost = true;
            return NULL;
        }
    }
    return PQgetResult(c->pg);
}

void db_pool_count(struct db_pool *pool, int *ret_open, int *ret_lent) {
    scope_lock(&pool->lock);
    int idle = 0;
    for (const struct pooled *c = pool->idle; c; c = c->next)
        idle++;
    *ret_open = pool->open;
    *ret_lent = pool->open - idle;
}

bool db_pool_is_alive(struct db_pool *pool, int timeout_ms) {
    struct pooled *c;
    struct err_info err;
    if (pool_borrow(pool, clock_mono_us() + (int64_t)timeout_ms * 1000, &c, &err) != OK)
        return false;
    PQsendQueryParams(c->pg, "select 1", 0, NULL, NULL, NULL, NULL, 0);
    PQpipelineSync(c->pg);
    bool alive = false, lost = false, synced = false;
    while (!lost && !synced) {
        auto_result *r = pooled_result(c, &lost);
        alive |= PQresultStatus(r) == PGRES_TUPLES_OK;
        synced = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
        lost |= PQstatus(c->pg) == CONNECTION_BAD;
    }
    pool_return(pool, c);
    return alive && synced;
}

/* --- which statements a connection knows --------------------------------------------------------
 */

static size_t slot_of(const struct pooled *c, const struct db_stmt *st) {
    size_t mask = c->prepared_cap - 1;
    size_t i = ((uintptr_t)st >> 4) & mask;
    while (c->prepared[i] && c->prepared[i] != st)
        i = (i + 1) & mask;
    return i;
}

bool pooled_has_prepared(const struct pooled *c, const struct db_stmt *st) {
    return c->prepared_cap && c->prepared[slot_of(c, st)];
}

static void grow_prepared(struct pooled *c) {
    struct pooled bigger = {.prepared_cap = c->prepared_cap ? c->prepared_cap * 2 : 64};
    bigger.prepared = calloc(bigger.prepared_cap, sizeof(bigger.prepared[0]));
    if (!bigger.prepared)
        abort();
    for (size_t i = 0; i < c->prepared_cap; i++)
        if (c->prepared[i])
            bigger.prepared[slot_of(&bigger, c->prepared[i])] = c->prepared[i];
    free(c->prepared);
    c->prepared = bigger.prepared;
    c->prepared_cap = bigger.prepared_cap;
}

void pooled_add_prepared(struct pooled *c, const struct db_stmt *st) {
    if (c->prepared_count * 2 >= c->prepared_cap)
        grow_prepared(c);
    c->prepared[slot_of(c, st)] = st;
    c->prepared_count++;
}
