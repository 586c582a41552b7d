/* Arranging the queue for tests: kinds of the test's own whose callbacks take notes, a worker with
 * a token, and the calls a worker makes. Header-only: several test programs use it. */
#pragma once

#include "auth/auth.h"
#include "jobs/jobs_private.h"
#include "lineage/lineage.h"
#include "tests/support/domains.h"

#include <stdio.h>
#include <stdlib.h>

/* What the callbacks saw, in order: "change queued>running", "success", "metrics 3" … */
struct notes {
    char text[8192];
    enum err success_fails; /* what on_success returns; OK = it goes well */
};
static struct notes notes;

__attribute__((format(printf, 1, 2))) static inline void note(const char *format, ...) {
    size_t used = strlen(notes.text);
    va_list args;
    va_start(args, format);
    vsnprintf(notes.text + used, sizeof(notes.text) - used, format, args);
    va_end(args);
    strncat(notes.text, ";", sizeof(notes.text) - strlen(notes.text) - 1);
}

static inline enum err note_metrics(struct ctx *cx, const struct job *job, json_t *event) {
    (void)cx, (void)job;
    note("metrics %lld", (long long)json_integer_value(json_object_get(event, "step")));
    return OK;
}

static inline enum err note_state(struct ctx *cx, const struct job *job, json_t *event) {
    (void)cx, (void)job;
    note("state %s", json_string_value(json_object_get(event, "state")));
    return OK;
}

static inline enum err note_artifact(struct ctx *cx, const struct job *job,
                                     const struct job_output *file) {
    (void)cx, (void)job;
    note("artifact %s %lld", file->name, (long long)file->size_bytes);
    return OK;
}

static inline enum err note_change(struct ctx *cx, const struct job *job, enum job_state from) {
    assert_string_equal(cx->who.team_id, job->team_id);
    note("%s>%s", JOB_STATE_NAMES[from], JOB_STATE_NAMES[job->state]);
    return OK;
}

/* Writes a row before it fails, to show that it goes with the failure. */
static inline enum err note_success(struct ctx *cx, const struct job *job, json_t *result,
                                    const struct job_output *outputs, size_t count) {
    (void)outputs;
    if (notes.success_fails != OK) {
        TRY(lineage_node(cx, NODE_ARTIFACT, job->id, job->project_id, "half"));
        return fail(cx, notes.success_fails, "the report does not fit");
    }
    note("success %s %zu", json_string_value(json_object_get(result, "status")), count);
    return OK;
}

static inline enum err note_failure(struct ctx *cx, const struct job *job) {
    (void)cx;
    note("failure %s", JOB_STATE_NAMES[job->state]);
    return OK;
}

static const struct job_kind TEST_KINDS[] = {
    {.name = "test.noted",
     .max_attempts = 3,
     .wall_seconds = 60,
     .memory_bytes = 1 << 20,
     .subject = "run_id",
     .on_metrics = note_metrics,
     .on_state = note_state,
     .on_artifact = note_artifact,
     .on_change = note_change,
     .on_success = note_success,
     .on_failure = note_failure},
    {.name = "test.plain", .max_attempts = 2},
};

struct queue {
    struct domains *d;
    struct principal worker; /* the token's */
    char worker_id[ID_SIZE];
};

