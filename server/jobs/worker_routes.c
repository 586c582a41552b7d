/* Routes of workers: hello, leases, heartbeats, events, transfers and the end; and the list of
 * workers that people see. The worker API's rules stand in leases.c and job_events.c. */

#include "base/ident.h"
#include "config/config.h"
#include "http/page.h"
#include "jobs/jobs_private.h"
#include "sql/jobs.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_MAX = 500, OUTPUTS_MAX = 1000, WAIT_SECONDS_MAX = 20 };
enum { EVENTS_BODY_MAX = 8 << 20, FINISH_BODY_MAX = 16 << 20 };

/* --- hello --- */

struct hello {
    const char *name, *version;
    int64_t slots;
    struct list kinds;
    json_t *capabilities, *sandbox;
};
static const struct field HELLO_FIELDS[] = {
    FIELD(STRING, struct hello, name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(STRING, struct hello, version, .flags = FIELD_REQUIRED, .max = 50),
    FIELD(INT, struct hello, slots, .flags = FIELD_REQUIRED, .min = 1, .max = 1000),
    FIELD(STRINGS, struct hello, kinds, .flags = FIELD_REQUIRED, .max = 20),
    FIELD(JSON, struct hello, capabilities, .flags = FIELD_REQUIRED),
    FIELD(JSON, struct hello, sandbox, .flags = FIELD_REQUIRED, .typescript = "string[]"),
};
static SHAPE(HELLO, "WorkerHello", struct hello, HELLO_FIELDS);

struct welcome {
    const char *worker_id;
    int64_t heartbeat_seconds, lease_seconds;
};
static const struct field WELCOME_FIELDS[] = {
    FIELD(UUID, struct welcome, worker_id),
    FIELD(INT, struct welcome, heartbeat_seconds),
    FIELD(INT, struct welcome, lease_seconds),
};
static SHAPE(WELCOME, "WorkerWelcome", struct welcome, WELCOME_FIELDS);

struct worker_id {
    const char *id;
};
static const struct field WORKER_ID_FIELDS[] = {FIELD(UUID, struct worker_id, id)};
static SHAPE(WORKER_ID, "WorkerId", struct worker_id, WORKER_ID_FIELDS);

static enum err post_hello(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct hello *hello = rq->body;
    char id[UUID_TEXT_SIZE];
    struct worker_id row;
    uuid_new(id);
    TRY(db_one(cx, &SQL_worker_hello,
               ARGS(id, cx->who.session_id, hello->name, hello->version, db_int(cx, hello->slots),
                    db_text_array(cx, hello->kinds.items, hello->kinds.count),
                    db_json(cx, hello->capabilities), db_json(cx, hello->sandbox)),
               &WORKER_ID, &row));
    struct welcome *welcome = arena_new_struct(cx->arena, struct welcome);
    *welcome = (struct welcome){row.id, HEARTBEAT_SECONDS, LEASE_SECONDS};
    reply_object(rp, welcome);
    return OK;
}

/* --- leases --- */

struct lease_body {
    const char *worker_id;
    struct list kinds;
    int64_t wait_seconds;
};
static const struct field LEASE_BODY_FIELDS[] = {
    FIELD(UUID, struct lease_body, worker_id, .flags = FIELD_REQUIRED),
    FIELD(STRINGS, struct lease_body, kinds, .flags = FIELD_REQUIRED, .min = 1, .max = 20),
    FIELD(INT, struct lease_body, wait_seconds, .max = WAIT_SECONDS_MAX),
};
static SHAPE(LEASE_BODY, "LeaseRequest", struct lease_body, LEASE_BODY_FIELDS);

struct lease_limits {
    int64_t memory_bytes, threads, wall_seconds;
};
static const struct field LEASE_LIMITS_FIELDS[] = {
    FIELD(INT, struct lease_limits, memory_bytes, .doc = "0 = the worker's own limit"),
    FIELD(INT, struct lease_limits, threads, .doc = "0 = what the worker grants"),
    FIELD(INT, struct lease_limits, wall_seconds, .doc = "0 = none"),
};
static SHAPE(LEASE_LIMITS, "LeaseLimits", struct lease_limits, LEASE_LIMITS_FIELDS);

struct leased_job {
    const char *id, *kind;
    int64_t attempt, epoch;
    json_t *spec;
    struct list inputs;
    struct lease_limits *limits;
};
static const struct field LEASED_JOB_FIELDS[] = {
    FIELD(UUID, struct leased_job, id),
    FIELD(STRING, struct leased_job, kind),
    FIELD(INT, struct leased_job, attempt),
    FIELD(INT, struct leased_job, epoch),
    FIELD(JSON, struct leased_job, spec),
    FIELD(LIST, struct leased_job, inputs, .nested = &LEASE_INPUT),
    FIELD(OBJECT, struct leased_job, limits, .nested = &LEASE_LIMITS),
};
static SHAPE(LEASED_JOB, "LeasedJob", struct leased_job, LEASED_JOB_FIELDS);

struct lease {
    struct leased_job *job;
};
static const struct field LEASE_FIELDS[] = {
    FIELD(OBJECT, struct lease, job, .nested = &LEASED_JOB)};
static SHAPE(LEASE, "Lease", struct lease, LEASE_FIELDS);

/* Tries once a second, or as soon as a job is queued; holds no transaction while it waits. */
static enum err claim_or_wait(struct ctx *cx, const struct req *rq, struct job_row *row,
                              struct list *inputs, bool *ret_found) {
    const struct lease_body *body = rq->body;
    struct jobs *jobs = cx->app->jobs;
    uint64_t seen = 0;
    for (int64_t waited = 0;; waited++) {
        TRY(job_claim(cx, body->worker_id, &body->kinds, row, inputs, ret_found));
        if (*ret_found || waited >= body->wait_seconds)
            return OK;
        TRY(db_commit(cx));
        if (atomic_load(&jobs->stopping) || !http_io_is_open(rq->io))
            return OK;
        jobs_wait(jobs, &seen);
    }
}

static enum err post_lease(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct job_row row;
    struct list inputs;
    bool found;
    TRY(claim_or_wait(cx, rq, &row, &inputs, &found));
    if (!found)
        return OK;
    struct lease_limits *limits = arena_new_struct(cx->arena, struct lease_limits);
    *limits =
        (struct lease_limits){.memory_bytes = row.memory_bytes, .wall_seconds = row.wall_seconds};
    struct leased_job *job = arena_new_struct(cx->arena, struct leased_job);
    *job = (struct leased_job){row.job.id,   row.job.kind, row.job.attempt, row.job.epoch,
                               row.job.spec, inputs,       limits};
    struct lease *lease = arena_new_struct(cx->arena, struct lease);
    lease->job = job;
    reply_object(rp, lease);
    return OK;
}

/* --- heartbeats --- */

static const struct field HOLDER_FIELDS[] = {
    FIELD(UUID, struct lease_holder, worker_id, .flags = FIELD_REQUIRED),
    FIELD(INT, struct lease_holder, epoch, .flags = FIELD_REQUIRED),
};
static SHAPE(HOLDER, "LeaseHolder", struct lease_holder, HOLDER_FIELDS);

struct heartbeat_reply {
    bool cancel;
};
static const struct field HEARTBEAT_REPLY_FIELDS[] = {
    FIELD(BOOL, struct heartbeat_reply, cancel, .doc = "stop the runner and finish as cancelled"),
};
static SHAPE(HEARTBEAT_REPLY, "Heartbeat", struct heartbeat_reply, HEARTBEAT_REPLY_FIELDS);

static enum err post_heartbeat(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct heartbeat_reply *r = arena_new_struct(cx->arena, struct heartbeat_reply);
    TRY(job_heartbeat(cx, req_param(rq, "job"), rq->body, &r->cancel));
    reply_object(rp, r);
    return OK;
}

/* --- events --- */

struct events_body {
    const char *worker_id;
    int64_t epoch, first_seq;
    json_t *events;
};
static const struct field EVENTS_BODY_FIELDS[] = {
    FIELD(UUID, struct events_body, worker_id, .flags = FIELD_REQUIRED),
    FIELD(INT, struct events_body, epoch, .flags = FIELD_REQUIRED),
    FIELD(INT, struct events_body, first_seq, .flags = FIELD_REQUIRED, .min = 1, .max = INT64_MAX),
    FIELD(JSON, struct events_body, events, .flags = FIELD_REQUIRED, .typescript = "object[]",
          .doc = "at most 500"),
};
static SHAPE(EVENTS_BODY, "EventBatch", struct events_body, EVENTS_BODY_FIELDS);

struct events_reply {
    int64_t next_seq;
};
static const struct field EVENTS_REPLY_FIELDS[] = {FIELD(INT, struct events_reply, next_seq)};
static SHAPE(EVENTS_REPLY, "EventsTaken", struct events_reply, EVENTS_REPLY_FIELDS);

static enum err post_events(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct events_body *body = rq->body;
    if (!json_is_array(body->events) || json_array_size(body->events) > EVENTS_MAX)
        return fail_field(cx, ERR_INVALID, "events", "events is a list of at most %d", EVENTS_MAX);
    struct lease_holder holder = {body->worker_id, body->epoch};
    struct job_row row;
    TRY(lease_require(cx, req_param(rq, "job"), &holder, &row));
    struct events_reply *r = arena_new_struct(cx->arena, struct events_reply);
    TRY(job_events_take(cx, &row, body->first_seq, body->events, &r->next_seq));
    reply_object(rp, r);
    return OK;
}

/* --- transfers --- */

static enum err epoch_header(struct ctx *cx, const struct req *rq, int64_t *ret) {
    const char *text = req_header(rq, "X-Slipway-Epoch");
    if (!text || !*text || strlen(text) > 18 || text[strspn(text, "0123456789")])
        return fail_field(cx, ERR_INVALID, "X-Slipway-Epoch", "the header is the lease's epoch");
    *ret = strtoll(text, NULL, 10);
    return OK;
}

static enum err require_transfer(struct ctx *cx, const struct req *rq, struct job_row *ret) {
    int64_t epoch;
    TRY(epoch_header(cx, rq, &epoch));
    TRY(lease_require_epoch(cx, req_param(rq, "job"), epoch, ret));
    return sha256_text_is_valid(req_param(rq, "sha256"))
               ? OK
               : fail(cx, ERR_NOT_FOUND, "that is no blob's name");
}

/* Only what is an input of this very job. */
static enum err get_input(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct job_row row;
    struct lease_input input;
    bool found;
    const char *sha256 = req_param(rq, "sha256");
    TRY(require_transfer(cx, rq, &row));
    TRY(db_opt(cx, &SQL_job_input_by_hash, ARGS(row.job.team_id, row.job.id, sha256), &LEASE_INPUT,
               &input, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "the job has no such input");
    TRY(db_exec(cx, &SQL_job_contacted,
                ARGS(row.job.team_id, row.job.id, db_int(cx, row.job.epoch)), NULL));
    struct reply_file file = {.media_type = "application/octet-stream", .etag = sha256};
    TRY(blob_open(cx, sha256, &file.fd, &file.size_bytes));
    reply_file(rp, &file);
    return OK;
}

static enum err put_blob(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct job_row row;
    struct blob blob;
    const char *sha256 = req_param(rq, "sha256");
    TRY(require_transfer(cx, rq, &row));
    TRY(blob_receive(cx, rq, sha256, cx->app->config->max_upload_bytes, &blob));
    reply_status(rp, 201);
    return OK;
}

/* --- the end --- */

struct worker_error {
    const char *code, *message, *field, *file, *place;
};
static const struct field WORKER_ERROR_FIELDS[] = {
    FIELD(STRING, struct worker_error, code, .flags = FIELD_REQUIRED, .min = 1, .max = 50),
    FIELD(STRING, struct worker_error, message, .flags = FIELD_REQUIRED, .min = 1, .max = 4000),
    FIELD(STRING, struct worker_error, field, .flags = FIELD_NULLABLE, .max = 250),
    FIELD(STRING, struct worker_error, file, .flags = FIELD_NULLABLE, .max = 1000),
    FIELD(STRING, struct worker_error, place, .flags = FIELD_NULLABLE, .max = 1000),
};
static SHAPE(JOB_ERROR, "JobError", struct worker_error, WORKER_ERROR_FIELDS);

static const struct field FINISH_OUTPUT_FIELDS[] = {
    FIELD(STRING, struct finish_output, name, .flags = FIELD_REQUIRED, .min = 1, .max = 250),
    FIELD(STRING, struct finish_output, sha256, .flags = FIELD_REQUIRED,
          .pattern = "^[0-9a-f]{64}$"),
    FIELD(INT, struct finish_output, size_bytes, .flags = FIELD_REQUIRED, .max = INT64_MAX),
    FIELD(STRING, struct finish_output, media_type, .flags = FIELD_REQUIRED, .min = 1, .max = 250),
};
static SHAPE(FINISH_OUTPUT, "JobOutput", struct finish_output, FINISH_OUTPUT_FIELDS);

static const char *const OUTCOME_NAMES[] = {"succeeded", "failed", "cancelled", "requeue", NULL};

struct finish_body {
    const char *worker_id;
    int64_t epoch;
    int outcome;
    struct worker_error *error;
    bool retryable;
    json_t *result;
    struct list outputs;
};
static const struct field FINISH_FIELDS[] = {
    FIELD(UUID, struct finish_body, worker_id, .flags = FIELD_REQUIRED),
    FIELD(INT, struct finish_body, epoch, .flags = FIELD_REQUIRED),
    FIELD(ENUM, struct finish_body, outcome, .flags = FIELD_REQUIRED, .names = OUTCOME_NAMES),
    FIELD(OBJECT, struct finish_body, error, .flags = FIELD_NULLABLE, .nested = &JOB_ERROR),
    FIELD(BOOL, struct finish_body, retryable),
    FIELD(JSON, struct finish_body, result, .flags = FIELD_NULLABLE),
    FIELD(LIST, struct finish_body, outputs, .flags = FIELD_NULLABLE, .nested = &FINISH_OUTPUT,
          .max = OUTPUTS_MAX),
};
static SHAPE(FINISH, "JobFinish", struct finish_body, FINISH_FIELDS);

struct finish_reply {
    int state;
};
static const struct field FINISH_REPLY_FIELDS[] = {
    FIELD(ENUM, struct finish_reply, state, .names = JOB_STATE_NAMES)};
static SHAPE(FINISH_REPLY, "JobFinished", struct finish_reply, FINISH_REPLY_FIELDS);

static void release_json(void *json) {
    json_decref(json);
}

static enum err post_finish(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct finish_body *body = rq->body;
    struct job_finish finish = {.worker_id = body->worker_id,
                                .epoch = body->epoch,
                                .outcome = body->outcome,
                                .retryable = body->retryable,
                                .result = body->result,
                                .outputs = body->outputs};
    if (body->error) {
        finish.error = field_encode(&JOB_ERROR, body->error);
        arena_defer(cx->arena, release_json, finish.error);
    }
    struct job_row row;
    TRY(job_finish(cx, req_param(rq, "job"), &finish, &row));
    struct finish_reply *r = arena_new_struct(cx->arena, struct finish_reply);
    r->state = row.job.state;
    reply_object(rp, r);
    return OK;
}

/* --- for people --- */

struct worker_row {
    const char *id, *name, *state, *version;
    json_t *capabilities, *sandbox;
    int64_t slots, busy, last_seen_at;
};
static const struct field WORKER_FIELDS[] = {
    FIELD(UUID, struct worker_row, id),
    FIELD(STRING, struct worker_row, name),
    FIELD(STRING, struct worker_row, state, .doc = "online or offline"),
    FIELD(STRING, struct worker_row, version),
    FIELD(JSON, struct worker_row, capabilities),
    FIELD(JSON, struct worker_row, sandbox, .typescript = "string[]",
          .doc = "what keeps a runner in"),
    FIELD(INT, struct worker_row, slots),
    FIELD(INT, struct worker_row, busy),
    FIELD(TIME, struct worker_row, last_seen_at),
};
static SHAPE(WORKER, "Worker", struct worker_row, WORKER_FIELDS);

struct workers_query {
    struct page_query page;
};
static const struct field WORKERS_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct workers_query)};
static SHAPE(WORKERS_QUERY, "WorkerQuery", struct workers_query, WORKERS_QUERY_FIELDS);

