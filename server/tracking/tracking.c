/* tracking.c: the rules of experiments, runs and their files.
 *
 * A run's state changes only in run_set_state(); RUN_MAY_COME_FROM is its transition table, and the
 * statement is guarded by it, so two changes at once cannot both believe they were first. */
#include "tracking/tracking.h"
#include "tracking/internal.h"

#include "base/ident.h"
#include "http/feed.h"
#include "lineage/lineage.h"
#include "sql/tracking.h"
#include "tracking/params.h"

#include <string.h>

const char *const RUN_STATE_NAMES[] = {
    "queued", "running", "lost_contact", "succeeded", "failed", "cancelled", NULL};

static const struct field EXPERIMENT_FIELDS[] = {
    FIELD(UUID, struct experiment, id),     FIELD(UUID, struct experiment, project_id),
    FIELD(STRING, struct experiment, name), FIELD(STRING, struct experiment, description),
    FIELD(INT, struct experiment, runs),    FIELD(TIME, struct experiment, created_at),
};
SHAPE(EXPERIMENT_SHAPE, "Experiment", struct experiment, EXPERIMENT_FIELDS);

/* clang-format off */
#define RUN_COLUMNS                                                                                \
    FIELD(UUID, struct run, id),                                                                   \
    FIELD(UUID, struct run, project_id),                                                           \
    FIELD(UUID, struct run, experiment_id),                                                        \
    FIELD(STRING, struct run, experiment_name),                                                    \
    FIELD(STRING, struct run, name),                                                               \
    FIELD(ENUM, struct run, state, .names = RUN_STATE_NAMES),                                      \
    FIELD(UUID, struct run, job_id, .flags = FIELD_NULLABLE),                                      \
    FIELD(UUID, struct run, dataset_version_id, .flags = FIELD_NULLABLE),                          \
    FIELD(STRING, struct run, dataset_name, .flags = FIELD_NULLABLE),                              \
    FIELD(INT, struct run, dataset_version, .flags = FIELD_NULLABLE),                              \
    FIELD(TIME, struct run, created_at),                                                           \
    FIELD(TIME, struct run, started_at, .flags = FIELD_NULLABLE),                                  \
    FIELD(TIME, struct run, finished_at, .flags = FIELD_NULLABLE),                                 \
    FIELD(STRING, struct run, created_by),                                                         \
    FIELD(STRING, struct run, notes),                                                              \
    FIELD(JSON, struct run, tags, .typescript = "Record<string, string>"),                         \
    FIELD(JSON, struct run, params, .typescript = "Record<string, string>"),                       \
    FIELD(JSON, struct run, metrics, .typescript = "Record<string, number | string>",              \
          .doc = "the last value of each metric"),                                                 \
    FIELD(REAL, struct run, progress),                                                             \
    FIELD(STRING, struct run, message),                                                            \
    FIELD(REAL, struct run, eta_s, .flags = FIELD_NULLABLE),                                       \
    FIELD(STRING, struct run, device, .flags = FIELD_NULLABLE),                                    \
    FIELD(JSON, struct run, evaluation, .flags = FIELD_NULLABLE, .doc = "null in lists"),          \
    FIELD(JSON, struct run, spec, .flags = FIELD_NULLABLE)
/* clang-format on */

static const struct field RUN_FIELDS[] = {RUN_COLUMNS};
SHAPE(RUN_SHAPE, "Run", struct run, RUN_FIELDS);

static const struct field RUN_ROW_FIELDS[] = {
    RUN_COLUMNS,
    FIELD(STRING, struct run, sort_key),
};
SHAPE(RUN_ROW_SHAPE, "RunRow", struct run, RUN_ROW_FIELDS);

static const struct field ARTIFACT_FIELDS[] = {
    FIELD(UUID, struct artifact, id),         FIELD(UUID, struct artifact, run_id),
    FIELD(STRING, struct artifact, name),     FIELD(INT, struct artifact, size_bytes),
    FIELD(STRING, struct artifact, sha256),   FIELD(STRING, struct artifact, media_type),
    FIELD(TIME, struct artifact, created_at),
};
SHAPE(ARTIFACT_SHAPE, "Artifact", struct artifact, ARTIFACT_FIELDS);

