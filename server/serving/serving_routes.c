/* serving_routes.c: predictions and endpoints in the native API, and the Open Inference Protocol
 * under /v2. The latter's errors are {"error": …} (ROUTE_V2), its health needs no sign-in, and its
 * clients may send any query and no content type. */
#include "base/cleanup.h"
#include "base/jsontext.h"
#include "db/db.h"
#include "http/page.h"
#include "projects/projects.h"
#include "serving/internal.h"

#include "sql/serving.h"

#include <string.h>

#define PREDICT_MAX_BODY ((size_t)64 << 20)

static enum err reply_answer(struct ctx *cx, struct reply *rp, const struct wire_reply *answer) {
    reply_status(rp, answer->status);
    if (answer->json_length >= 0)
        reply_header(cx, rp, "Inference-Header-Content-Length", db_int(cx, answer->json_length));
    if (answer->compute_us >= 0) /* what of the time was the model's, as browsers show it */
        reply_header(
            cx, rp, "Server-Timing",
            arena_printf(cx->arena, "compute;dur=%.3f", (double)answer->compute_us / 1000.0));
    reply_bytes(rp, answer->content_type, answer->body, answer->body_size);
    return OK;
}

#define REFUSAL_MAX 4096 /* bytes of a runner's {"error": "sentence"} */

/* The runner's refusal as an error of ours. */
static enum err refusal(struct ctx *cx, const struct wire_reply *answer) {
    auto_json *json = NULL;
    struct err_info ignored;
    const char *message = NULL;
    if (json_parse(answer->body, answer->body_size, REFUSAL_MAX, &json, &ignored) == OK)
        message = json_string_value(json_object_get(json, "error"));
    enum err code = answer->status == 413   ? ERR_TOO_LARGE
                    : answer->status < 500  ? ERR_UNPROCESSABLE
                    : answer->status == 503 ? ERR_UNAVAILABLE
                                            : ERR_INTERNAL;
    return fail(cx, code, "%.400s", message ? message : "the model refused the request");
}

static enum err post_predict(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct wire_reply answer;
    TRY(predict(cx, rq, &(struct model_ref){.version_id = req_param(rq, "version")}, &answer));
    return answer.status < 400 ? reply_answer(cx, rp, &answer) : refusal(cx, &answer);
}

struct endpoint_query {
    struct page_query page;
};
static const struct field ENDPOINT_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct endpoint_query)};
static SHAPE(ENDPOINT_QUERY, "EndpointQuery", struct endpoint_query, ENDPOINT_QUERY_FIELDS);

static enum err get_endpoints(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct endpoint_query *query = rq->query;
    struct project project;
    const char *after;
    struct list items;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_endpoint_list,
                ARGS(cx->who.team_id, project.id, after, page_rows(cx, &query->page)),
                &ENDPOINT_ROW_SHAPE, &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_endpoint_stop(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct endpoint *endpoint = arena_new_struct(cx->arena, struct endpoint);
    const char *id = req_param(rq, "endpoint");
    TRY(endpoint_stop(cx, id));
    TRY(endpoint_get(cx, id, endpoint));
    reply_object(rp, endpoint);
    return OK;
}

/* ---- Open Inference Protocol */

/* The {version} of the path: digits, or 0 when the path has none. */
static enum err version_param(struct ctx *cx, const struct req *rq, int64_t *ret) {
    const char *text = strstr(rq->route->path, "{version}") ? req_param(rq, "version") : "0";
    *ret = 0;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9' || *ret > 100000000)
            return fail(cx, ERR_NOT_FOUND,
                        "Request for unknown model: '%s' version %.40s is not found",
                        req_param(rq, "name"), text);
        *ret = *ret * 10 + (*c - '0');
    }
    return OK;
}

