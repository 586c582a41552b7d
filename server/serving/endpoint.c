/* endpoint.c: the rows of endpoints and their states.
 *
 * Who moves a state: a request (stopped, failed -> starting), the runner's "ready", the loss of the
 * runner while its job goes on (ready -> starting), the job's end, a person or idleness (stopped).
 * Each statement is guarded by the states it may come from and by the job that speaks, so a late
 * word of an earlier job changes nothing. */
#include "serving/internal.h"

#include "base/clock.h"
#include "base/ident.h"
#include "lineage/lineage.h"
#include "sql/serving.h"

#include <string.h>
#include <time.h>

#define READY_WAIT_US 15000000 /* a model is loaded well within this, or something is wrong */
#define POLL_MS 25

const char *const ENDPOINT_STATE_NAMES[] = {"stopped", "starting", "ready", "failed", NULL};

/* clang-format off */
#define ENDPOINT_COLUMNS                                                                           \
    FIELD(UUID, struct endpoint, id),                                                              \
    FIELD(UUID, struct endpoint, model_version_id),                                                \
    FIELD(STRING, struct endpoint, model_name),                                                    \
    FIELD(INT, struct endpoint, version),                                                          \
    FIELD(ENUM, struct endpoint, state, .names = ENDPOINT_STATE_NAMES),                            \
    FIELD(INT, struct endpoint, requests),                                                         \
    FIELD(INT, struct endpoint, errors),                                                           \
    FIELD(INT, struct endpoint, p50_us, .flags = FIELD_NULLABLE,                                   \
          .doc = "median time of the last requests, in microseconds"),                             \
    FIELD(TIME, struct endpoint, started_at, .flags = FIELD_NULLABLE),                             \
    FIELD(TIME, struct endpoint, last_used_at, .flags = FIELD_NULLABLE),                           \
    FIELD(STRING, struct endpoint, message)
/* clang-format on */

static const struct field ENDPOINT_FIELDS[] = {ENDPOINT_COLUMNS};
SHAPE(ENDPOINT_SHAPE, "Endpoint", struct endpoint, ENDPOINT_FIELDS);

static const struct field ENDPOINT_ROW_FIELDS[] = {
    ENDPOINT_COLUMNS,
    FIELD(UUID, struct endpoint, job_id, .flags = FIELD_NULLABLE),
};
SHAPE(ENDPOINT_ROW_SHAPE, "EndpointRow", struct endpoint, ENDPOINT_ROW_FIELDS);

enum err endpoint_get(struct ctx *cx, const char *id, struct endpoint *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_endpoint_get, ARGS(cx->who.team_id, id), &ENDPOINT_ROW_SHAPE, ret,
                   &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "endpoint \"%s\" does not exist", id);
}

enum err endpoint_changed(struct ctx *cx, const char *id, enum endpoint_state state) {
    return lineage_node_state(cx, NODE_ENDPOINT, id, ENDPOINT_STATE_NAMES[state]);
}

static void target_set(struct ctx *cx, const struct endpoint *endpoint, struct target *ret) {
    snprintf(ret->team_id, sizeof(ret->team_id), "%s", cx->who.team_id);
    snprintf(ret->endpoint_id, sizeof(ret->endpoint_id), "%s", endpoint->id);
    snprintf(ret->job_id, sizeof(ret->job_id), "%s", endpoint->job_id);
}

/* Through the job, whose callbacks set the state: workers lock the job first and the endpoint
 * second, and so must everybody who locks both. */
enum err endpoint_stop(struct ctx *cx, const char *id) {
    struct endpoint endpoint;
    struct job job;
    TRY(endpoint_get(cx, id, &endpoint));
    if (endpoint.state != ENDPOINT_STARTING && endpoint.state != ENDPOINT_READY)
        return OK;
    TRY(job_cancel(cx, endpoint.job_id, &job));
    struct target target;
    target_set(cx, &endpoint, &target);
    target_forget(serving_connections(cx->app->serving), &target);
    return OK;
}

/* The version's endpoint, with its node and edge when this is the first time it is asked for. */
static enum err endpoint_ensure(struct ctx *cx, const struct model_version *version,
                                struct endpoint *ret) {
    const char *team = cx->who.team_id;
    char id[UUID_TEXT_SIZE];
    bool found;
    TRY(db_opt(cx, &SQL_endpoint_of_version, ARGS(team, version->id), &ENDPOINT_ROW_SHAPE, ret,
               &found));
    if (found)
        return OK;
    int64_t created;
    uuid_new(id);
    TRY(db_exec(cx, &SQL_endpoint_ensure, ARGS(id, team, version->id), &created));
    if (created) {
        const char *name =
            arena_printf(cx->arena, "%s v%lld", version->model_name, (long long)version->version);
        TRY(lineage_node(cx, NODE_ENDPOINT, id, version->project_id, name));
        TRY(lineage_edge(cx, NODE_MODEL_VERSION, version->id, NODE_ENDPOINT, id, "served_by"));
    }
    return db_one(cx, &SQL_endpoint_of_version, ARGS(team, version->id), &ENDPOINT_ROW_SHAPE, ret);
}

