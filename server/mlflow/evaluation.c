/* datasets/…: evaluation sets, which MLflow calls evaluation datasets. Their ids are "d-" and 32
 * hex digits, those of records "dr-…"; tags, records and what is in them are JSON as text. */
#include "mlflow/internal.h"

#include "base/jsontext.h"
#include "traces/evaluation.h"

#include <string.h>

#define SETS "/api/3.0/mlflow/datasets"
#define ONE SETS "/{set}"
#define RECORDS_BODY_MAX ((size_t)32 << 20)
#define TEXT_MAX ((size_t)16 << 20) /* of JSON in a text */
#define RESULTS_DEFAULT 1000
#define SET_PREFIX "d-"
#define RECORD_PREFIX "dr-"

struct set_message {
    const char *name, *tags, *records, *key;
    struct list experiment_ids, dataset_record_ids;
};

static const char *public_id(struct ctx *cx, const char *prefix, const char *uuid) {
    return arena_printf(cx->arena, "%s%s", prefix, mlflow_run_id(cx, uuid));
}

/* "" for what is none of ours: it does not exist. */
static const char *uuid_of(struct ctx *cx, const char *prefix, const char *id) {
    const char *uuid =
        strncmp(id, prefix, strlen(prefix)) == 0 ? mlflow_run_uuid(cx, id + strlen(prefix)) : NULL;
    return uuid ? uuid : "";
}

/* A failure of a set's own function in MLflow's words. */
static enum err refused(struct ctx *cx, const struct req *rq, enum err err) {
    if (err != ERR_NOT_FOUND)
        return err;
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                       "Evaluation dataset with id '%.100s' not found", req_param(rq, "set"));
}

static enum err parse_text(struct ctx *cx, const char *name, const char *text, json_t **ret) {
    *ret = NULL;
    if (!text || !*text)
        return OK;
    if (json_parse(text, strlen(text), TEXT_MAX, ret, &cx->err) != OK)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "`%s` is no JSON text", name);
    arena_defer(cx->arena, (void (*)(void *))json_decref, *ret);
    return OK;
}

/* UUIDs of the experiments; each must be there. */
static enum err experiments_of(struct ctx *cx, const char *project, const struct list *ids,
                               struct list *ret) {
    const char **uuids = arena_new_array(cx->arena, const char *, ids->count + 1);
    for (size_t i = 0; i < ids->count; i++) {
        struct mlflow_place place;
        TRY(mlflow_place(cx, project, ((const char *const *)ids->items)[i], &place));
        uuids[i] = arena_strdup(cx->arena, place.id);
    }
    *ret = (struct list){uuids, ids->count};
    return OK;
}

static void write_set(struct ctx *cx, struct json_writer *w, const struct evaluation_set *set) {
    json_t *number;
    size_t i;
    jw_begin(w, '{');
    jw_member_text(w, "dataset_id", public_id(cx, SET_PREFIX, set->id));
    jw_member_text(w, "name", set->name);
    jw_member_text(w, "tags", db_json(cx, set->tags));
    if (set->schema)
        jw_member_text(w, "schema", set->schema);
    if (set->records)
        jw_member_text(w, "profile",
                       arena_printf(cx->arena, "{\"num_records\": %lld}", (long long)set->records));
    jw_member_text(w, "digest", set->digest);
    jw_member_int(w, "created_time", mlflow_ms(set->created_at));
    jw_member_int(w, "last_update_time", mlflow_ms(set->updated_at));
    jw_member_text(w, "created_by", set->created_by);
    jw_member_text(w, "last_updated_by", set->updated_by);
    if (json_array_size(set->experiments)) {
        jw_member_begin(w, "experiment_ids", '[');
        json_array_foreach(set->experiments, i, number) jw_text(w, json_string_value(number));
        jw_end(w, ']');
    }
    jw_end(w, '}');
}

static void send_set(struct ctx *cx, struct reply *rp, const struct evaluation_set *set) {
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    jw_name(w, "dataset");
    write_set(cx, w, set);
    jw_end(w, '}');
    mlflow_send(rp, w);
}

/* --- sets --- */

static const struct field CREATE_FIELDS[] = {
    FIELD(STRING, struct set_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRINGS, struct set_message, experiment_ids),
    FIELD(STRING, struct set_message, tags),
};
static SHAPE(CREATE, "MlflowCreateDataset", struct set_message, CREATE_FIELDS);