static enum err version_of_path(struct ctx *cx, const struct req *rq, struct model_version *ret) {
    int64_t number;
    bool found;
    TRY(version_param(cx, rq, &number));
    TRY(model_version_by_name(cx, req_param(rq, "name"), number, ret, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "Request for unknown model: '%s' is not found",
                    req_param(rq, "name"));
    return model_version_require_servable(cx, ret);
}

static enum err get_server(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx, (void)rq;
    reply_json(rp, json_pack("{s:s, s:s, s:[s]}", "name", "slipway", "version", "0.1.0",
                             "extensions", "binary_tensor_data"));
    return OK;
}

static enum err get_live(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx, (void)rq;
    reply_json(rp, json_pack("{s:b}", "live", 1));
    return OK;
}

static enum err get_ready(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    if (!db_pool_is_alive(cx->app->db, 1000))
        return fail(cx, ERR_UNAVAILABLE, "the database does not answer");
    reply_json(rp, json_pack("{s:b}", "ready", 1));
    return OK;
}

static enum err get_model_metadata(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_version version;
    json_t *versions;
    TRY(version_of_path(cx, rq, &version));
    TRY(model_version_numbers(cx, version.model_id, &versions));
    reply_json(rp, json_pack("{s:s, s:o, s:s, s:O, s:O}", "name", version.model_name, "versions",
                             versions, "platform", "slipway_torch", "inputs",
                             json_object_get(version.signature, "inputs"), "outputs",
                             json_object_get(version.signature, "outputs")));
    return OK;
}

/* Ready means that a request will be answered: a stopped endpoint starts with the first one. A
 * refusal has both forms that clients look for: "ready" and "error". */
static enum err get_model_ready(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_version version;
    TRY(version_of_path(cx, rq, &version));
    const char *state = json_string_value(json_object_get(version.endpoint, "state"));
    bool ready = !state || strcmp(state, ENDPOINT_STATE_NAMES[ENDPOINT_FAILED]) != 0;
    json_t *reply = json_pack("{s:s, s:b}", "name", version.model_name, "ready", (int)ready);
    if (!ready)
        json_object_set(reply, "error", json_object_get(version.endpoint, "message"));
    reply_status(rp, ready ? 200 : 503);
    reply_json(rp, reply);
    return OK;
}

static enum err post_infer(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_ref model = {.name = req_param(rq, "name")};
    struct wire_reply answer;
    TRY(version_param(cx, rq, &model.version));
    TRY(predict(cx, rq, &model, &answer));
    return reply_answer(cx, rp, &answer);
}

const struct route SERVING_ROUTES[] = {
    {POST, "/api/v1/model-versions/{version}/predict", SCOPE_PREDICT, .handle = post_predict,
     .flags = ROUTE_RAW_BODY, .status = 200, .rate = RATE_PREDICT, .max_body = PREDICT_MAX_BODY,
     .doc = "Predict from an image or from Open Inference Protocol JSON."},
    {GET, "/api/v1/projects/{project}/endpoints", SCOPE_MODEL_READ, .query = &ENDPOINT_QUERY,
     .reply = &ENDPOINT_SHAPE, .handle = get_endpoints, .flags = ROUTE_LIST,
     .doc = "List a project's endpoints, newest first."},
    {POST, "/api/v1/endpoints/{endpoint}/stop", SCOPE_ENDPOINT_WRITE, .reply = &ENDPOINT_SHAPE,
     .handle = post_endpoint_stop, .audit = "endpoint.stop",
     .doc = "Stop an endpoint; the next request starts it again."},
    {GET, "/v2", SCOPE_PUBLIC, .handle = get_server,
     .flags = ROUTE_V2 | ROUTE_ANONYMOUS | ROUTE_UNCOUNTED,
     .doc = "Open Inference Protocol: server metadata."},
    {GET, "/v2/health/live", SCOPE_PUBLIC, .handle = get_live,
     .flags = ROUTE_V2 | ROUTE_ANONYMOUS | ROUTE_UNCOUNTED,
     .doc = "Open Inference Protocol: is the server alive?"},
    {GET, "/v2/health/ready", SCOPE_PUBLIC, .handle = get_ready,
     .flags = ROUTE_V2 | ROUTE_ANONYMOUS | ROUTE_UNCOUNTED,
     .doc = "Open Inference Protocol: can the server answer?"},
    {GET, "/v2/models/{name}", SCOPE_PREDICT, .handle = get_model_metadata, .flags = ROUTE_V2,
     .doc = "Open Inference Protocol: metadata of a model's newest version."},
    {GET, "/v2/models/{name}/versions/{version}", SCOPE_PREDICT, .handle = get_model_metadata,
     .flags = ROUTE_V2, .doc = "Open Inference Protocol: metadata of a model version."},
    {GET, "/v2/models/{name}/ready", SCOPE_PREDICT, .handle = get_model_ready, .flags = ROUTE_V2,
     .doc = "Open Inference Protocol: can the newest version answer?"},
    {GET, "/v2/models/{name}/versions/{version}/ready", SCOPE_PREDICT, .handle = get_model_ready,
     .flags = ROUTE_V2, .doc = "Open Inference Protocol: can this version answer?"},
    {POST, "/v2/models/{name}/infer", SCOPE_PREDICT, .handle = post_infer,
     .flags = ROUTE_V2 | ROUTE_RAW_BODY, .status = 200, .rate = RATE_PREDICT,
     .max_body = PREDICT_MAX_BODY,
     .doc = "Open Inference Protocol: infer with the newest version."},
    {POST, "/v2/models/{name}/versions/{version}/infer", SCOPE_PREDICT, .handle = post_infer,
     .flags = ROUTE_V2 | ROUTE_RAW_BODY, .status = 200, .rate = RATE_PREDICT,
     .max_body = PREDICT_MAX_BODY, .doc = "Open Inference Protocol: infer with this version."},
};
const size_t SERVING_ROUTE_COUNT = ROUTES_COUNT(SERVING_ROUTES);
