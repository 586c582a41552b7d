/* ingest.c: storing batches.
 *
 * A batch is one row of the inbox and nothing else, so what a request costs is its commit: the wait
 * for the disk. Requests that only log metrics therefore share one. Each joins a queue; whoever
 * finds no more than LEADERS_MAX - 1 others at work becomes a leader, takes from the queue what may
 * go with its own batch, stores it all in one statement, commits, and tells the others how their
 * batches fared. While a leader waits for the disk the queue grows, so the more requests there are,
 * the more share a commit, and one alone does not wait for company.
 *
 * Requests go together when they see the same: same team and same wall (db/query.c), for the
 * leader's statement looks up the runs of all. If it fails, each batch is tried alone, so that
 * nobody's batch fails for another's.
 *
 * What is not folded yet is bounded: a team that stores faster than the folder folds has its
 * leaders fold too, and beyond the second limit is told to come back later. */
#include "tracking/metrics_private.h"

#include "base/cleanup.h"
#include "base/ident.h"
#include "sql/tracking.h"

#include <string.h>

/* Two: while one waits for the disk the other one's statement runs. */
#define LEADERS_MAX 2
#define SHARED_BATCHES_MAX 200
#define SHARED_BYTES_MAX (1024 * 1024)

/* A batch on its way; lives on the stack of the thread that waits for it. */
struct request {
    struct ctx *cx;
    const char *project_id, *run_id;
    struct batch batch;
    int64_t points;
    struct request *next; /* in the queue or in a leader's hand */
    bool taken, done;
    enum { REQUEST_ABSENT, REQUEST_ARCHIVED, REQUEST_STORED } fate; /* when err is OK */
    enum err err;
    struct err_info why;
    pthread_cond_t turn; /* done, or time to become a leader */
};