static enum err post_set(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct set_message *in = rq->body;
    struct evaluation_set_create options = {.name = in->name};
    struct evaluation_set set;
    TRY(mlflow_check_length(cx, "name", in->name, 500));
    TRY(mlflow_project(cx, rq, &options.project_id));
    TRY(parse_text(cx, "tags", in->tags, &options.tags));
    TRY(experiments_of(cx, options.project_id, &in->experiment_ids, &options.experiments));
    TRY(evaluation_set_create(cx, &options, &set));
    send_set(cx, rp, &set);
    return OK;
}

static enum err send_set_of(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct evaluation_set set;
    const char *project;
    TRY(mlflow_project(cx, rq, &project));
    TRY(refused(
        cx, rq,
        evaluation_set_get(cx, project, uuid_of(cx, SET_PREFIX, req_param(rq, "set")), &set)));
    send_set(cx, rp, &set);
    return OK;
}

static enum err delete_set(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *project;
    (void)rp;
    TRY(mlflow_project(cx, rq, &project));
    return refused(
        cx, rq, evaluation_set_delete(cx, project, uuid_of(cx, SET_PREFIX, req_param(rq, "set"))));
}

struct search_message {
    struct list experiment_ids, order_by;
    const char *filter_string, *page_token;
    int64_t max_results;
};
static const struct field SEARCH_FIELDS[] = {
    FIELD(STRINGS, struct search_message, experiment_ids),
    FIELD(STRING, struct search_message, filter_string),
    FIELD(INT, struct search_message, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRINGS, struct search_message, order_by),
    FIELD(STRING, struct search_message, page_token),
};
static SHAPE(SEARCH, "MlflowSearchEvaluationDatasets", struct search_message, SEARCH_FIELDS);

static enum err search(struct ctx *cx, const struct req *rq, const struct search_message *in,
                       struct reply *rp) {
    struct evaluation_search search = {
        .filter = in->filter_string,
        .order_by = in->order_by.items,
        .order_count = in->order_by.count,
        .limit = in->max_results == FIELD_NO_INT ? RESULTS_DEFAULT : in->max_results,
        .token = in->page_token && *in->page_token ? in->page_token : NULL};
    struct json_writer *w = mlflow_json(cx);
    struct list experiments, sets;
    const char *next;
    TRY(mlflow_check_results(cx, search.limit));
    TRY(mlflow_project(cx, rq, &search.project_id));
    TRY(experiments_of(cx, search.project_id, &in->experiment_ids, &experiments));
    search.experiments = experiments.count ? &experiments : NULL;
    TRY(evaluation_set_search(cx, &search, &sets, &next));
    const struct evaluation_set *items = sets.items;
    jw_begin(w, '{');
    if (sets.count) {
        jw_member_begin(w, "datasets", '[');
        for (size_t i = 0; i < sets.count; i++)
            write_set(cx, w, &items[i]);
        jw_end(w, ']');
    }
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err post_search(struct ctx *cx, const struct req *rq, struct reply *rp) {
    return search(cx, rq, rq->body, rp);
}

static enum err get_search(struct ctx *cx, const struct req *rq, struct reply *rp) {
    return search(cx, rq, rq->query, rp);
}

/* --- tags and experiments --- */

static const struct field TAGS_FIELDS[] = {
    FIELD(STRING, struct set_message, tags, .flags = FIELD_REQUIRED),
};
static SHAPE(TAGS, "MlflowSetDatasetTags", struct set_message, TAGS_FIELDS);

static enum err patch_tags(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct set_message *in = rq->body;
    const char *project;
    json_t *tags;
    TRY(parse_text(cx, "tags", in->tags, &tags));
    TRY(mlflow_project(cx, rq, &project));
    TRY(refused(
        cx, rq,
        evaluation_set_put_tags(cx, project, uuid_of(cx, SET_PREFIX, req_param(rq, "set")), tags)));
    return send_set_of(cx, rq, rp);
}

/* One that is not there is gone already. */
static enum err delete_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *project;
    (void)rp;
    TRY(mlflow_project(cx, rq, &project));
    return refused(cx, rq,
                   evaluation_set_delete_tag(cx, project,
                                             uuid_of(cx, SET_PREFIX, req_param(rq, "set")),
                                             req_param(rq, "key")));
}

static const struct field LINK_FIELDS[] = {
    FIELD(STRINGS, struct set_message, experiment_ids),
};
static SHAPE(LINK, "MlflowDatasetExperiments", struct set_message, LINK_FIELDS);

