/* datasets_routes.c: datasets, versions and their files over HTTP. */
#include "base/ident.h"
#include "datasets/internal.h"
#include "http/page.h"
#include "projects/projects.h"

#include "sql/datasets.h"

#include <math.h>

struct dataset_create {
    const char *name, *description;
};
static const struct field DATASET_CREATE_FIELDS[] = {
    FIELD(STRING, struct dataset_create, name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(STRING, struct dataset_create, description, .max = 10000),
};
static SHAPE(DATASET_CREATE, "DatasetCreate", struct dataset_create, DATASET_CREATE_FIELDS);

struct dataset_update {
    const char *description;
};
static const struct field DATASET_UPDATE_FIELDS[] = {
    FIELD(STRING, struct dataset_update, description, .max = 10000),
};
static SHAPE(DATASET_UPDATE, "DatasetUpdate", struct dataset_update, DATASET_UPDATE_FIELDS);

static const char *const FORMAT_NAMES[] = {"auto", "idx",   "images",  "csv",
                                           "tsv",  "jsonl", "parquet", NULL};
static const struct field SPLIT_FIELDS[] = {
    FIELD(REAL, struct split_options, train, .flags = FIELD_REQUIRED),
    FIELD(REAL, struct split_options, validation, .flags = FIELD_REQUIRED),
    FIELD(REAL, struct split_options, test, .flags = FIELD_REQUIRED),
    FIELD(INT, struct split_options, seed, .min = 0, .max = 4294967295),
    FIELD(BOOL, struct split_options, stratify),
};
static SHAPE(SPLIT_SHAPE, "Split", struct split_options, SPLIT_FIELDS);

struct version_create {
    struct list upload_ids;
    int format; /* index into FORMAT_NAMES */
    const char *target;
    const struct split_options *split; /* NULL = 80:10:10, seed 42, stratified */
};
static const struct field VERSION_CREATE_FIELDS[] = {
    FIELD(STRINGS, struct version_create, upload_ids, .flags = FIELD_REQUIRED, .min = 1,
          .max = 100),
    FIELD(ENUM, struct version_create, format, .names = FORMAT_NAMES),
    FIELD(STRING, struct version_create, target, .flags = FIELD_NULLABLE, .min = 1, .max = 1000,
          .doc = "the column to predict, of a table"),
    FIELD(OBJECT, struct version_create, split, .flags = FIELD_NULLABLE, .nested = &SPLIT_SHAPE),
};
static SHAPE(VERSION_CREATE, "DatasetVersionCreate", struct version_create, VERSION_CREATE_FIELDS);

struct dataset_query {
    struct page_query page;
};
static const struct field DATASET_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct dataset_query)};
static SHAPE(DATASET_QUERY, "DatasetQuery", struct dataset_query, DATASET_QUERY_FIELDS);

static enum err get_datasets(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct dataset_query *query = rq->query;
    struct project project;
    const char *after;
    struct list items;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_dataset_list,
                ARGS(cx->who.team_id, project.id, after, page_rows(cx, &query->page)),
                &DATASET_SHAPE, &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_dataset(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct dataset_create *body = rq->body;
    struct dataset *dataset = arena_new_struct(cx->arena, struct dataset);
    struct project project;
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(db_exec(cx, &SQL_dataset_create,
                ARGS(id, cx->who.team_id, project.id, body->name, body->description), NULL));
    TRY(dataset_get(cx, id, dataset));
    reply_location(cx, rp, "/api/v1/datasets/%s", id);
    reply_object(rp, dataset);
    return OK;
}

static enum err get_dataset(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct dataset *dataset = arena_new_struct(cx->arena, struct dataset);
    TRY(dataset_get(cx, req_param(rq, "dataset"), dataset));
    reply_object(rp, dataset);
    return OK;
}

static enum err patch_dataset(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct dataset_update *body = rq->body;
    struct dataset *dataset = arena_new_struct(cx->arena, struct dataset);
    TRY(dataset_get(cx, req_param(rq, "dataset"), dataset));
    if (req_has(rq, "description")) {
        TRY(db_exec(cx, &SQL_dataset_describe,
                    ARGS(cx->who.team_id, dataset->id, body->description), NULL));
        TRY(dataset_get(cx, dataset->id, dataset));
    }
    reply_object(rp, dataset);
    return OK;
}

static enum err get_versions(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct dataset_query *query = rq->query;
    struct dataset dataset;
    const char *before, *next = NULL;
    struct list items;
    TRY(dataset_get(cx, req_param(rq, "dataset"), &dataset));
    TRY(page_after(cx, &query->page, &before));
    TRY(db_many(cx, &SQL_dataset_version_list,
                ARGS(cx->who.team_id, dataset.id, before, page_rows(cx, &query->page)),
                &DATASET_VERSION_SHAPE, &items));
    size_t limit = (size_t)page_limit(&query->page);
    if (items.count > limit) {
        items.count = limit;
        const struct dataset_version *last = (struct dataset_version *)items.items + limit - 1;
        next = cursor_encode(cx, ARGS(db_int(cx, last->version)), 1);
    }
    reply_page(rp, items, next);
    return OK;
}

/* The shares must be a division of the whole, and something must be left to learn from. */
static enum err split_check(struct ctx *cx, const struct split_options *split) {
    bool in_range = split->train > 0 && split->train <= 1 && split->validation >= 0 &&
                    split->validation < 1 && split->test >= 0 && split->test < 1;
    if (!in_range || !(fabs(split->train + split->validation + split->test - 1) < 1e-6))
        return fail_field(cx, ERR_UNPROCESSABLE, "split",
                          "the shares of train, validation and test must add up to 1, with train "
                          "above 0");
    return OK;
}

static enum err post_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_create *body = rq->body;
    struct dataset_version *version = arena_new_struct(cx->arena, struct dataset_version);
    struct dataset dataset;
    struct split_options split = {0.8, 0.1, 0.1, 42, true};
    if (body->split)
        split = *body->split;
    TRY(split_check(cx, &split));
    TRY(dataset_get(cx, req_param(rq, "dataset"), &dataset));
    TRY(dataset_import(cx, &dataset,
                       &(struct import_options){.upload_ids = body->upload_ids,
                                                .format = FORMAT_NAMES[body->format],
                                                .target = body->target,
                                                .split = split},
                       version));
    reply_location(cx, rp, "/api/v1/dataset-versions/%s", version->id);
    reply_object(rp, version);
    return OK;
}

