/* See quotas.h. A team's minute begins with its first request and does not move. Two teams may
 * share a place of the table: the one that comes later takes it, and its minute begins anew. */
#include "auth/quotas.h"

#include "auth/auth_private.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "sql/auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 4096, MINUTE_US = 60000000 };

struct place {
    char team_id[ID_SIZE];
    int64_t since_us, requests;
};

struct request_counts {
    pthread_mutex_t lock;
    struct place places[PLACES]; /* under lock */
};

struct request_counts *request_counts_new(void) {
    struct request_counts *counts = calloc(1, sizeof(*counts));
    if (!counts)
        abort();
    pthread_mutex_init(&counts->lock, NULL);
    return counts;
}

void request_counts_free(struct request_counts *counts) {
    pthread_mutex_destroy(&counts->lock);
    free(counts);
}

/* The team's place in its present minute. Under the lock. */
static struct place *place_of(struct request_counts *counts, const char *team_id, int64_t now) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *c = team_id; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    struct place *p = &counts->places[hash % PLACES];
    if (strcmp(p->team_id, team_id) != 0 || now - p->since_us >= MINUTE_US) {
        memset(p, 0, sizeof(*p));
        memccpy(p->team_id, team_id, '\0', ID_SIZE);
        p->since_us = now;
    }
    return p;
}

enum err quota_count_request(struct ctx *cx) {
    struct request_counts *counts = cx->app->auth->requests;
    int64_t now = clock_mono_us(), wait_us = 0;
    if (cx->who.requests_max <= 0)
        return OK;
    {
        scope_lock(&counts->lock);
        struct place *p = place_of(counts, cx->who.team_id, now);
        if (p->requests >= cx->who.requests_max)
            wait_us = p->since_us + MINUTE_US - now;
        else
            p->requests++;
    }
    if (!wait_us)
        return OK;
    enum err err =
        fail(cx, ERR_RATE_LIMITED, "the team's quota \"requests_per_minute\" is used up");
    cx->err.retry_after_s = (int)(wait_us / 1000000) + 1;
    return err;
}

static int64_t requests_used(struct ctx *cx) {
    struct request_counts *counts = cx->app->auth->requests;
    scope_lock(&counts->lock);
    return place_of(counts, cx->who.team_id, clock_mono_us())->requests;
}

/* --- routes --- */

enum { QUOTA_REQUESTS = 4 };
static const char *const QUOTA_NAMES[] = {"storage_bytes",       "runs",    "queued_jobs", "tokens",
                                          "requests_per_minute", "members", NULL};

#define QUOTA_SENTENCE(name)                                                                       \
    { "quota_" name, ERR_FORBIDDEN, NULL, "the team's quota \"" name "\" is used up" }
const struct db_constraint QUOTAS_CONSTRAINTS[] = {
    QUOTA_SENTENCE("storage_bytes"), QUOTA_SENTENCE("runs"),    QUOTA_SENTENCE("queued_jobs"),
    QUOTA_SENTENCE("tokens"),        QUOTA_SENTENCE("members"),
};
const size_t QUOTAS_CONSTRAINT_COUNT = sizeof(QUOTAS_CONSTRAINTS) / sizeof(QUOTAS_CONSTRAINTS[0]);

struct quota {
    int name;
    int64_t limit; /* FIELD_NO_INT = none */
    int64_t used;
};
static const struct field QUOTA_FIELDS[] = {
    FIELD(ENUM, struct quota, name, .names = QUOTA_NAMES),
    FIELD(INT, struct quota, limit, .flags = FIELD_NULLABLE,
          .doc = "null = none; requests are counted by each slipwayd for itself"),
    FIELD(INT, struct quota, used, .doc = "requests: of this minute, when they are limited"),
};
static SHAPE(QUOTA, "Quota", struct quota, QUOTA_FIELDS);

struct quotas {
    struct list items;
};
static const struct field QUOTAS_FIELDS[] = {
    FIELD(LIST, struct quotas, items, .nested = &QUOTA),
};
static SHAPE(QUOTAS, "Quotas", struct quotas, QUOTAS_FIELDS);

static const struct field QUOTA_SET_FIELDS[] = {
    FIELD(ENUM, struct quota, name, .flags = FIELD_REQUIRED, .names = QUOTA_NAMES),
    FIELD(INT, struct quota, limit, .flags = FIELD_REQUIRED | FIELD_NULLABLE, .min = 0,
          .max = INT64_C(1) << 53),
};
static SHAPE(QUOTA_SET, "QuotaSet", struct quota, QUOTA_SET_FIELDS);

static enum err reply_quotas(struct ctx *cx, struct reply *rp) {
    struct quotas *quotas = arena_new_struct(cx->arena, struct quotas);
    TRY(db_many(cx, &SQL_quota_list, ARGS(cx->who.team_id), &QUOTA, &quotas->items));
    struct quota *items = quotas->items.items;
    items[QUOTA_REQUESTS].used = requests_used(cx);
    reply_object(rp, quotas);
    return OK;
}

static enum err get_quotas(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    return reply_quotas(cx, rp);
}

static enum err put_quota(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct quota *body = rq->body;
    const char *name = QUOTA_NAMES[body->name];
    if (body->name == QUOTA_REQUESTS && body->limit >= 0 && body->limit < 60)
        return fail_field(cx, ERR_INVALID, "limit", "fewer than 60 would lock everybody out");
    if (body->limit == FIELD_NO_INT)
        TRY(db_exec(cx, &SQL_quota_clear, ARGS(cx->who.team_id, name), NULL));
    else
        TRY(db_exec(cx, &SQL_quota_set, ARGS(cx->who.team_id, name, db_int(cx, body->limit)),
                    NULL));
    principals_forget(cx->app->auth->principals, cx->who.team_id);
    return reply_quotas(cx, rp);
}

const struct route QUOTAS_ROUTES[] = {
    {GET, "/api/v1/quotas", SCOPE_TEAM_READ, .reply = &QUOTAS, .handle = get_quotas,
     .doc = "What the team may have at most, and has."},
    {PUT, "/api/v1/quotas", SCOPE_TEAM_OWN, .body = &QUOTA_SET, .reply = &QUOTAS,
     .handle = put_quota, .audit = "quota.set", .doc = "Set or lift one of the team's quotas."},
};
const size_t QUOTAS_ROUTE_COUNT = ROUTES_COUNT(QUOTAS_ROUTES);
