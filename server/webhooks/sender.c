/* The threads that empty the outbox.
 *
 * One of them leads: it looks for what is due, once a second while there is nothing. When it finds
 * something it hands the lead on and sends, so that the others look on at once while there is work,
 * and an idle process asks the database once a second. Processes do not know of each other: the
 * claims keep them apart. */
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

/* The delivery lives in cx's arena. */
static bool claim(struct ctx *cx, struct shipment *ret) {
    bool found = false;
    if (shipment_claim(cx, ret, &found) == OK)
        return found;
    log_event(LOG_WARNING, "webhooks.claim_failed", LOG_T("message", cx->err.message),
              LOG_T("detail", cx->err.detail));
    db_rollback(cx);
    return false;
}

static void deliver(struct ctx *cx, const struct shipment *shipment) {
    if (shipment_deliver(cx, shipment) == OK)
        return;
    log_event(LOG_WARNING, "webhooks.delivery_failed", LOG_T("message", cx->err.message),
              LOG_T("detail", cx->err.detail));
    db_rollback(cx);
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

static void *run_sender(void *arg) {
    struct app *app = arg;
    struct webhooks *w = app->webhooks;
    bool going = true;
    while (going && take_lead(w)) {
        struct shipment shipment;
        bool found = false;
        while (going && !found) {
            struct ctx cx;
            system_ctx(&cx, app);
            found = claim(&cx, &shipment);
            if (found) {
                pass_lead(w);
                deliver(&cx, &shipment);
            }
            ctx_done(&cx);
            going = found || rest(w);
        }
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