static enum err get_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct dataset_version *version = arena_new_struct(cx->arena, struct dataset_version);
    TRY(dataset_version_get(cx, req_param(rq, "version"), version));
    reply_object(rp, version);
    return OK;
}

static enum err get_version_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct dataset_file file;
    int fd;
    int64_t size;
    TRY(dataset_file_get(cx, req_param(rq, "version"), req_param(rq, "name"), &file));
    TRY(blob_open(cx, file.sha256, &fd, &size));
    reply_file(
        rp, &(struct reply_file){
                .fd = fd, .size_bytes = size, .media_type = file.media_type, .etag = file.sha256});
    return OK;
}

const struct route DATASETS_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/datasets", SCOPE_DATASET_READ, .query = &DATASET_QUERY,
     .reply = &DATASET_SHAPE, .handle = get_datasets, .flags = ROUTE_LIST,
     .doc = "List a project's datasets, newest first."},
    {POST, "/api/v1/projects/{project}/datasets", SCOPE_DATASET_WRITE, .body = &DATASET_CREATE,
     .reply = &DATASET_SHAPE, .handle = post_dataset, .flags = ROUTE_IDEMPOTENT, .status = 201,
     .audit = "dataset.create", .doc = "Create an empty dataset."},
    {GET, "/api/v1/datasets/{dataset}", SCOPE_DATASET_READ, .reply = &DATASET_SHAPE,
     .handle = get_dataset, .doc = "Get a dataset."},
    {PATCH, "/api/v1/datasets/{dataset}", SCOPE_DATASET_WRITE, .body = &DATASET_UPDATE,
     .reply = &DATASET_SHAPE, .handle = patch_dataset, .audit = "dataset.update",
     .doc = "Change a dataset's description."},
    {GET, "/api/v1/datasets/{dataset}/versions", SCOPE_DATASET_READ, .query = &DATASET_QUERY,
     .reply = &DATASET_VERSION_SHAPE, .handle = get_versions, .flags = ROUTE_LIST,
     .doc = "List a dataset's versions, newest first."},
    {POST, "/api/v1/datasets/{dataset}/versions", SCOPE_DATASET_WRITE, .body = &VERSION_CREATE,
     .reply = &DATASET_VERSION_SHAPE, .handle = post_version, .flags = ROUTE_IDEMPOTENT,
     .status = 202, .audit = "dataset_version.create",
     .doc = "Import finished uploads as the next version."},
    {GET, "/api/v1/dataset-versions/{version}", SCOPE_DATASET_READ, .reply = &DATASET_VERSION_SHAPE,
     .handle = get_version, .doc = "Get a dataset version with its schema and statistics."},
    {GET, "/api/v1/dataset-versions/{version}/files/{name}", SCOPE_DATASET_READ,
     .handle = get_version_file, .rate = RATE_DOWNLOAD,
     .doc = "Download a dataset version's file."},
};
const size_t DATASETS_ROUTE_COUNT = ROUTES_COUNT(DATASETS_ROUTES);
