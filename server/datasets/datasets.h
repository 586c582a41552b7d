/* Datasets and their immutable, numbered versions.
 *
 * A version is born "importing" with its job, and ends "ready" (its files are blobs, its schema and
 * statistics are what the data runner reported) or "failed" (the job's error says why); a retried
 * job makes it importing again. Nothing about a ready version ever changes.
 *
 *     importing -> ready | failed        failed -> importing (the job is retried) */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"
#include "jobs/jobs.h"

enum version_state { VERSION_IMPORTING, VERSION_READY, VERSION_FAILED };
extern const char *const VERSION_STATE_NAMES[];

enum data_kind { DATA_NONE = -1, DATA_IMAGE, DATA_TABLE };

struct dataset {
    const char *id, *project_id, *name, *description;
    int64_t created_at, updated_at;
    /* of the newest version; null when there is none, or it is not ready */
    int64_t latest_version, rows, size_bytes;
    const char *latest_state, *kind;
};

struct dataset_version {
    const char *id, *dataset_id, *dataset_name, *project_id;
    int64_t version;
    int state; /* enum version_state */
    const char *job_id;
    int64_t created_at;
    const char *created_by;
    /* null until ready */
    const char *kind; /* "image" | "table" */
    int64_t rows, size_bytes;
    const char *sha256; /* of the list of its files' hashes and names */
    json_t *shape, *classes, *splits, *split, *columns, *samples, *notes;
    const char *target;
    json_t *error; /* JobError of a failed import */
    json_t *files; /* [{name, size_bytes, media_type}] */
};

struct dataset_file {
    const char *name, *sha256, *media_type;
    int64_t size_bytes;
};

/* A version of the caller's team, else ERR_NOT_FOUND. */
MUST_USE enum err dataset_version_get(struct ctx *cx, const char *id, struct dataset_version *ret);
/* The same, and ERR_CONFLICT unless it is ready to be read. */
MUST_USE enum err dataset_version_require_ready(struct ctx *cx, const char *id,
                                                struct dataset_version *ret);
MUST_USE enum err dataset_file_get(struct ctx *cx, const char *version_id, const char *name,
                                   struct dataset_file *ret);

extern const struct route DATASETS_ROUTES[];
extern const size_t DATASETS_ROUTE_COUNT;
extern const struct job_kind DATASETS_JOBS[];
extern const size_t DATASETS_JOB_COUNT;
extern const struct db_constraint DATASETS_CONSTRAINTS[];
extern const size_t DATASETS_CONSTRAINT_COUNT;
