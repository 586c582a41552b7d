/* tracking.c: the rules of runs that have a job, and of runs' files.
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

static const struct field ID_ROW_FIELDS[] = {FIELD(UUID, struct id_row, id)};
SHAPE(ID_ROW, "IdRow", struct id_row, ID_ROW_FIELDS);

/* clang-format off */
#define RUN_COLUMNS                                                                                \
    FIELD(UUID, struct run, id),                                                                   \
    FIELD(UUID, struct run, project_id),                                                           \
    FIELD(UUID, struct run, experiment_id),                                                        \
    FIELD(STRING, struct run, experiment_name),                                                    \
    FIELD(INT, struct run, experiment_number),                                                     \
    FIELD(STRING, struct run, name),                                                               \
    FIELD(ENUM, struct run, state, .names = RUN_STATE_NAMES),                                      \
    FIELD(UUID, struct run, parent_id, .flags = FIELD_NULLABLE),                                   \
    FIELD(STRING, struct run, source, .doc = "native, mlflow, import, …"),                         \
    FIELD(STRING, struct run, user_name, .flags = FIELD_NULLABLE),                                 \
    FIELD(TIME, struct run, archived_at, .flags = FIELD_NULLABLE),                                 \
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
    FIELD(JSON, struct run, metrics_min, .flags = FIELD_NULLABLE,                                  \
          .typescript = "Record<string, number>",                                                  \
          .doc = "the least finite value of each, in lists with ranges=true"),                     \
    FIELD(JSON, struct run, metrics_max, .flags = FIELD_NULLABLE,                                  \
          .typescript = "Record<string, number>", .doc = "the greatest, likewise"),                \
    FIELD(REAL, struct run, progress),                                                             \
    FIELD(STRING, struct run, message),                                                            \
    FIELD(REAL, struct run, eta_s, .flags = FIELD_NULLABLE),                                       \
    FIELD(STRING, struct run, device, .flags = FIELD_NULLABLE),                                    \
    FIELD(JSON, struct run, evaluation, .flags = FIELD_NULLABLE, .doc = "null in lists"),          \
    FIELD(JSON, struct run, spec, .flags = FIELD_NULLABLE)
/* clang-format on */

static const struct field RUN_FIELDS[] = {RUN_COLUMNS};
SHAPE(RUN_SHAPE, "Run", struct run, RUN_FIELDS);

const struct db_constraint TRACKING_CONSTRAINTS[] = {
    {"experiments_name_unique", ERR_CONFLICT, "name",
     "an experiment with this name already exists in the project"},
    {"experiments_name_length", ERR_UNPROCESSABLE, "name",
     "an experiment's name must have 1 to 500 characters"},
    {"experiments_description_length", ERR_UNPROCESSABLE, "description",
     "the description is longer than 10000 characters"},
    {"experiments_folder_form", ERR_UNPROCESSABLE, "folder",
     "a folder is written as \"vision/ablation\", in at most 500 characters"},
    {"experiments_location_form", ERR_UNPROCESSABLE, "artifact_location",
     "artifacts are kept here: an artifact location starts with \"mlflow-artifacts:/\""},
    {"experiment_tags_key_length", ERR_UNPROCESSABLE, "tags",
     "a tag's name must have 1 to 250 characters"},
    {"experiment_tags_value_length", ERR_UNPROCESSABLE, "tags",
     "a tag's value is longer than 5000 characters"},
    {"runs_name_length", ERR_UNPROCESSABLE, "name", "a run's name must have 1 to 250 characters"},
    {"runs_notes_length", ERR_UNPROCESSABLE, "notes",
     "the notes are longer than 100000 characters"},
    {"runs_parent_not_itself", ERR_UNPROCESSABLE, "parent_id", "a run cannot be its own parent"},
    {"runs_source_length", ERR_UNPROCESSABLE, "source", "a source must have 1 to 50 characters"},
    {"runs_user_name_length", ERR_UNPROCESSABLE, "user",
     "a user's name is longer than 256 characters"},
    {"run_params_key_length", ERR_UNPROCESSABLE, "params",
     "a parameter's name must have 1 to 250 characters"},
    {"run_params_value_length", ERR_UNPROCESSABLE, "params",
     "a parameter's value is longer than 6000 characters"},
    {"run_tags_key_length", ERR_UNPROCESSABLE, "tags",
     "a tag's name must have 1 to 250 characters"},
    {"run_tags_value_length", ERR_UNPROCESSABLE, "tags",
     "a tag's value is longer than 8000 characters"},
    {"logged_datasets_name_length", ERR_UNPROCESSABLE, "name",
     "a data set's name must have 1 to 500 characters"},
    {"logged_datasets_digest_length", ERR_UNPROCESSABLE, "digest",
     "a data set's digest must have 1 to 36 characters"},
    {"logged_datasets_source_type_length", ERR_UNPROCESSABLE, "source_type",
     "a data set's source type is longer than 500 characters"},
    {"logged_datasets_source_length", ERR_UNPROCESSABLE, "source",
     "a data set's source is longer than 65535 characters"},
    {"logged_datasets_schema_length", ERR_UNPROCESSABLE, "schema",
     "a data set's schema is longer than 1048575 characters"},
    {"logged_datasets_profile_length", ERR_UNPROCESSABLE, "profile",
     "a data set's profile is longer than 16777215 characters"},
    {"run_metrics_key_length", ERR_UNPROCESSABLE, "key",
     "a metric's name must have 1 to 250 characters"},
    {"metric_points_step_in_range", ERR_UNPROCESSABLE, "step", "a metric's step is out of range"},
};
const size_t TRACKING_CONSTRAINT_COUNT =
    sizeof(TRACKING_CONSTRAINTS) / sizeof(TRACKING_CONSTRAINTS[0]);

enum err run_create(struct ctx *cx, const struct run_create *options, const char **ret_id) {
    const char *experiment_id;
    TRY(experiment_ensure(cx, options->project_id, options->experiment, &experiment_id));
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
    struct params texts;
    TRY(texts_of_member(cx, tags, "tags", &texts));
    TRY(db_exec(cx, &SQL_run_tags_clear, ARGS(cx->who.team_id, run_id), NULL));
    return run_put_tags(cx, run_id, texts.keys, texts.values, texts.count);
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
    return artifact_list_tree(cx, &(struct artifact_owner){ARTIFACT_OF_RUN, run_id}, "", ret);
}

enum err artifact_get(struct ctx *cx, const char *id, struct artifact *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_run_artifact_get, ARGS(cx->who.team_id, id), &ARTIFACT_SHAPE, ret,
                   &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "artifact \"%s\" does not exist", id);
}
