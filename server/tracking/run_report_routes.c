/* run_report_routes.c: what a client reports of its run, over HTTP. These are called thousands of
 * times a run and leave no trace in the audit log; what people change is in run_routes.c. */
#include "tracking/internal.h"

#include "sql/tracking.h"

/* ---- state, parameters, tags */

struct state_report {
    int state;
    int64_t finished_at;
};
static const struct field STATE_REPORT_FIELDS[] = {
    FIELD(ENUM, struct state_report, state, .flags = FIELD_REQUIRED, .names = RUN_STATE_NAMES),
    FIELD(TIME, struct state_report, finished_at, .flags = FIELD_NULLABLE, .doc = "now by default"),
};
static SHAPE(STATE_REPORT, "RunStateReport", struct state_report, STATE_REPORT_FIELDS);

static enum err post_state(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct state_report *body = rq->body;
    struct run *run = arena_new_struct(cx->arena, struct run);
    if (body->state == RUN_LOST_CONTACT)
        return fail_field(cx, ERR_UNPROCESSABLE, "state", "a run that reports is not lost");
    TRY(run_change(cx, req_param(rq, "run"),
                   &(struct run_change){.state = body->state,
                                        .has_state = true,
                                        .finished_at = body->finished_at,
                                        .has_finished = body->finished_at != 0}));
    TRY(run_get(cx, req_param(rq, "run"), run));
    reply_object(rp, run);
    return OK;
}

struct texts_report {
    json_t *params, *tags;
};
static const struct field PARAMS_REPORT_FIELDS[] = {
    FIELD(JSON, struct texts_report, params, .flags = FIELD_REQUIRED,
          .typescript = "Record<string, string>", .doc = "a parameter keeps its first value"),
};
static SHAPE(PARAMS_REPORT, "RunParamsReport", struct texts_report, PARAMS_REPORT_FIELDS);

static enum err post_params(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const struct texts_report *body = rq->body;
    struct params params;
    TRY(texts_of_member(cx, body->params, "params", &params));
    return run_log_params(cx, req_param(rq, "run"), params.keys, params.values, params.count, NULL,
                          NULL);
}

static const struct field TAGS_REPORT_FIELDS[] = {
    FIELD(JSON, struct texts_report, tags, .flags = FIELD_REQUIRED,
          .typescript = "Record<string, string | null>",
          .doc = "those to set; null takes one away"),
};
static SHAPE(TAGS_REPORT, "RunTagsReport", struct texts_report, TAGS_REPORT_FIELDS);

static enum err patch_tags(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const struct texts_report *body = rq->body;
    const char *id = req_param(rq, "run");
    struct tag_changes changes;
    bool found;
    TRY(tag_changes_of(cx, body->tags, &changes));
    for (size_t i = 0; i < changes.gone_count; i++)
        TRY(run_delete_tag(cx, id, changes.gone[i], &found));
    return run_put_tags(cx, id, changes.set.keys, changes.set.values, changes.set.count);
}

/* ---- inputs and outputs */

static const struct field DATASET_INPUT_FIELDS[] = {
    FIELD(STRING, struct dataset_input, name, .flags = FIELD_REQUIRED, .min = 1, .max = 2000),
    FIELD(STRING, struct dataset_input, digest, .flags = FIELD_REQUIRED, .min = 1, .max = 144),
    FIELD(STRING, struct dataset_input, source_type, .flags = FIELD_REQUIRED, .max = 2000),
    FIELD(STRING, struct dataset_input, source, .flags = FIELD_REQUIRED, .max = 262140),
    FIELD(STRING, struct dataset_input, schema, .flags = FIELD_NULLABLE, .max = 1048575),
    FIELD(STRING, struct dataset_input, profile, .flags = FIELD_NULLABLE, .max = 16777215),
    FIELD(JSON, struct dataset_input, tags, .typescript = "Record<string, string>"),
};
static SHAPE(DATASET_INPUT, "DatasetInput", struct dataset_input, DATASET_INPUT_FIELDS);

struct inputs_report {
    struct list datasets, models;
};
static const struct field INPUTS_REPORT_FIELDS[] = {
    FIELD(LIST, struct inputs_report, datasets, .nested = &DATASET_INPUT, .max = 100),
    FIELD(STRINGS, struct inputs_report, models, .max = 100,
          .doc = "ids of logged models, also as \"m-…\""),
};
static SHAPE(INPUTS_REPORT, "RunInputsReport", struct inputs_report, INPUTS_REPORT_FIELDS);

static enum err post_inputs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const struct inputs_report *body = rq->body;
    const char *const *names = body->models.items;
    const char **models = arena_new_array(cx->arena, const char *, body->models.count + 1);
    for (size_t i = 0; i < body->models.count; i++)
        TRY(logged_model_require(cx, NULL, names[i], &models[i]));
    return run_add_inputs(cx, req_param(rq, "run"), body->datasets.items, body->datasets.count,
                          models, body->models.count);
}

