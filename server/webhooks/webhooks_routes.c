/* A project's webhooks over HTTP, for its admins: an address may be a secret itself. */
#include "http/page.h"
#include "projects/projects.h"
#include "sql/webhooks.h"
#include "webhooks/internal.h"

#include <string.h>

/* --- hooks --- */

static const struct field WEBHOOK_CREATE_FIELDS[] = {
    FIELD(STRING, struct webhook_change, name, .flags = FIELD_REQUIRED, .min = 1, .max = 63),
    FIELD(STRING, struct webhook_change, url, .flags = FIELD_REQUIRED, .min = 1, .max = 2000,
          .doc = "https; addresses of private networks only where the operator allows them"),
    FIELD(STRINGS, struct webhook_change, events, .flags = FIELD_REQUIRED, .min = 1, .max = 50,
          .doc = "such as model_version.created"),
    FIELD(STRING, struct webhook_change, description, .max = 4000),
    FIELD(STRING, struct webhook_change, secret, .flags = FIELD_SECRET, .max = 1000,
          .doc = "what is sent is signed with it; it is never told again"),
    FIELD(ENUM, struct webhook_change, status, .names = WEBHOOK_STATUS_NAMES),
};
static SHAPE(WEBHOOK_CREATE, "WebhookCreate", struct webhook_change, WEBHOOK_CREATE_FIELDS);

static const struct field WEBHOOK_UPDATE_FIELDS[] = {
    FIELD(STRING, struct webhook_change, name, .min = 1, .max = 63),
    FIELD(STRING, struct webhook_change, url, .min = 1, .max = 2000),
    FIELD(STRINGS, struct webhook_change, events, .min = 1, .max = 50),
    FIELD(STRING, struct webhook_change, description, .max = 4000),
    FIELD(STRING, struct webhook_change, secret, .flags = FIELD_SECRET, .max = 1000,
          .doc = "empty = what is sent is no longer signed"),
    FIELD(ENUM, struct webhook_change, status, .names = WEBHOOK_STATUS_NAMES),
};
static SHAPE(WEBHOOK_UPDATE, "WebhookUpdate", struct webhook_change, WEBHOOK_UPDATE_FIELDS);

struct webhook_query {
    struct page_query page;
};
static const struct field WEBHOOK_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct webhook_query)};
static SHAPE(WEBHOOK_QUERY, "WebhookQuery", struct webhook_query, WEBHOOK_QUERY_FIELDS);

static enum err hook_of_path(struct ctx *cx, const struct req *rq, struct webhook *ret) {
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    return webhook_get(cx, project.id, req_param(rq, "webhook"), ret);
}