static enum err job_queue(struct ctx *cx, const struct model_version *version, struct job *ret) {
    static const char *const NAMES[2] = {"model.json", "model.safetensors"};
    struct job_input inputs[2];
    for (size_t i = 0; i < 2; i++) {
        struct model_file file;
        TRY(model_file_get(cx, version->id, NAMES[i], &file));
        inputs[i] = (struct job_input){NAMES[i], NAMES[i], file.sha256};
    }
    json_t *spec = json_pack("{s:s, s:I}", "model", version->model_name, "version",
                             (json_int_t)version->version);
    arena_defer(cx->arena, (void (*)(void *))json_decref, spec);
    const char *name =
        arena_printf(cx->arena, "serve %s v%lld", version->model_name, (long long)version->version);
    return job_create(cx,
                      &(struct job_create){.kind = "predict",
                                           .name = name,
                                           .project_id = version->project_id,
                                           .subject_id = version->id,
                                           .spec = spec,
                                           .inputs = inputs,
                                           .input_count = 2},
                      ret);
}

/* Queues its job, unless another request was first. */
static enum err endpoint_start(struct ctx *cx, const struct model_version *version,
                               const struct endpoint *endpoint) {
    const char *team = cx->who.team_id, *state;
    TRY(db_value(cx, &SQL_endpoint_lock, ARGS(team, endpoint->id), &state));
    if (strcmp(state, "stopped") != 0 && strcmp(state, "failed") != 0)
        return OK;
    struct job job;
    TRY(job_queue(cx, version, &job));
    TRY(db_exec(cx, &SQL_endpoint_starting, ARGS(team, endpoint->id, job.id), NULL));
    TRY(lineage_edge(cx, NODE_JOB, job.id, NODE_ENDPOINT, endpoint->id, "runs"));
    return endpoint_changed(cx, endpoint->id, ENDPOINT_STARTING);
}

static enum err unavailable(struct ctx *cx, const char *message, int retry_after_s) {
    enum err err = fail(cx, ERR_UNAVAILABLE, "%s", message);
    cx->err.retry_after_s = retry_after_s;
    return err;
}

/* One look at the endpoint, starting it when it rests and this request has not started it before.
 */
static enum err endpoint_step(struct ctx *cx, const struct model_version *version, bool started,
                              enum endpoint_state *ret_state, struct target *ret) {
    struct endpoint endpoint;
    TRY(endpoint_ensure(cx, version, &endpoint));
    *ret_state = (enum endpoint_state)endpoint.state;
    if (endpoint.state == ENDPOINT_READY) {
        target_set(cx, &endpoint, ret);
        return OK;
    }
    if (endpoint.state == ENDPOINT_STARTING)
        return OK;
    if (started)
        return unavailable(cx,
                           arena_printf(cx->arena, "the model could not be started: %s",
                                        endpoint.message[0] ? endpoint.message : "it was stopped"),
                           30);
    return endpoint_start(cx, version, &endpoint);
}

/* The step in a ctx of its own: committed, and with its memory given back, before the next wait.
 * Workers are woken when that ctx ends. */
static enum err endpoint_look(struct ctx *cx, const struct model_version *version, bool started,
                              enum endpoint_state *ret_state, struct target *ret) {
    struct ctx own;
    ctx_init(&own, cx->app);
    own.who = cx->who;
    enum err err = endpoint_step(&own, version, started, ret_state, ret);
    if (err == OK)
        err = db_commit(&own);
    if (err != OK)
        cx->err = own.err;
    ctx_done(&own);
    return err;
}

enum err endpoint_reach(struct ctx *cx, const struct model_version *version, struct target *ret) {
    int64_t give_up_us = clock_mono_us() + READY_WAIT_US;
    TRY(db_commit(cx)); /* nothing is held while it waits */
    for (bool started = false;; started = true) {
        enum endpoint_state state;
        TRY(endpoint_look(cx, version, started, &state, ret));
        if (state == ENDPOINT_READY)
            return OK;
        if (clock_mono_us() > give_up_us)
            return unavailable(cx, "the model is being started", 2);
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}