static enum err get_workers(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct workers_query *query = rq->query;
    const char *after;
    struct list workers;
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_worker_list, ARGS(after, page_rows(cx, &query->page)), &WORKER, &workers));
    reply_page_by_id(cx, rq, rp, &query->page, workers);
    return OK;
}

const struct route WORKER_ROUTES[] = {
    {POST, "/api/v1/worker/hello", SCOPE_WORKER, .body = &HELLO, .reply = &WELCOME,
     .handle = post_hello, .rate = RATE_WORKER, .doc = "A worker says what it is and can do."},
    {POST, "/api/v1/worker/leases", SCOPE_WORKER, .body = &LEASE_BODY, .reply = &LEASE,
     .handle = post_lease, .rate = RATE_POLL, .doc = "Lease the next job, waiting for one."},
    {POST, "/api/v1/worker/jobs/{job}/heartbeat", SCOPE_WORKER, .body = &HOLDER,
     .reply = &HEARTBEAT_REPLY, .handle = post_heartbeat, .rate = RATE_WORKER,
     .doc = "Renew a lease."},
    {POST, "/api/v1/worker/jobs/{job}/events", SCOPE_WORKER, .body = &EVENTS_BODY,
     .reply = &EVENTS_REPLY, .handle = post_events, .rate = RATE_WORKER,
     .max_body = EVENTS_BODY_MAX, .doc = "What a runner said, in order."},
    {GET, "/api/v1/worker/jobs/{job}/inputs/{sha256}", SCOPE_WORKER, .handle = get_input,
     .rate = RATE_DOWNLOAD, .doc = "The bytes of an input of a leased job."},
    {PUT, "/api/v1/worker/jobs/{job}/blobs/{sha256}", SCOPE_WORKER, .handle = put_blob,
     .flags = ROUTE_STREAM_BODY, .rate = RATE_UPLOAD, .doc = "The bytes of an output."},
    {POST, "/api/v1/worker/jobs/{job}/finish", SCOPE_WORKER, .body = &FINISH,
     .reply = &FINISH_REPLY, .handle = post_finish, .rate = RATE_WORKER,
     .max_body = FINISH_BODY_MAX, .doc = "How a leased job ended."},
    {GET, "/api/v1/workers", SCOPE_JOB_READ, .query = &WORKERS_QUERY, .reply = &WORKER,
     .handle = get_workers, .flags = ROUTE_LIST, .doc = "The installation's workers."},
};
const size_t WORKER_ROUTE_COUNT = ROUTES_COUNT(WORKER_ROUTES);
