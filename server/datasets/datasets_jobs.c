/* datasets_jobs.c: what becomes of a dataset version while its import runs.
 *
 * The data runner is given hostile files, so its report is not taken on trust: it is decoded by a
 * shape like any request, and a report that does not fit fails the job. The callbacks run in the
 * transaction of the worker's call: the version is ready with all its files, or nothing happened.
 */
#include "base/digest.h"
#include "datasets/internal.h"
#include "http/feed.h"
#include "lineage/lineage.h"
#include "sql/datasets.h"

#include <stdlib.h>
#include <string.h>

/* result.json of the data runner. */
struct import_report {
    int kind; /* enum data_kind */
    int64_t rows;
    json_t *shape, *classes, *splits, *split, *columns, *samples, *notes, *outputs;
    const char *target;
};
static const char *const DATA_KIND_NAMES[] = {"image", "table", NULL};
static const struct field IMPORT_REPORT_FIELDS[] = {
    FIELD(ENUM, struct import_report, kind, .flags = FIELD_REQUIRED, .names = DATA_KIND_NAMES),
    FIELD(INT, struct import_report, rows, .flags = FIELD_REQUIRED, .min = 0, .max = INT64_MAX),
    FIELD(JSON, struct import_report, shape, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct import_report, classes, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct import_report, target, .flags = FIELD_NULLABLE, .max = 1000),
    FIELD(JSON, struct import_report, splits, .flags = FIELD_REQUIRED),
    FIELD(JSON, struct import_report, split, .flags = FIELD_REQUIRED),
    FIELD(JSON, struct import_report, columns, .flags = FIELD_REQUIRED),
    FIELD(JSON, struct import_report, samples, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct import_report, notes, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct import_report, outputs, .flags = FIELD_REQUIRED),
};
static SHAPE(IMPORT_REPORT, "ImportReport", struct import_report, IMPORT_REPORT_FIELDS);

static enum err report_decode(struct ctx *cx, json_t *result, struct import_report *ret) {
    if (field_decode(cx->arena, &IMPORT_REPORT, result, ret, NULL, &cx->err) != OK)
        return cx->err.code;
    if (!json_is_object(ret->splits) || !json_is_array(ret->columns))
        return fail(cx, ERR_UNPROCESSABLE, "the import's report has no splits or no columns");
    return OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct job_output *)a)->name, ((const struct job_output *)b)->name);
}

/* Stores the files; the content hash is that of "<sha256>  <name>\n" lines in the order of names,
 * which a user can repeat with sha256sum. */
static enum err files_store(struct ctx *cx, const char *version_id,
                            const struct job_output *outputs, size_t count,
                            char ret_sha256[SHA256_TEXT_SIZE], int64_t *ret_size) {
    struct job_output *sorted = arena_memdup(cx->arena, outputs, sizeof(*outputs) * count);
    qsort(sorted, count, sizeof(*sorted), by_name);
    struct sha256 *hash = sha256_new();
    arena_defer(cx->arena, (void (*)(void *))sha256_free, hash);
    *ret_size = 0;
    for (size_t i = 0; i < count; i++) {
        const struct job_output *file = &sorted[i];
        const char *line = arena_printf(cx->arena, "%s  %s\n", file->sha256, file->name);
        sha256_update(hash, line, strlen(line));
        *ret_size += file->size_bytes;
        TRY(db_exec(cx, &SQL_dataset_file_add,
                    ARGS(cx->who.team_id, version_id, file->name, file->media_type, file->sha256,
                         db_int(cx, file->size_bytes)),
                    NULL));
    }
    sha256_final_hex(hash, ret_sha256);
    return OK;
}

/* After a guarded update: tells the graph and the open pages, or that the guard refused. */
static enum err state_changed(struct ctx *cx, const char *version_id, enum version_state state,
                              int64_t rows) {
    if (rows == 0)
        return fail(cx, ERR_CONFLICT, "dataset version \"%s\" cannot become %s", version_id,
                    VERSION_STATE_NAMES[state]);
    TRY(lineage_node_state(cx, NODE_DATASET_VERSION, version_id, VERSION_STATE_NAMES[state]));
    return feed_post(cx, "dataset_version", version_id, "state");
}

static enum err import_succeeded(struct ctx *cx, const struct job *job, json_t *result,
                                 const struct job_output *outputs, size_t count) {
    struct import_report report;
    TRY(report_decode(cx, result, &report));
    char sha256[SHA256_TEXT_SIZE];
    int64_t size, rows;
    TRY(files_store(cx, job->subject_id, outputs, count, sha256, &size));
    TRY(db_exec(cx, &SQL_dataset_version_ready,
                ARGS(cx->who.team_id, job->subject_id, DATA_KIND_NAMES[report.kind],
                     db_int(cx, report.rows), db_int(cx, size), sha256, db_json(cx, report.shape),
                     report.target, db_json(cx, report.classes), db_json(cx, report.splits),
                     db_json(cx, report.split), db_json(cx, report.columns),
                     db_json(cx, report.samples), db_json(cx, report.notes)),
                &rows));
    return state_changed(cx, job->subject_id, VERSION_READY, rows);
}

static enum err import_failed(struct ctx *cx, const struct job *job) {
    json_t *cancelled = json_pack("{s:s, s:s, s:n, s:n, s:n}", "code", "cancelled", "message",
                                  "the import was cancelled", "field", "file", "place");
    arena_defer(cx->arena, (void (*)(void *))json_decref, cancelled);
    json_t *error = job->error ? job->error : cancelled;
    int64_t rows;
    TRY(db_exec(cx, &SQL_dataset_version_failed,
                ARGS(cx->who.team_id, job->subject_id, db_json(cx, error)), &rows));
    return state_changed(cx, job->subject_id, VERSION_FAILED, rows);
}

/* A retried job brings its failed version back. */
static enum err import_changed(struct ctx *cx, const struct job *job, enum job_state from) {
    if (job->state != JOB_QUEUED || (from != JOB_FAILED && from != JOB_CANCELLED))
        return OK;
    int64_t rows;
    TRY(db_exec(cx, &SQL_dataset_version_importing, ARGS(cx->who.team_id, job->subject_id), &rows));
    return state_changed(cx, job->subject_id, VERSION_IMPORTING, rows);
}

const struct job_kind DATASETS_JOBS[] = {
    {.name = "dataset.import",
     .max_attempts = 3,
     .wall_seconds = 3600,
     .subject = "dataset_version_id",
     .on_change = import_changed,
     .on_success = import_succeeded,
     .on_failure = import_failed},
};
const size_t DATASETS_JOB_COUNT = sizeof(DATASETS_JOBS) / sizeof(DATASETS_JOBS[0]);
