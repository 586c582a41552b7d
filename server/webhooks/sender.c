/* The threads that empty the outbox.
 *
 * One of them leads: it looks for what is due, once a second while there is nothing. When it finds
 * something it hands the lead on and sends, and then looks for more until there is none: all are at
 * work while there is enough, and an idle process asks the database once a second. Processes do not
 * know of each other: the claims keep them apart. */
#include "webhooks/internal.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { SENDERS = 8, PERIOD_S = 1 };

struct webhooks {
    pthread_t threads[SENDERS];
    int thread_count;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* monotonic clock */
    bool has_leader;        /* under lock */
    bool stopping;          /* likewise */
};

struct webhooks *webhooks_new(void) {
    struct webhooks *w = calloc(1, sizeof(*w));
    pthread_condattr_t monotonic;
    if (!w)
        abort();
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return w;
}

void webhooks_free(struct webhooks *w) {
    if (!w)
        return;
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static void system_ctx(struct ctx *cx, struct app *app) {
    ctx_init(cx, app);
    cx->who = (struct principal){.kind = PRINCIPAL_SYSTEM, .name = "system"};
}

/* False when the process is stopping. */
static bool take_lead(struct webhooks *w) {
    scope_lock(&w->lock);
    while (w->has_leader && !w->stopping)
        pthread_cond_wait(&w->changed, &w->lock);
    w->has_leader = true;
    return !w->stopping;
}

static void pass_lead(struct webhooks *w) {
    scope_lock(&w->lock);
    w->has_leader = false;
    pthread_cond_signal(&w->changed);
}

static bool is_stopping(struct webhooks *w) {
    scope_lock(&w->lock);
    return w->stopping;
}

/* False when the process is stopping. */
static bool rest(struct webhooks *w) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PERIOD_S;
    scope_lock(&w->lock);
    while (!w->stopping && pthread_cond_timedwait(&w->changed, &w->lock, &until) != ETIMEDOUT)
        ;
    return !w->stopping;
}

static void log_failure(const struct err_info *err) {
    log_event(LOG_WARNING, "webhooks.sending_failed", LOG_T("message", err->message),
              LOG_T("detail", err->detail));
}

/* False when nothing is due, or could be found out. leads: hands the lead on before it sends. */
static bool send_next(struct app *app, bool leads) {
    struct shipment shipment;
    bool found = false;
    struct ctx cx;
    system_ctx(&cx, app);
    enum err err = shipment_claim(&cx, &shipment, &found);
    bool claimed = err == OK && found;
    if (claimed && leads)
        pass_lead(app->webhooks);
    if (claimed)
        err = shipment_deliver(&cx, &shipment);
    if (err != OK)
        log_failure(&cx.err);
    ctx_done(&cx);
    return claimed;
}

static void *run_sender(void *arg) {
    struct app *app = arg;
    while (take_lead(app->webhooks)) {
        bool going = true;
        while (going && !send_next(app, true))
            going = rest(app->webhooks);
        /* Its hook may be told the next thing now: no need to wait for the leader to look. */
        while (going && !is_stopping(app->webhooks) && send_next(app, false))
            ;
    }
    return NULL;
}

enum err webhooks_start(struct app *app, struct err_info *err) {
    struct webhooks *w = app->webhooks;
    for (; w->thread_count < SENDERS; w->thread_count++)
        if (pthread_create(&w->threads[w->thread_count], NULL, run_sender, app) != 0) {
            webhooks_stop(w);
            return err_set(err, ERR_INTERNAL, NULL, "could not start a sender of webhooks");
        }
    return OK;
}

void webhooks_stop(struct webhooks *w) {
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    while (w->thread_count > 0)
        pthread_join(w->threads[--w->thread_count], NULL);
}

enum err webhooks_send_one(struct app *app, bool *ret_found, struct err_info *err) {
    struct ctx cx;
    struct shipment shipment;
    system_ctx(&cx, app);
    enum err sent = shipment_claim(&cx, &shipment, ret_found);
    if (sent == OK && *ret_found)
        sent = shipment_deliver(&cx, &shipment);
    *err = cx.err;
    ctx_done(&cx);
    return sent;
}
