/* How many requests may be under way at once: in all, and of each class.
 *
 * Full means 503 with Retry-After, at once: a queue in here would only move the waiting to where
 * the client cannot see it. The exception are bodies so big that decoding a few of them takes what
 * memory there is: they take turns, because each is soon done. Four threads stay free of the total
 * for /livez and /readyz, which never come here, so that a full server can still say that it is
 * alive. */
#include "http/internal.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define RESERVED_THREADS 4
#define BIG_AT_ONCE 4
#define BIG_WAIT_S 5

/* Of each class at once; streams are an option. Sign-in is bounded because each one costs 64 MiB
 * and a tenth of a second of hashing. */
static const int CLASS_LIMITS[RATE_COUNT] = {
    [RATE_DEFAULT] = 48,  [RATE_LOGIN] = 8,  [RATE_UPLOAD] = 8,
    [RATE_DOWNLOAD] = 12, [RATE_SEARCH] = 8, [RATE_PREDICT] = 16,
    [RATE_WORKER] = 16,   [RATE_POLL] = 16,  [RATE_OUTBOUND] = 4};

struct admission {
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t empty, big_left;
    int total, limit, big;
    int in_class[RATE_COUNT];
    int limits[RATE_COUNT]; /* not under the lock: read-only */
};

/* Half the threads stay for requests that end by themselves, whatever was configured. */
static int stream_limit(const struct http_options *options) {
    int half = options->threads / 2;
    return options->streams < half ? options->streams : half;
}

struct admission *admission_new(const struct http_options *options) {
    int threads = options->threads;
    struct admission *a = calloc(1, sizeof(*a));
    if (!a)
        abort();
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->empty, NULL);
    pthread_cond_init(&a->big_left, NULL);
    memcpy(a->limits, CLASS_LIMITS, sizeof(a->limits));
    a->limits[RATE_STREAM] = stream_limit(options);
    a->limit = threads > 2 * RESERVED_THREADS ? threads - RESERVED_THREADS : threads;
    return a;
}

void admission_free(struct admission *a) {
    if (!a)
        return;
    pthread_cond_destroy(&a->big_left);
    pthread_cond_destroy(&a->empty);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

bool admission_enter(struct admission *a) {
    scope_lock(&a->lock);
    if (a->total >= a->limit)
        return false;
    a->total++;
    return true;
}

void admission_leave(struct admission *a) {
    scope_lock(&a->lock);
    if (--a->total == 0)
        pthread_cond_broadcast(&a->empty);
}

bool admission_enter_class(struct admission *a, enum rate_class rate) {
    scope_lock(&a->lock);
    if (a->in_class[rate] >= a->limits[rate])
        return false;
    a->in_class[rate]++;
    return true;
}

void admission_leave_class(struct admission *a, enum rate_class rate) {
    scope_lock(&a->lock);
    a->in_class[rate]--;
}

static struct timespec seconds_from_now(int seconds) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += seconds;
    return at;
}

bool admission_enter_big(struct admission *a) {
    struct timespec until = seconds_from_now(BIG_WAIT_S);
    scope_lock(&a->lock);
    while (a->big >= BIG_AT_ONCE)
        if (pthread_cond_timedwait(&a->big_left, &a->lock, &until) == ETIMEDOUT)
            return false;
    a->big++;
    return true;
}

void admission_leave_big(struct admission *a) {
    scope_lock(&a->lock);
    a->big--;
    pthread_cond_signal(&a->big_left);
}

int admission_count(struct admission *a) {
    scope_lock(&a->lock);
    return a->total;
}

void admission_wait_empty(struct admission *a, int timeout_ms) {
    struct timespec until = seconds_from_now(timeout_ms / 1000);
    scope_lock(&a->lock);
    while (a->total > 0)
        if (pthread_cond_timedwait(&a->empty, &a->lock, &until) == ETIMEDOUT)
            return;
}
