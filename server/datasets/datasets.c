/* datasets.c: the rules of datasets and their versions.
 *
 * Every change of a version's state goes through version_set_state(), whose statements are guarded
 * by the allowed old state; the job that imports drives it (datasets_jobs.c). */
#include "datasets/datasets.h"
#include "datasets/internal.h"

#include "base/ident.h"
#include "lineage/lineage.h"
#include "sql/datasets.h"

const char *const VERSION_STATE_NAMES[] = {"importing", "ready", "failed", NULL};

#define NULLABLE_INT .flags = FIELD_NULLABLE

static const struct field DATASET_FIELDS[] = {
    FIELD(UUID, struct dataset, id),
    FIELD(UUID, struct dataset, project_id),
    FIELD(STRING, struct dataset, name),
    FIELD(STRING, struct dataset, description),
    FIELD(TIME, struct dataset, created_at),
    FIELD(TIME, struct dataset, updated_at),
    FIELD(INT, struct dataset, latest_version, NULLABLE_INT),
    FIELD(STRING, struct dataset, latest_state, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct dataset, kind, .flags = FIELD_NULLABLE, .doc = "image or table"),
    FIELD(INT, struct dataset, rows, NULLABLE_INT),
    FIELD(INT, struct dataset, size_bytes, NULLABLE_INT),
};
SHAPE(DATASET_SHAPE, "Dataset", struct dataset, DATASET_FIELDS);

static const struct field DATASET_VERSION_FIELDS[] = {
    FIELD(UUID, struct dataset_version, id),
    FIELD(UUID, struct dataset_version, dataset_id),
    FIELD(STRING, struct dataset_version, dataset_name),
    FIELD(UUID, struct dataset_version, project_id),
    FIELD(INT, struct dataset_version, version),
    FIELD(ENUM, struct dataset_version, state, .names = VERSION_STATE_NAMES),
    FIELD(UUID, struct dataset_version, job_id, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct dataset_version, created_at),
    FIELD(STRING, struct dataset_version, created_by),
    FIELD(STRING, struct dataset_version, kind, .flags = FIELD_NULLABLE, .doc = "image or table"),
    FIELD(INT, struct dataset_version, rows, NULLABLE_INT),
    FIELD(INT, struct dataset_version, size_bytes, NULLABLE_INT),
    FIELD(STRING, struct dataset_version, sha256, .flags = FIELD_NULLABLE,
          .doc = "of the lines \"<sha256>  <name>\" of its files in the order of their names"),
    FIELD(JSON, struct dataset_version, shape, .flags = FIELD_NULLABLE, .typescript = "number[]"),
    FIELD(STRING, struct dataset_version, target, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct dataset_version, classes, .flags = FIELD_NULLABLE,
          .typescript = "{ name: string; count: number }[]"),
    FIELD(JSON, struct dataset_version, splits, .flags = FIELD_NULLABLE,
          .typescript = "{ train: number; validation: number; test: number }"),
    FIELD(JSON, struct dataset_version, split, .flags = FIELD_NULLABLE,
          .doc = "as it was asked for"),
    FIELD(JSON, struct dataset_version, columns, .flags = FIELD_NULLABLE,
          .doc = "null in lists beyond 256 KiB"),
    FIELD(JSON, struct dataset_version, samples, .flags = FIELD_NULLABLE,
          .doc = "null in lists beyond 256 KiB"),
    FIELD(JSON, struct dataset_version, notes, .flags = FIELD_NULLABLE, .typescript = "string[]"),
    FIELD(JSON, struct dataset_version, error, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct dataset_version, files,
          .typescript = "{ name: string; size_bytes: number; media_type: string }[]"),
};
SHAPE(DATASET_VERSION_SHAPE, "DatasetVersion", struct dataset_version, DATASET_VERSION_FIELDS);

static const struct field DATASET_FILE_FIELDS[] = {
    FIELD(STRING, struct dataset_file, name),
    FIELD(STRING, struct dataset_file, sha256),
    FIELD(STRING, struct dataset_file, media_type),
    FIELD(INT, struct dataset_file, size_bytes),
};
static SHAPE(DATASET_FILE_SHAPE, "DatasetFile", struct dataset_file, DATASET_FILE_FIELDS);