struct ingest *ingest_new(struct app *app) {
    struct ingest *m = calloc(1, sizeof(*m));
    if (!m)
        abort();
    m->app = app;
    m->end = &m->first;
    pthread_mutex_init(&m->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&m->stop, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return m;
}

void ingest_free(struct ingest *m) {
    if (!m)
        return;
    pthread_cond_destroy(&m->stop);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* --- the statement ---------------------------------------------------------------------------- */

struct added_row {
    int64_t ord;
    bool archived;
};
static const struct field ADDED_ROW_FIELDS[] = {FIELD(INT, struct added_row, ord),
                                                FIELD(BOOL, struct added_row, archived)};
static SHAPE(ADDED_ROW_SHAPE, "AddedRow", struct added_row, ADDED_ROW_FIELDS);

/* Inserts the batches of a list of requests and notes what became of each. */
static enum err insert_batches(struct ctx *cx, struct request *first, size_t count) {
    const char **run_ids = arena_new_array(cx->arena, const char *, count);
    const char **project_ids = arena_new_array(cx->arena, const char *, count);
    int64_t *points = arena_new_array(cx->arena, int64_t, count);
    struct db_bytes *bodies = arena_new_array(cx->arena, struct db_bytes, count);
    struct db_bytes *digests = arena_new_array(cx->arena, struct db_bytes, count);
    struct request **requests = arena_new_array(cx->arena, struct request *, count);
    size_t i = 0;
    for (struct request *rq = first; i < count; rq = rq->next, i++) {
        requests[i] = rq;
        run_ids[i] = rq->run_id;
        project_ids[i] = rq->project_id;
        points[i] = rq->points;
        bodies[i] = rq->batch.body;
        digests[i] = rq->batch.digest;
        rq->fate = REQUEST_ABSENT;
    }
    struct list rows;
    TRY(db_many(cx, &SQL_metric_inbox_add,
                ARGS(cx->who.team_id, db_text_array(cx, run_ids, count),
                     db_text_array(cx, project_ids, count), db_int_array(cx, points, count),
                     db_bytes_array(cx, bodies, count), db_bytes_array(cx, digests, count)),
                &ADDED_ROW_SHAPE, &rows));
    const struct added_row *row = rows.items;
    for (i = 0; i < rows.count; i++)
        requests[row[i].ord - 1]->fate = row[i].archived ? REQUEST_ARCHIVED : REQUEST_STORED;
    return OK;
}

/* What the caller of a request reads. */
static enum err outcome(struct ctx *cx, const struct request *rq) {
    if (rq->err != OK) {
        cx->err = rq->why;
        return rq->err;
    }
    if (rq->fate == REQUEST_ABSENT)
        return fail(cx, ERR_NOT_FOUND, "run \"%s\" does not exist", rq->run_id);
    if (rq->fate == REQUEST_ARCHIVED)
        return fail(cx, ERR_CONFLICT, "run \"%s\" is archived", rq->run_id);
    return OK;
}

static enum err request_new(struct ctx *cx, const char *run_id, const struct metric_point *points,
                            size_t count, struct request *ret) {
    char *uuid = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    if (!uuid_is_valid(run_id) && !uuid_from_hex(run_id, uuid))
        return fail(cx, ERR_NOT_FOUND, "run \"%.100s\" does not exist", run_id);
    *ret = (struct request){.cx = cx,
                            .run_id = *uuid ? uuid : run_id,
                            .points = (int64_t)count,
                            .batch = batch_encode(cx, points, count)};
    return OK;
}

/* Points of one run. */
struct part {
    const char *run_id;
    const struct metric_point *points;
    size_t count;
};

static enum err log_part(struct ctx *cx, void *arg) {
    const struct part *part = arg;
    struct request rq;
    TRY(request_new(cx, part->run_id, part->points, part->count, &rq));
    TRY(insert_batches(cx, &rq, 1));
    return outcome(cx, &rq);
}

enum err run_log_metrics(struct ctx *cx, const char *run_id, const struct metric_point *points,
                         size_t count) {
    TRY(batch_check(cx, points, count));
    for (size_t i = 0; i < count; i += METRIC_BATCH_MAX) {
        struct part part = {run_id, points + i, count - i};
        part.count = part.count < METRIC_BATCH_MAX ? part.count : METRIC_BATCH_MAX;
        TRY(in_scratch(cx, log_part, &part));
    }
    return OK;
}

/* --- leading ---------------------------------------------------------------------------------- */

/* Whether one's statement sees just what the other's would. */
static bool same_sight(const struct principal *a, const struct principal *b) {
    return a->kind == b->kind && a->by_project == b->by_project && a->limited == b->limited &&
           strcmp(a->team_id, b->team_id) == 0 &&
           (!a->by_project || strcmp(a->user_id, b->user_id) == 0) &&
           (!a->limited || strcmp(a->session_id, b->session_id) == 0);
}

/* Takes a request out of the queue: *at leads to it. */
static struct request *unlink_request(struct ingest *m, struct request **at) {
    struct request *rq = *at;
    *at = rq->next;
    if (m->end == &rq->next)
        m->end = at;
    rq->next = NULL;
    rq->taken = true;
    return rq;
}

/* The leader's own request, and those of the queue that may go with it. Under the lock. */
static struct request *take_requests(struct ingest *m, struct request *own, size_t *ret_count) {
    struct request **at = &m->first, *last = own;
    size_t count = 1, bytes = own->batch.body.size;
    while (*at != own)
        at = &(*at)->next;
    unlink_request(m, at);
    for (at = &m->first; *at && count < SHARED_BATCHES_MAX;) {
        if (bytes + (*at)->batch.body.size > SHARED_BYTES_MAX ||
            !same_sight(&(*at)->cx->who, &own->cx->who)) {
            at = &(*at)->next;
            continue;
        }
        last = last->next = unlink_request(m, at);
        bytes += last->batch.body.size;
        count++;
    }
    *ret_count = count;
    return own;
}

int64_t *ingest_unfolded(struct ingest *m, const char *team_id) {
    unsigned slot = 0;
    for (const char *c = team_id; *c; c++)
        slot = slot * 31 + (unsigned char)*c;
    return &m->unfolded[slot % METRIC_TEAM_SLOTS];
}

static enum err store(struct ctx *cx, struct request *first, size_t count) {
    TRY(insert_batches(cx, first, count));
    return db_commit(cx);
}

static void note(struct ctx *cx, struct request *rq, enum err err) {
    rq->err = err;
    if (err != OK)
        rq->why = cx->err;
}

/* A commit whose outcome is unknown is not tried again here: its client does that. */
static void store_shared(struct ctx *cx, struct request *first, size_t count) {
    enum err err = store(cx, first, count);
    bool apart = err != OK && err != ERR_UNAVAILABLE && count > 1;
    if (err != OK)
        db_rollback(cx);
    for (struct request *rq = first; rq; rq = rq->next) {
        if (apart && (err = store(cx, rq, 1)) != OK)
            db_rollback(cx);
        note(cx, rq, err);
    }
}

static void lead(struct ingest *m, struct request *own) {
    size_t count;
    struct request *first = take_requests(m, own, &count);
    int64_t *unfolded = ingest_unfolded(m, own->cx->who.team_id), points = 0;
    bool much = m->folding && *unfolded > INGEST_HELP;
    if (++m->leaders < LEADERS_MAX && m->first)
        pthread_cond_signal(&m->first->turn); /* what sees otherwise need not wait for this */
    pthread_mutex_unlock(&m->lock);

    if (much && fold_help(own->cx, own->run_id) != OK)
        db_rollback(own->cx); /* the batch counts; what could not be folded, the folder reports */
    store_shared(own->cx, first, count);

    pthread_mutex_lock(&m->lock);
    m->leaders--;
    for (struct request *rq = first, *next; rq; rq = next) {
        next = rq->next; /* rq is gone when its thread has seen it done */
        points += rq->err == OK && rq->fate == REQUEST_STORED ? rq->points : 0;
        rq->done = true;
        if (rq != own)
            pthread_cond_signal(&rq->turn);
    }
    *unfolded += points;
    if (m->first)
        pthread_cond_signal(&m->first->turn);
}

/* Until somebody, perhaps this thread, has stored it. */
static void join_queue(struct ingest *m, struct request *rq) {
    scope_lock(&m->lock);
    *m->end = rq;
    m->end = &rq->next;
    while (!rq->done) {
        if (!rq->taken && m->leaders < LEADERS_MAX)
            lead(m, rq);
        else
            pthread_cond_wait(&rq->turn, &m->lock);
    }
}

static enum err require_room(struct ctx *cx, struct ingest *m) {
    scope_lock(&m->lock);
    if (!m->folding || *ingest_unfolded(m, cx->who.team_id) < INGEST_MAX)
        return OK;
    fail(cx, ERR_UNAVAILABLE, "metrics come faster than they can be stored; try again");
    cx->err.retry_after_s = 1;
    return ERR_UNAVAILABLE;
}

enum err run_ingest_metrics(struct ctx *cx, const char *project_id, const char *run_id,
                            const struct metric_point *points, size_t count) {
    struct ingest *m = cx->app->ingest;
    struct request rq;
    if (count > METRIC_BATCH_MAX)
        return fail_field(cx, ERR_UNPROCESSABLE, "points", "a batch has at most %d points",
                          METRIC_BATCH_MAX);
    TRY(batch_check(cx, points, count));
    TRY(request_new(cx, run_id, points, count, &rq));
    rq.project_id = project_id;
    TRY(db_commit(cx)); /* nobody waits with a connection in hand */
    if (count == 0)
        return OK;
    if (!m) {
        TRY(store(cx, &rq, 1));
        return outcome(cx, &rq);
    }
    TRY(require_room(cx, m));
    pthread_cond_init(&rq.turn, NULL);
    join_queue(m, &rq);
    pthread_cond_destroy(&rq.turn);
    return outcome(cx, &rq);
}