const struct db_constraint TRACKING_CONSTRAINTS[] = {
    {"experiments_name_unique", ERR_CONFLICT, "name",
     "an experiment with this name already exists in the project"},
    {"run_params_key_length", ERR_UNPROCESSABLE, "spec", "a parameter's name is too long"},
    {"run_params_value_length", ERR_UNPROCESSABLE, "spec", "a parameter's value is too long"},
    {"run_tags_key_length", ERR_UNPROCESSABLE, "tags",
     "a tag's name must have 1 to 250 characters"},
    {"run_tags_value_length", ERR_UNPROCESSABLE, "tags",
     "a tag's value is longer than 8000 characters"},
    {"run_metrics_key_length", ERR_UNPROCESSABLE, "key",
     "a metric's name must have 1 to 250 characters"},
    {"metric_points_step_in_range", ERR_UNPROCESSABLE, "step", "a metric's step is out of range"},
};
const size_t TRACKING_CONSTRAINT_COUNT =
    sizeof(TRACKING_CONSTRAINTS) / sizeof(TRACKING_CONSTRAINTS[0]);

/* The experiment of that name, made if need be. */
static enum err experiment_ensure(struct ctx *cx, const char *project_id, const char *name,
                                  const char **ret_id) {
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(db_exec(cx, &SQL_experiment_ensure, ARGS(id, cx->who.team_id, project_id, name), NULL));
    return db_value(cx, &SQL_experiment_id_by_name, ARGS(cx->who.team_id, project_id, name),
                    ret_id);
}

enum err run_create(struct ctx *cx, const struct run_create *options, const char **ret_id) {
    const char *experiment_id;
    TRY(experiment_ensure(cx, options->project_id,
                          options->experiment ? options->experiment : "Default", &experiment_id));
    char *id = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    uuid_new(id);
    TRY(db_exec(cx, &SQL_run_create,
                ARGS(id, cx->who.team_id, options->project_id, experiment_id, options->name,
                     options->dataset_version_id, cx->who.name, db_json(cx, options->spec)),
                NULL));
    struct params params = params_of(cx->arena, options->spec);
    TRY(db_exec(cx, &SQL_run_params_add,
                ARGS(cx->who.team_id, id, db_text_array(cx, params.keys, params.count),
                     db_text_array(cx, params.values, params.count)),
                NULL));
    TRY(lineage_node(cx, NODE_RUN, id, options->project_id, options->name));
    TRY(lineage_node_state(cx, NODE_RUN, id, RUN_STATE_NAMES[RUN_QUEUED]));
    TRY(feed_post(cx, "project", options->project_id, "created"));
    *ret_id = id;
    return OK;
}

enum err run_attach_job(struct ctx *cx, const char *run_id, const char *job_id) {
    return db_exec(cx, &SQL_run_attach_job, ARGS(cx->who.team_id, run_id, job_id), NULL);
}

enum err run_get(struct ctx *cx, const char *id, struct run *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_run_get, ARGS(cx->who.team_id, id), &RUN_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "run \"%s\" does not exist", id);
}

#define FROM(state) (1u << (state))
static const unsigned RUN_MAY_COME_FROM[] = {
    /* a lost or failed attempt goes back to the queue; so does a retried end */
    [RUN_QUEUED] =
        FROM(RUN_RUNNING) | FROM(RUN_LOST_CONTACT) | FROM(RUN_FAILED) | FROM(RUN_CANCELLED),
    [RUN_RUNNING] = FROM(RUN_QUEUED) | FROM(RUN_LOST_CONTACT),
    [RUN_LOST_CONTACT] = FROM(RUN_RUNNING),
    [RUN_SUCCEEDED] = FROM(RUN_RUNNING) | FROM(RUN_LOST_CONTACT),
    [RUN_FAILED] = FROM(RUN_QUEUED) | FROM(RUN_RUNNING) | FROM(RUN_LOST_CONTACT),
    [RUN_CANCELLED] = FROM(RUN_QUEUED) | FROM(RUN_RUNNING) | FROM(RUN_LOST_CONTACT),
};