/* The principal of a new worker token. */
static inline struct principal worker_principal(struct domains *d, const char *name) {
    struct ctx cx;
    char token[AUTH_TOKEN_SIZE];
    ctx_init(&cx, d->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(auth_worker_token_create(&cx, name, token), &cx.err);
    ctx_done(&cx);
    struct principal who = {.kind = PRINCIPAL_WORKER};
    const char *sql =
        arena_printf(d->arena, "select id from worker_tokens where name = '%s'", name);
    snprintf(who.session_id, sizeof(who.session_id), "%s", test_sql_value(d->db, sql));
    snprintf(who.name, sizeof(who.name), "%s", name);
    return who;
}

static inline const char *worker_hello(struct domains *d, const struct principal *who,
                                       const char *name) {
    const char *body =
        arena_printf(d->arena,
                     "{\"name\":\"%s\",\"version\":\"1\",\"slots\":2,\"kinds\":[\"test.noted\","
                     "\"test.plain\"],\"capabilities\":{\"cuda\":false},\"sandbox\":[\"seccomp\"]}",
                     name);
    return text_at(send_json(d, 200, who, "POST", "/api/v1/worker/hello", body)->json, "worker_id");
}

static inline int queue_setup(void **state) {
    struct queue *q = calloc(1, sizeof(*q));
    void *d;
    assert_int_equal(domains_setup(&d), 0);
    q->d = d;
    jobs_register(q->d->app->jobs, TEST_KINDS, sizeof(TEST_KINDS) / sizeof(TEST_KINDS[0]));
    q->worker = worker_principal(q->d, "token-1");
    snprintf(q->worker_id, sizeof(q->worker_id), "%s", worker_hello(q->d, &q->worker, "w1"));
    *state = q;
    return 0;
}

static inline int queue_teardown(void **state) {
    struct queue *q = *state;
    void *d = q->d;
    domains_teardown(&d);
    free(q);
    return 0;
}

/* Before each test: an empty queue and no notes. */
static inline int queue_empty(void **state) {
    struct queue *q = *state;
    test_sql(q->d->db, "delete from jobs");
    memset(&notes, 0, sizeof(notes));
    return 0;
}

/* A blob with this text; its hash in the arena. */
static inline const char *blob_make(struct queue *q, const char *text) {
    struct ctx cx;
    struct blob blob;
    ctx_init(&cx, q->d->app);
    cx.who = q->d->editor;
    assert_ok(blob_put(&cx, text, strlen(text), &blob), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    return arena_strdup(q->d->arena, blob.sha256);
}

/* A queued job of a team, with one input; its id in the arena. */
static inline const char *job_make_for(struct queue *q, const struct principal *who,
                                       const char *project_id, const char *kind) {
    const char *sha256 = blob_make(q, "input");
    auto_json *spec = json_pack("{s:i}", "seed", 1);
    struct job_input input = {"source-0", "rows.csv", sha256};
    struct job_create options = {.kind = kind,
                                 .name = "a job",
                                 .project_id = project_id,
                                 .spec = spec,
                                 .inputs = &input,
                                 .input_count = 1};
    struct ctx cx;
    struct job job;
    ctx_init(&cx, q->d->app);
    cx.who = *who;
    assert_ok(job_create(&cx, &options, &job), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    const char *id = arena_strdup(q->d->arena, job.id);
    ctx_done(&cx);
    return id;
}

static inline const char *job_make(struct queue *q, const char *kind) {
    return job_make_for(q, &q->d->editor, q->d->ours.project_id, kind);
}

/* A call of the worker's in a transaction of its own. */
static inline void work_begin(struct queue *q, struct ctx *cx) {
    ctx_init(cx, q->d->app);
    cx->who = q->worker;
}

static inline enum err work_end(struct ctx *cx, enum err err) {
    if (err == OK)
        err = db_commit(cx);
    ctx_done(cx);
    return err;
}

/* Leases the next job without another word; the epoch, or -1 when there is none. */
static inline int64_t lease_silently(struct queue *q, const char **ret_id) {
    static const char *const kinds[] = {"test.noted", "test.plain"};
    struct list list = {(void *)(uintptr_t)kinds, 2}, inputs;
    struct ctx cx;
    struct job_row row;
    bool found;
    work_begin(q, &cx);
    assert_ok(job_claim(&cx, q->worker_id, &list, &row, &inputs, &found), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    int64_t epoch = found ? row.job.epoch : -1;
    if (found && ret_id)
        *ret_id = arena_strdup(q->d->arena, row.job.id);
    ctx_done(&cx);
    return epoch;
}

static inline enum err heartbeat(struct queue *q, const char *id, int64_t epoch, bool *ret_cancel) {
    struct lease_holder holder = {q->worker_id, epoch};
    struct ctx cx;
    work_begin(q, &cx);
    return work_end(&cx, job_heartbeat(&cx, id, &holder, ret_cancel));
}

/* Leases the next job and says so, as workers do. */
static inline int64_t lease(struct queue *q, const char **ret_id) {
    const char *id;
    bool cancel;
    int64_t epoch = lease_silently(q, &id);
    if (epoch > 0)
        assert_err(OK, heartbeat(q, id, epoch, &cancel));
    if (epoch > 0 && ret_id)
        *ret_id = id;
    return epoch;
}

static inline enum err finish(struct queue *q, const char *id, struct job_finish *f) {
    struct ctx cx;
    struct job_row row;
    work_begin(q, &cx);
    f->worker_id = q->worker_id;
    return work_end(&cx, job_finish(&cx, id, f, &row));
}

static inline enum err finish_as(struct queue *q, const char *id, int64_t epoch,
                                 enum outcome outcome) {
    auto_json *result = json_pack("{s:s}", "status", "completed");
    struct job_finish f = {.epoch = epoch, .outcome = (int)outcome, .result = result};
    return finish(q, id, &f);
}

static inline enum err crash(struct queue *q, const char *id, int64_t epoch) {
    struct job_finish f = {.epoch = epoch, .outcome = OUTCOME_FAILED, .retryable = true};
    return finish(q, id, &f);
}

/* events as JSON text. */
static inline enum err say(struct queue *q, const char *id, int64_t epoch, int64_t first_seq,
                           const char *events, int64_t *ret_next) {
    struct lease_holder holder = {q->worker_id, epoch};
    struct job_row row;
    struct ctx cx;
    auto_json *json = json_loads(events, 0, NULL);
    assert_non_null(json);
    work_begin(q, &cx);
    enum err err = lease_require(&cx, id, &holder, &row);
    if (err == OK)
        err = job_events_take(&cx, &row, first_seq, json, ret_next);
    return work_end(&cx, err);
}

/* One column of the job. */
static inline const char *job_says_column(struct queue *q, const char *id, const char *column) {
    return test_sql_value(
        q->d->db, arena_printf(q->d->arena, "select %s from jobs where id = '%s'", column, id));
}

static inline void assert_state(struct queue *q, const char *id, const char *state) {
    assert_string_equal(job_says_column(q, id, "state"), state);
}

/* The lease ran out a second ago. */
static inline void let_lease_run_out(struct queue *q, const char *id) {
    test_sql(q->d->db, arena_printf(q->d->arena,
                                    "update jobs set lease_until = now() - interval '1 second'"
                                    " where id = '%s' and lease_until is not null",
                                    id));
    jobs_reap(q->d->app);
}

static inline void skip_pause(struct queue *q) {
    test_sql(q->d->db, "update jobs set run_at = now()");
}
