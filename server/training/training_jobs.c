/* training_jobs.c: what a training job does to its run.
 *
 * The runner's words are data, not commands: a metric with an impossible name, step or value is
 * left out, the rest of its event counts. */
#include "training/training.h"

#include "base/clock.h"
#include "tracking/tracking.h"

#include <math.h>
#include <string.h>

#define STEP_MAX ((json_int_t)1 << 62)
#define METRIC_KEY_MAX 250
#define METRIC_KEYS_MAX 100 /* in one event */

/* A finite number, or the name of one that is not. */
static bool value_read(json_t *value, double *ret) {
    static const struct {
        const char *name;
        double value;
    } NAMES[] = {{"NaN", NAN}, {"Infinity", INFINITY}, {"-Infinity", -INFINITY}};
    if (json_is_number(value)) {
        *ret = json_number_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    for (size_t i = 0; text && i < 3; i++)
        if (strcmp(text, NAMES[i].name) == 0) {
            *ret = NAMES[i].value;
            return true;
        }
    return false;
}

/* The runner's clock, unless it is absurd: then ours. */
static int64_t event_time(json_t *event) {
    json_int_t at = json_integer_value(json_object_get(event, "at_us"));
    return at > 0 && at < 4102444800000000 /* 2100 */ ? at : clock_now_us();
}

static enum err train_metrics(struct ctx *cx, const struct job *job, json_t *event) {
    struct metric_point points[METRIC_KEYS_MAX];
    size_t count = 0;
    json_int_t step = json_integer_value(json_object_get(event, "step"));
    if (step <= -STEP_MAX || step >= STEP_MAX)
        return OK;
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(event, "values"), key, value) {
        struct metric_point point = {.key = key, .step = step, .at_us = event_time(event)};
        size_t length = strlen(key);
        bool usable = length > 0 && length <= METRIC_KEY_MAX && value_read(value, &point.value);
        if (usable && count < METRIC_KEYS_MAX)
            points[count++] = point;
    }
    return run_log_metrics(cx, job->subject_id, points, count);
}

static enum err train_artifact(struct ctx *cx, const struct job *job,
                               const struct job_output *file) {
    return run_add_artifact(cx, job->subject_id, file);
}

static enum run_state run_state_of(enum job_state state) {
    switch (state) {
    case JOB_QUEUED:
        return RUN_QUEUED;
    case JOB_RUNNING:
    case JOB_CANCELLING:
        return RUN_RUNNING;
    case JOB_LOST_CONTACT:
        return RUN_LOST_CONTACT;
    case JOB_SUCCEEDED:
        return RUN_SUCCEEDED;
    case JOB_FAILED:
        return RUN_FAILED;
    case JOB_CANCELLED:
        break;
    }
    return RUN_CANCELLED;
}

static enum err train_changed(struct ctx *cx, const struct job *job, enum job_state from) {
    enum run_state state = run_state_of((enum job_state)job->state);
    return state == run_state_of(from) ? OK : run_set_state(cx, job->subject_id, state);
}

static enum err train_succeeded(struct ctx *cx, const struct job *job, json_t *result,
                                const struct job_output *outputs, size_t count) {
    for (size_t i = 0; i < count; i++)
        TRY(run_add_artifact(cx, job->subject_id, &outputs[i]));
    json_t *evaluation =
        json_pack("{s:O?, s:O?}", "confusion", json_object_get(result, "confusion"),
                  "class_metrics", json_object_get(result, "class_metrics"));
    arena_defer(cx->arena, (void (*)(void *))json_decref, evaluation);
    return run_set_outcome(
        cx, job->subject_id,
        &(struct run_outcome){.evaluation = evaluation,
                              .device = json_string_value(json_object_get(result, "device")),
                              .metrics = json_object_get(result, "metrics"),
                              .steps = json_integer_value(json_object_get(result, "steps"))});
}

const struct job_kind TRAINING_JOBS[] = {
    {.name = "train",
     .max_attempts = 5,
     .wall_seconds = 7 * 24 * 3600,
     .subject = "run_id",
     .on_metrics = train_metrics,
     .on_artifact = train_artifact,
     .on_change = train_changed,
     .on_success = train_succeeded},
};
const size_t TRAINING_JOB_COUNT = sizeof(TRAINING_JOBS) / sizeof(TRAINING_JOBS[0]);