enum err run_set_state(struct ctx *cx, const char *id, enum run_state state) {
    const char *allowed[RUN_CANCELLED + 1];
    size_t count = 0;
    for (unsigned from = RUN_QUEUED; from <= RUN_CANCELLED; from++)
        if (RUN_MAY_COME_FROM[state] & FROM(from))
            allowed[count++] = RUN_STATE_NAMES[from];
    int64_t rows;
    TRY(db_exec(
        cx, &SQL_run_set_state,
        ARGS(cx->who.team_id, id, RUN_STATE_NAMES[state], db_text_array(cx, allowed, count)),
        &rows));
    if (rows == 0)
        return fail(cx, ERR_CONFLICT, "run \"%s\" cannot become %s", id, RUN_STATE_NAMES[state]);
    TRY(lineage_node_state(cx, NODE_RUN, id, RUN_STATE_NAMES[state]));
    return feed_post(cx, "run", id, "state");
}

enum err run_set_outcome(struct ctx *cx, const char *id, const struct run_outcome *outcome) {
    TRY(db_exec(cx, &SQL_run_set_outcome,
                ARGS(cx->who.team_id, id, db_json(cx, outcome->evaluation), outcome->device),
                NULL));
    return outcome->metrics ? run_log_missing(cx, id, outcome->metrics, outcome->steps) : OK;
}

enum err run_set_tags(struct ctx *cx, const char *run_id, json_t *tags) {
    if (!json_is_object(tags) || json_object_size(tags) > 200)
        return fail_field(cx, ERR_UNPROCESSABLE, "tags",
                          "tags must be an object of at most 200 texts");
    size_t size = json_object_size(tags), count = 0;
    const char **keys = arena_new_array(cx->arena, const char *, size + 1);
    const char **values = arena_new_array(cx->arena, const char *, size + 1);
    const char *key;
    json_t *value;
    json_object_foreach(tags, key, value) {
        if (!json_is_string(value))
            return fail_field(cx, ERR_UNPROCESSABLE, "tags", "the tag \"%.100s\" is not a text",
                              key);
        keys[count] = key;
        values[count++] = json_string_value(value);
    }
    TRY(db_exec(cx, &SQL_run_tags_clear, ARGS(cx->who.team_id, run_id), NULL));
    return db_exec(cx, &SQL_run_tags_add,
                   ARGS(cx->who.team_id, run_id, db_text_array(cx, keys, count),
                        db_text_array(cx, values, count)),
                   NULL);
}

enum err run_add_artifact(struct ctx *cx, const char *run_id, const struct job_output *file) {
    char fresh[UUID_TEXT_SIZE];
    uuid_new(fresh);
    const char *id;
    TRY(db_value(cx, &SQL_run_artifact_put,
                 ARGS(fresh, cx->who.team_id, run_id, file->name, file->media_type, file->sha256,
                      db_int(cx, file->size_bytes)),
                 &id));
    if (strcmp(id, fresh) != 0)
        return OK; /* replaced: its node and edge are there */
    TRY(lineage_node(cx, NODE_ARTIFACT, id, NULL, file->name));
    return lineage_edge(cx, NODE_RUN, run_id, NODE_ARTIFACT, id, "produced");
}

enum err run_artifacts(struct ctx *cx, const char *run_id, struct list *ret) {
    return db_many(cx, &SQL_run_artifact_list, ARGS(cx->who.team_id, run_id, NULL, NULL),
                   &ARTIFACT_SHAPE, ret);
}

enum err artifact_get(struct ctx *cx, const char *id, struct artifact *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_run_artifact_get, ARGS(cx->who.team_id, id), &ARTIFACT_SHAPE, ret,
                   &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "artifact \"%s\" does not exist", id);
}