static const struct field MODEL_OUTPUT_FIELDS[] = {
    FIELD(STRING, struct model_output, model_id, .flags = FIELD_REQUIRED, .min = 1),
    FIELD(INT, struct model_output, step),
};
static SHAPE(MODEL_OUTPUT, "ModelOutput", struct model_output, MODEL_OUTPUT_FIELDS);

static const struct field OUTPUTS_REPORT_FIELDS[] = {
    FIELD(LIST, struct inputs_report, models, .flags = FIELD_REQUIRED, .nested = &MODEL_OUTPUT,
          .max = 100),
};
static SHAPE(OUTPUTS_REPORT, "RunOutputsReport", struct inputs_report, OUTPUTS_REPORT_FIELDS);

static enum err post_outputs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const struct inputs_report *body = rq->body;
    const struct model_output *named = body->models.items;
    struct model_output *models =
        arena_new_array(cx->arena, struct model_output, body->models.count + 1);
    for (size_t i = 0; i < body->models.count; i++) {
        models[i].step = named[i].step;
        TRY(logged_model_require(cx, NULL, named[i].model_id, &models[i].model_id));
    }
    return run_add_outputs(cx, req_param(rq, "run"), models, body->models.count);
}

/* ---- what was reported of them */

struct dataset_read {
    const char *name, *digest, *source_type, *source, *schema;
    json_t *tags;
};
static const struct field DATASET_READ_FIELDS[] = {
    FIELD(STRING, struct dataset_read, name),
    FIELD(STRING, struct dataset_read, digest),
    FIELD(STRING, struct dataset_read, source_type),
    FIELD(STRING, struct dataset_read, source),
    FIELD(STRING, struct dataset_read, schema, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct dataset_read, tags, .typescript = "Record<string, string>"),
};
static SHAPE(DATASET_READ, "DatasetRead", struct dataset_read, DATASET_READ_FIELDS);

struct model_link {
    const char *id, *name;
    bool made;
    int64_t step;
};
static const struct field MODEL_LINK_FIELDS[] = {
    FIELD(UUID, struct model_link, id),
    FIELD(STRING, struct model_link, name),
    FIELD(BOOL, struct model_link, made, .doc = "by the run; else read by it"),
    FIELD(INT, struct model_link, step),
};
static SHAPE(MODEL_LINK, "ModelLink", struct model_link, MODEL_LINK_FIELDS);

struct run_links {
    struct list datasets, models;
};
static const struct field RUN_LINKS_FIELDS[] = {
    FIELD(LIST, struct run_links, datasets, .nested = &DATASET_READ),
    FIELD(LIST, struct run_links, models, .nested = &MODEL_LINK),
};
static SHAPE(RUN_LINKS, "RunLinks", struct run_links, RUN_LINKS_FIELDS);

static enum err get_inputs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct run_links *links = arena_new_struct(cx->arena, struct run_links);
    const char *id;
    TRY(run_require(cx, NULL, req_param(rq, "run"), &id));
    TRY(db_many(cx, &SQL_run_inputs_list, ARGS(cx->who.team_id, id), &DATASET_READ,
                &links->datasets));
    TRY(db_many(cx, &SQL_run_models_list, ARGS(cx->who.team_id, id), &MODEL_LINK, &links->models));
    reply_object(rp, links);
    return OK;
}

const struct route RUN_REPORT_ROUTES[] = {
    {POST, "/api/v1/runs/{run}/state", SCOPE_RUN_INGEST, .body = &STATE_REPORT, .reply = &RUN_SHAPE,
     .handle = post_state,
     .doc = "Report the state of a run that has no job; a finished run may run again."},
    {POST, "/api/v1/runs/{run}/params", SCOPE_RUN_INGEST, .body = &PARAMS_REPORT,
     .handle = post_params, .max_body = RUN_TEXTS_BODY_MAX,
     .doc = "Log parameters; the same value again is fine, another is refused."},
    {PATCH, "/api/v1/runs/{run}/tags", SCOPE_RUN_INGEST, .body = &TAGS_REPORT, .handle = patch_tags,
     .max_body = RUN_TEXTS_BODY_MAX, .doc = "Set and take away tags."},
    {GET, "/api/v1/runs/{run}/inputs", SCOPE_RUN_READ, .reply = &RUN_LINKS, .handle = get_inputs,
     .doc = "What a run read and which models it made."},
    {POST, "/api/v1/runs/{run}/inputs", SCOPE_RUN_INGEST, .body = &INPUTS_REPORT,
     .handle = post_inputs, .max_body = (size_t)20 << 20,
     .doc = "Log the data sets and models that a run read."},
    {POST, "/api/v1/runs/{run}/outputs", SCOPE_RUN_INGEST, .body = &OUTPUTS_REPORT,
     .handle = post_outputs, .doc = "Log the models that a run made."},
};
const size_t RUN_REPORT_ROUTE_COUNT = ROUTES_COUNT(RUN_REPORT_ROUTES);