static enum err link_set(struct ctx *cx, const struct req *rq, struct reply *rp, bool linked) {
    const struct set_message *in = rq->body;
    const char *project, *id = uuid_of(cx, SET_PREFIX, req_param(rq, "set"));
    struct evaluation_set set;
    struct list experiments;
    TRY(mlflow_project(cx, rq, &project));
    TRY(refused(cx, rq, evaluation_set_get(cx, project, id, &set)));
    TRY(experiments_of(cx, project, &in->experiment_ids, &experiments));
    TRY(refused(cx, rq, evaluation_set_link(cx, project, id, &experiments, linked)));
    return send_set_of(cx, rq, rp);
}

static enum err post_add(struct ctx *cx, const struct req *rq, struct reply *rp) {
    return link_set(cx, rq, rp, true);
}

static enum err post_remove(struct ctx *cx, const struct req *rq, struct reply *rp) {
    return link_set(cx, rq, rp, false);
}

static enum err get_experiments(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct json_writer *w = mlflow_json(cx);
    struct evaluation_set set;
    const char *project;
    json_t *number;
    size_t i;
    TRY(mlflow_project(cx, rq, &project));
    TRY(refused(
        cx, rq,
        evaluation_set_get(cx, project, uuid_of(cx, SET_PREFIX, req_param(rq, "set")), &set)));
    jw_begin(w, '{');
    if (json_array_size(set.experiments)) {
        jw_member_begin(w, "experiment_ids", '[');
        json_array_foreach(set.experiments, i, number) jw_text(w, json_string_value(number));
        jw_end(w, ']');
    }
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* --- records --- */

static const struct field RECORDS_FIELDS[] = {
    FIELD(STRING, struct set_message, records, .flags = FIELD_REQUIRED),
};
static SHAPE(RECORDS, "MlflowUpsertDatasetRecords", struct set_message, RECORDS_FIELDS);

static enum err post_records(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct set_message *in = rq->body;
    const char *project, *id = uuid_of(cx, SET_PREFIX, req_param(rq, "set"));
    struct json_writer *w = mlflow_json(cx);
    int64_t inserted, updated;
    json_t *records;
    TRY(parse_text(cx, "records", in->records, &records));
    TRY(mlflow_project(cx, rq, &project));
    TRY(refused(cx, rq, evaluation_records_put(cx, project, id, records, &inserted, &updated)));
    jw_begin(w, '{');
    jw_member_int(w, "inserted_count", inserted);
    jw_member_int(w, "updated_count", updated);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* The client's object with what stands around it. */
static enum err record_json(struct ctx *cx, const char *set_id, const struct evaluation_record *r,
                            json_t *ret) {
    json_t *body, *source, *trace;
    TRY(json_parse(r->body, strlen(r->body), TEXT_MAX, &body, &cx->err));
    source = json_object_get(body, "source");
    trace = json_object_get(json_object_get(source, "source_data"), "trace_id");
    json_object_set_new(body, "dataset_record_id",
                        json_string(public_id(cx, RECORD_PREFIX, r->id)));
    json_object_set_new(body, "dataset_id", json_string(public_id(cx, SET_PREFIX, set_id)));
    if (json_is_string(json_object_get(source, "source_type")))
        json_object_set(body, "source_type", json_object_get(source, "source_type"));
    if (trace)
        json_object_set(body, "source_id", trace);
    if (!json_object_get(body, "inputs"))
        json_object_set_new(body, "inputs", json_object());
    json_object_set_new(body, "created_time", json_integer(mlflow_ms(r->created_at)));
    json_object_set_new(body, "last_update_time", json_integer(mlflow_ms(r->updated_at)));
    json_object_set_new(body, "created_by", json_string(r->created_by));
    json_object_set_new(body, "last_updated_by", json_string(r->updated_by));
    json_array_append_new(ret, body);
    return OK;
}

struct page_message {
    int64_t max_results;
    const char *page_token;
};
static const struct field PAGE_FIELDS[] = {
    FIELD(INT, struct page_message, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct page_message, page_token),
};
static SHAPE(PAGE, "MlflowDatasetRecordsPage", struct page_message, PAGE_FIELDS);

static enum err get_records(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct page_message *in = rq->query;
    const char *project, *id = uuid_of(cx, SET_PREFIX, req_param(rq, "set")), *next;
    const char *after = in->page_token && *in->page_token ? in->page_token : NULL;
    struct json_writer *w = mlflow_json(cx);
    struct list records;
    json_t *all = json_array();
    arena_defer(cx->arena, (void (*)(void *))json_decref, all);
    TRY(mlflow_project(cx, rq, &project));
    TRY(refused(
        cx, rq,
        evaluation_records_list(cx, project, id,
                                in->max_results == FIELD_NO_INT ? RESULTS_DEFAULT : in->max_results,
                                after, &records, &next)));
    for (size_t i = 0; i < records.count; i++)
        TRY(record_json(cx, id, &((const struct evaluation_record *)records.items)[i], all));
    jw_begin(w, '{');
    jw_member_text(w, "records", db_json(cx, all));
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static const struct field DELETE_RECORDS_FIELDS[] = {
    FIELD(STRINGS, struct set_message, dataset_record_ids),
};
static SHAPE(DELETE_RECORDS, "MlflowDeleteDatasetRecords", struct set_message,
             DELETE_RECORDS_FIELDS);

static enum err delete_records(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct set_message *in = rq->body;
    const char *project, *id = uuid_of(cx, SET_PREFIX, req_param(rq, "set"));
    const struct list *ids = &in->dataset_record_ids;
    const char **uuids = arena_new_array(cx->arena, const char *, ids->count + 1);
    struct json_writer *w = mlflow_json(cx);
    int64_t count;
    for (size_t i = 0; i < ids->count; i++)
        uuids[i] = uuid_of(cx, RECORD_PREFIX, ((const char *const *)ids->items)[i]);
    TRY(mlflow_project(cx, rq, &project));
    TRY(refused(
        cx, rq,
        evaluation_records_delete(cx, project, id, &(struct list){uuids, ids->count}, &count)));
    jw_begin(w, '{');
    jw_member_int(w, "deleted_count", count);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

const struct route MLFLOW_EVALUATION_ROUTES[] = {
    {POST, SETS "/create", SCOPE_RUN_WRITE, .body = &CREATE, .handle = post_set,
     .flags = ROUTE_MLFLOW, .doc = "Create an evaluation set."},
    {POST, SETS "/search", SCOPE_RUN_READ, .body = &SEARCH, .handle = post_search,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Search evaluation sets."},
    {GET, SETS "/search", SCOPE_RUN_READ, .query = &SEARCH, .handle = get_search,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Search evaluation sets by a query."},
    {GET, ONE, SCOPE_RUN_READ, .handle = send_set_of, .flags = ROUTE_MLFLOW,
     .doc = "Get an evaluation set."},
    {DELETE, ONE, SCOPE_RUN_WRITE, .handle = delete_set, .flags = ROUTE_MLFLOW,
     .audit = "evaluation_set.delete", .doc = "Delete an evaluation set with its records."},
    {PATCH, ONE "/tags", SCOPE_RUN_WRITE, .body = &TAGS, .handle = patch_tags,
     .flags = ROUTE_MLFLOW, .doc = "Set tags of an evaluation set."},
    {DELETE, ONE "/tags/{key}", SCOPE_RUN_WRITE, .handle = delete_tag, .flags = ROUTE_MLFLOW,
     .doc = "Delete a tag of an evaluation set."},
    {GET, ONE "/experiment-ids", SCOPE_RUN_READ, .handle = get_experiments, .flags = ROUTE_MLFLOW,
     .doc = "List the experiments of an evaluation set."},
    {POST, ONE "/add-experiments", SCOPE_RUN_WRITE, .body = &LINK, .handle = post_add,
     .flags = ROUTE_MLFLOW, .doc = "Add an evaluation set to experiments."},
    {POST, ONE "/remove-experiments", SCOPE_RUN_WRITE, .body = &LINK, .handle = post_remove,
     .flags = ROUTE_MLFLOW, .doc = "Take an evaluation set out of experiments."},
    {POST, ONE "/records", SCOPE_RUN_WRITE, .body = &RECORDS, .handle = post_records,
     .flags = ROUTE_MLFLOW, .max_body = RECORDS_BODY_MAX, .rate = RATE_UPLOAD,
     .doc = "Add records, or change those with the same inputs."},
    {GET, ONE "/records", SCOPE_RUN_READ, .query = &PAGE, .handle = get_records,
     .flags = ROUTE_MLFLOW, .doc = "Read the records of an evaluation set."},
    {DELETE, ONE "/records", SCOPE_RUN_WRITE, .body = &DELETE_RECORDS, .handle = delete_records,
     .flags = ROUTE_MLFLOW, .doc = "Delete records of an evaluation set."},
};
const size_t MLFLOW_EVALUATION_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_EVALUATION_ROUTES);
