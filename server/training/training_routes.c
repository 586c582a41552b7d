/* training_routes.c: templates, the check of a spec, and starting a training job over HTTP. */
#include "projects/projects.h"
#include "tracking/tracking.h"
#include "training/internal.h"

struct template_query {
    const char *dataset_version;
};
static const struct field TEMPLATE_QUERY_FIELDS[] = {
    FIELD(UUID, struct template_query, dataset_version, .flags = FIELD_REQUIRED),
};
static SHAPE(TEMPLATE_QUERY, "TemplateQuery", struct template_query, TEMPLATE_QUERY_FIELDS);

struct check_request {
    const char *dataset_version_id;
    json_t *spec;
};
static const struct field CHECK_REQUEST_FIELDS[] = {
    FIELD(UUID, struct check_request, dataset_version_id, .flags = FIELD_REQUIRED),
    FIELD(JSON, struct check_request, spec, .flags = FIELD_REQUIRED),
};
static SHAPE(CHECK_REQUEST, "TrainingCheck", struct check_request, CHECK_REQUEST_FIELDS);

struct training_create {
    const char *dataset_version_id, *name, *experiment;
    json_t *spec;
};
static const struct field TRAINING_CREATE_FIELDS[] = {
    FIELD(UUID, struct training_create, dataset_version_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct training_create, name, .flags = FIELD_NULLABLE, .min = 1, .max = 250),
    FIELD(STRING, struct training_create, experiment, .flags = FIELD_NULLABLE, .min = 1, .max = 200,
          .doc = "its name; made when absent"),
    FIELD(JSON, struct training_create, spec, .flags = FIELD_REQUIRED),
};
static SHAPE(TRAINING_CREATE, "TrainingCreate", struct training_create, TRAINING_CREATE_FIELDS);

static enum err get_templates(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct template_query *query = rq->query;
    struct dataset_version version;
    struct list items;
    if (!query->dataset_version)
        return fail_field(cx, ERR_INVALID, "dataset_version", "a dataset version must be named");
    TRY(dataset_version_require_ready(cx, query->dataset_version, &version));
    TRY(training_templates(cx, &version, &items));
    reply_page(rp, items, NULL);
    return OK;
}

static enum err post_check(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct check_request *body = rq->body;
    struct spec_report *report = arena_new_struct(cx->arena, struct spec_report);
    struct dataset_version version;
    TRY(dataset_version_require_ready(cx, body->dataset_version_id, &version));
    TRY(training_check(cx, &version, body->spec, report));
    reply_object(rp, report);
    return OK;
}

static enum err post_training(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct training_create *body = rq->body;
    struct run *run = arena_new_struct(cx->arena, struct run);
    struct spec_report report;
    struct dataset_version version;
    struct project project;
    const char *run_id;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(dataset_version_require_ready(cx, body->dataset_version_id, &version));
    TRY(training_check(cx, &version, body->spec, &report));
    TRY(training_start(cx, &version,
                       &(struct training_options){.project_id = project.id,
                                                  .name = body->name,
                                                  .experiment = body->experiment,
                                                  .spec = body->spec},
                       &run_id));
    TRY(run_get(cx, run_id, run));
    reply_location(cx, rp, "/api/v1/runs/%s", run_id);
    reply_object(rp, run);
    return OK;
}

const struct route TRAINING_ROUTES[] = {
    {GET, "/api/v1/training/templates", SCOPE_RUN_READ, .query = &TEMPLATE_QUERY,
     .reply = &TEMPLATE_SHAPE, .handle = get_templates, .flags = ROUTE_LIST,
     .doc = "List the networks that fit a dataset version, ready to train."},
    {POST, "/api/v1/training/check", SCOPE_RUN_READ, .body = &CHECK_REQUEST,
     .reply = &SPEC_REPORT_SHAPE, .handle = post_check,
     .doc = "Check a training spec: the shape of every layer, or what is wrong with it."},
    {POST, "/api/v1/projects/{project}/training", SCOPE_RUN_WRITE, .body = &TRAINING_CREATE,
     .reply = &RUN_SHAPE, .handle = post_training, .flags = ROUTE_IDEMPOTENT, .status = 202,
     .audit = "training.create", .doc = "Start a training job; its record is the run."},
};
const size_t TRAINING_ROUTE_COUNT = ROUTES_COUNT(TRAINING_ROUTES);