static enum err get_webhooks(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct webhook_query *query = rq->query;
    struct project project;
    struct list items;
    const char *before;
    TRY(page_after(cx, &query->page, &before));
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(webhook_list(cx, project.id, before, page_limit(&query->page) + 1, &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_webhook(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct webhook *hook = arena_new_struct(cx->arena, struct webhook);
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(webhook_create(cx, project.id, rq->body, hook));
    reply_location(cx, rp, "/api/v1/projects/%s/webhooks/%s", project.slug, hook->id);
    reply_object(rp, hook);
    return OK;
}

static enum err get_webhook(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct webhook *hook = arena_new_struct(cx->arena, struct webhook);
    TRY(hook_of_path(cx, rq, hook));
    reply_object(rp, hook);
    return OK;
}

static enum err patch_webhook(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct webhook_change *body = rq->body;
    struct webhook *hook = arena_new_struct(cx->arena, struct webhook);
    TRY(hook_of_path(cx, rq, hook));
    const struct webhook_change change = {
        .name = req_has(rq, "name") ? body->name : hook->name,
        .url = req_has(rq, "url") ? body->url : hook->url,
        .events = req_has(rq, "events") ? body->events : hook->events,
        .description = req_has(rq, "description") ? body->description : hook->description,
        .secret = body->secret,
        .status = req_has(rq, "status") ? body->status : hook->status};
    TRY(webhook_update(cx, hook, &change));
    reply_object(rp, hook);
    return OK;
}

static enum err delete_webhook(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct webhook hook;
    (void)rp;
    TRY(hook_of_path(cx, rq, &hook));
    return webhook_delete(cx, &hook);
}

/* --- trying --- */

struct test_body {
    const char *event;
};
static const struct field TEST_BODY_FIELDS[] = {
    FIELD(STRING, struct test_body, event, .flags = FIELD_NULLABLE, .max = 100,
          .doc = "null = the first of the hook's"),
};
static SHAPE(TEST_BODY, "WebhookTestRequest", struct test_body, TEST_BODY_FIELDS);

static const struct field TEST_FIELDS[] = {
    FIELD(BOOL, struct webhook_test, ok),
    FIELD(INT, struct webhook_test, status, .flags = FIELD_NULLABLE,
          .doc = "of the answer; null = there was none"),
    FIELD(STRING, struct webhook_test, answer, .flags = FIELD_NULLABLE, .doc = "its beginning"),
    FIELD(STRING, struct webhook_test, error, .flags = FIELD_NULLABLE, .doc = "a sentence"),
    FIELD(INT, struct webhook_test, duration_ms),
};
static SHAPE(WEBHOOK_TEST, "WebhookTest", struct webhook_test, TEST_FIELDS);

static enum err post_test(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct test_body *body = rq->body;
    struct webhook_test *test = arena_new_struct(cx->arena, struct webhook_test);
    struct webhook hook;
    TRY(hook_of_path(cx, rq, &hook));
    if (body->event && !webhook_event_exists(body->event))
        return fail_field(cx, ERR_INVALID, "event", "there is no event \"%s\"", body->event);
    webhook_test(cx, &hook, body->event, test);
    reply_object(rp, test);
    return OK;
}

/* --- deliveries --- */

static const struct field DELIVERY_FIELDS[] = {
    FIELD(UUID, struct delivery, id, .doc = "the same at each attempt: X-MLflow-Delivery-Id"),
    FIELD(STRING, struct delivery, event),
    FIELD(STRING, struct delivery, body, .doc = "what is sent, byte for byte"),
    FIELD(ENUM, struct delivery, state, .names = DELIVERY_STATE_NAMES),
    FIELD(INT, struct delivery, attempts),
    FIELD(TIME, struct delivery, next_attempt_at, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct delivery, log,
          .typescript = "{ at: string; status: number | null; duration_ms: number; error: string | "
                        "null }[]",
          .doc = "one of each attempt, the first first"),
    FIELD(TIME, struct delivery, created_at),
    FIELD(TIME, struct delivery, finished_at, .flags = FIELD_NULLABLE),
};
static SHAPE(DELIVERY, "WebhookDelivery", struct delivery, DELIVERY_FIELDS);

static enum err get_deliveries(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct webhook_query *query = rq->query;
    const char *before[2] = {NULL, NULL}, *next = NULL;
    size_t limit = (size_t)page_limit(&query->page);
    struct webhook hook;
    struct list rows;
    if (query->page.cursor)
        TRY(cursor_decode(cx, query->page.cursor, before, 2));
    TRY(hook_of_path(cx, rq, &hook));
    TRY(db_many(
        cx, &SQL_delivery_list,
        ARGS(cx->who.team_id, hook.id, before[0], before[1], NULL, page_rows(cx, &query->page)),
        &DELIVERY, &rows));
    const struct delivery *items = rows.items;
    if (rows.count > limit) {
        rows.count = limit;
        const struct delivery *last = &items[limit - 1];
        next = cursor_encode(cx, ARGS(db_time(cx, last->created_at), last->id), 2);
    }
    reply_page(rp, rows, next);
    return OK;
}

static enum err post_redeliver(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *id = req_param(rq, "delivery");
    struct webhook hook;
    struct list rows;
    int64_t found;
    TRY(hook_of_path(cx, rq, &hook));
    if (hook.status != WEBHOOK_ACTIVE)
        return fail(cx, ERR_CONFLICT, "webhook \"%s\" is switched off", hook.name);
    TRY(db_exec(cx, &SQL_delivery_again, ARGS(cx->who.team_id, hook.id, id), &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "delivery \"%s\" does not exist", id);
    TRY(db_many(cx, &SQL_delivery_list, ARGS(cx->who.team_id, hook.id, NULL, NULL, id, "1"),
                &DELIVERY, &rows));
    reply_object(rp, rows.items);
    return OK;
}

#define WEBHOOKS "/api/v1/projects/{project}/webhooks"

const struct route WEBHOOK_ROUTES[] = {
    {GET, WEBHOOKS, SCOPE_PROJECT_ADMIN, .query = &WEBHOOK_QUERY, .reply = &WEBHOOK,
     .handle = get_webhooks, .flags = ROUTE_LIST, .doc = "A project's webhooks, newest first."},
    {POST, WEBHOOKS, SCOPE_PROJECT_ADMIN, .body = &WEBHOOK_CREATE, .reply = &WEBHOOK,
     .handle = post_webhook, .flags = ROUTE_IDEMPOTENT, .status = 201, .audit = "webhook.create",
     .doc = "Let an address be told of events of the project, in MLflow's form, signed."},
    {GET, WEBHOOKS "/{webhook}", SCOPE_PROJECT_ADMIN, .reply = &WEBHOOK, .handle = get_webhook,
     .doc = "Get a webhook."},
    {PATCH, WEBHOOKS "/{webhook}", SCOPE_PROJECT_ADMIN, .body = &WEBHOOK_UPDATE, .reply = &WEBHOOK,
     .handle = patch_webhook, .audit = "webhook.update",
     .doc = "Change a webhook; what waits for one that is disabled is not sent any more."},
    {DELETE, WEBHOOKS "/{webhook}", SCOPE_PROJECT_ADMIN, .handle = delete_webhook,
     .audit = "webhook.delete", .doc = "Delete a webhook and its deliveries."},
    {POST, WEBHOOKS "/{webhook}/test", SCOPE_PROJECT_ADMIN, .body = &TEST_BODY,
     .reply = &WEBHOOK_TEST, .handle = post_test, .rate = RATE_OUTBOUND, .audit = "webhook.test",
     .doc = "Send a sample of an event and say what came of it."},
    {GET, WEBHOOKS "/{webhook}/deliveries", SCOPE_PROJECT_ADMIN, .query = &WEBHOOK_QUERY,
     .reply = &DELIVERY, .handle = get_deliveries, .flags = ROUTE_LIST,
     .doc = "What was and will be sent, newest first."},
    {POST, WEBHOOKS "/{webhook}/deliveries/{delivery}/redeliver", SCOPE_PROJECT_ADMIN,
     .reply = &DELIVERY, .handle = post_redeliver, .audit = "webhook.redeliver",
     .doc = "Send a delivery again, under the same id."},
};
const size_t WEBHOOK_ROUTE_COUNT = ROUTES_COUNT(WEBHOOK_ROUTES);