const struct db_constraint DATASETS_CONSTRAINTS[] = {
    {"datasets_name_unique", ERR_CONFLICT, "name",
     "a dataset with this name already exists in the project"},
};
const size_t DATASETS_CONSTRAINT_COUNT =
    sizeof(DATASETS_CONSTRAINTS) / sizeof(DATASETS_CONSTRAINTS[0]);

enum err dataset_get(struct ctx *cx, const char *id, struct dataset *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_dataset_get, ARGS(cx->who.team_id, id), &DATASET_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "dataset \"%s\" does not exist", id);
}

enum err dataset_version_get(struct ctx *cx, const char *id, struct dataset_version *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, &SQL_dataset_version_get, ARGS(cx->who.team_id, id), &DATASET_VERSION_SHAPE,
                   ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "dataset version \"%s\" does not exist", id);
}

enum err dataset_version_require_ready(struct ctx *cx, const char *id,
                                       struct dataset_version *ret) {
    TRY(dataset_version_get(cx, id, ret));
    if (ret->state == VERSION_READY)
        return OK;
    return fail(cx, ERR_CONFLICT, "version %lld of dataset \"%s\" is not ready, it is %s",
                (long long)ret->version, ret->dataset_name, VERSION_STATE_NAMES[ret->state]);
}

enum err dataset_file_get(struct ctx *cx, const char *version_id, const char *name,
                          struct dataset_file *ret) {
    bool found = false;
    if (uuid_is_valid(version_id))
        TRY(db_opt(cx, &SQL_dataset_file_get, ARGS(cx->who.team_id, version_id, name),
                   &DATASET_FILE_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "file \"%s\" does not exist", name);
}

/* The complete uploads that an import reads, as inputs "source-0", "source-1", … */
static enum err import_inputs(struct ctx *cx, const struct list *upload_ids,
                              struct job_input **ret) {
    const char *const *ids = upload_ids->items;
    struct job_input *inputs = arena_new_array(cx->arena, struct job_input, upload_ids->count);
    for (size_t i = 0; i < upload_ids->count; i++) {
        struct upload upload = {0};
        TRY(upload_require_complete(cx, ids[i], &upload));
        inputs[i] = (struct job_input){.name = arena_printf(cx->arena, "source-%zu", i),
                                       .file_name = upload.file_name,
                                       .sha256 = upload.sha256};
    }
    *ret = inputs;
    return OK;
}

static json_t *import_spec(struct ctx *cx, const struct import_options *options) {
    json_t *spec =
        json_pack("{s:s, s:s?, s:{s:f, s:f, s:f, s:I, s:b}}", "format", options->format, "target",
                  options->target, "split", "train", options->split.train, "validation",
                  options->split.validation, "test", options->split.test, "seed",
                  (json_int_t)options->split.seed, "stratify", (int)options->split.stratify);
    arena_defer(cx->arena, (void (*)(void *))json_decref, spec);
    return spec;
}

enum err dataset_import(struct ctx *cx, const struct dataset *dataset,
                        const struct import_options *options, struct dataset_version *ret) {
    struct job_input *inputs;
    TRY(import_inputs(cx, &options->upload_ids, &inputs));
    const char *number;
    TRY(db_value(cx, &SQL_dataset_take_version, ARGS(cx->who.team_id, dataset->id), &number));

    char *id = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    uuid_new(id);
    const char *name = arena_printf(cx->arena, "%s v%s", dataset->name, number);
    json_t *spec = import_spec(cx, options);
    struct job job;
    TRY(job_create(cx,
                   &(struct job_create){.kind = "dataset.import",
                                        .name = arena_printf(cx->arena, "import %s", name),
                                        .project_id = dataset->project_id,
                                        .subject_id = id,
                                        .spec = spec,
                                        .inputs = inputs,
                                        .input_count = options->upload_ids.count},
                   &job));
    TRY(db_exec(cx, &SQL_dataset_version_create,
                ARGS(id, cx->who.team_id, dataset->id, number, job.id, cx->who.name,
                     db_json(cx, json_object_get(spec, "split")), options->target),
                NULL));
    TRY(lineage_node(cx, NODE_DATASET_VERSION, id, dataset->project_id, name));
    TRY(lineage_node_state(cx, NODE_DATASET_VERSION, id, VERSION_STATE_NAMES[VERSION_IMPORTING]));
    TRY(lineage_edge(cx, NODE_JOB, job.id, NODE_DATASET_VERSION, id, "produced"));
    return dataset_version_get(cx, id, ret);
}
