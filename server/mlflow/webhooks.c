/* webhooks/…: what MLflow's registry client knows of webhooks. Its words for events are those of
 * protocol buffers: {"entity": "MODEL_VERSION", "action": "CREATED"} is model_version.created. */
#include "mlflow/mlflow.h"

#include "webhooks/webhooks.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define RESULTS_DEFAULT 100
#define RESULTS_MOST 1000
#define NAME_MAX_LENGTH 63

static const char *const STATUSES[] = {"ACTIVE", "DISABLED", NULL}; /* enum webhook_status */

/* --- events --- */

struct event_message {
    const char *entity, *action;
};
static const struct field EVENT_FIELDS[] = {
    FIELD(STRING, struct event_message, entity, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct event_message, action, .flags = FIELD_REQUIRED),
};
static SHAPE(EVENT, "MlflowWebhookEvent", struct event_message, EVENT_FIELDS);

static const char *in_case(struct ctx *cx, const char *text, int (*change)(int)) {
    char *copy = arena_strdup(cx->arena, text);
    for (char *at = copy; *at; at++)
        *at = (char)change((unsigned char)*at);
    return copy;
}

static enum err event_of(struct ctx *cx, const struct event_message *in, const char **ret) {
    const char *name =
        in_case(cx, arena_printf(cx->arena, "%.100s.%.100s", in->entity, in->action), tolower);
    for (size_t i = 0; WEBHOOK_EVENT_NAMES[i]; i++)
        if (strcmp(WEBHOOK_EVENT_NAMES[i], name) == 0) {
            *ret = WEBHOOK_EVENT_NAMES[i];
            return OK;
        }
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                       "Invalid action '%.100s' for entity '%.100s'.",
                       in_case(cx, in->action, tolower), in_case(cx, in->entity, tolower));
}

static enum err events_of(struct ctx *cx, const struct list *in, struct list *ret) {
    const struct event_message *items = in->items;
    const char **names = arena_new_array(cx->arena, const char *, in->count + 1);
    for (size_t i = 0; i < in->count; i++)
        TRY(event_of(cx, &items[i], &names[i]));
    *ret = (struct list){names, in->count};
    return OK;
}

/* --- writing --- */

static void write_event(struct ctx *cx, struct json_writer *w, const char *event) {
    size_t entity = strcspn(event, ".");
    jw_begin(w, '{');
    jw_member_text(w, "entity", in_case(cx, arena_strndup(cx->arena, event, entity), toupper));
    jw_member_text(w, "action", in_case(cx, event + entity + 1, toupper));
    jw_end(w, '}');
}

static void write_webhook(struct ctx *cx, struct json_writer *w, const struct webhook *hook) {
    const char *const *events = hook->events.items;
    jw_begin(w, '{');
    jw_member_text(w, "webhook_id", hook->id);
    jw_member_text(w, "name", hook->name);
    if (*hook->description)
        jw_member_text(w, "description", hook->description);
    jw_member_text(w, "url", hook->url);
    jw_member_begin(w, "events", '[');
    for (size_t i = 0; i < hook->events.count; i++)
        write_event(cx, w, events[i]);
    jw_end(w, ']');
    jw_member_text(w, "status", STATUSES[hook->status]);
    jw_member_int(w, "creation_timestamp", mlflow_ms(hook->created_at));
    jw_member_int(w, "last_updated_timestamp", mlflow_ms(hook->updated_at));
    jw_end(w, '}');
}

static void send_webhook(struct ctx *cx, struct reply *rp, const struct webhook *hook) {
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    jw_name(w, "webhook");
    write_webhook(cx, w, hook);
    jw_end(w, '}');
    mlflow_send(rp, w);
}

/* --- what MLflow says of wrong ones; the rest is the domain's --- */

static enum err check_name(struct ctx *cx, const char *name) {
    size_t length = strlen(name);
    bool good = length <= NAME_MAX_LENGTH && isalnum((unsigned char)name[0]) &&
                isalnum((unsigned char)name[length - 1]);
    for (const char *at = name; good && *at; at++)
        good = isalnum((unsigned char)*at) || strchr("._-", *at);
    return good
               ? OK
               : mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                             "Webhook name '%s' is invalid. It must start and end with a letter or "
                             "digit, be less than 63 characters long, and contain only letters, "
                             "digits, dots (.), underscores (_), and hyphens (-).",
                             mlflow_cut(cx, name, 100));
}

static enum err check_url(struct ctx *cx, const char *url) {
    const char *colon = strchr(url, ':');
    size_t scheme = colon ? (size_t)(colon - url) : 0;
    if (url[strspn(url, " \t\r\n\f\v")] == '\0')
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Webhook URL cannot be empty or just whitespace: '%.20s'", url);
    if (strncmp(url, "https:", 6) != 0)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid webhook URL scheme: '%s'. Allowed schemes are: https.",
                           mlflow_cut(cx, arena_strndup(cx->arena, url, scheme), 100));
    return OK;
}

/* --- hooks --- */

struct webhook_message {
    const char *name, *description, *url, *secret;
    struct list events;
    int status;
};
static const struct field CREATE_FIELDS[] = {
    FIELD(STRING, struct webhook_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct webhook_message, url, .flags = FIELD_REQUIRED),
    FIELD(LIST, struct webhook_message, events, .flags = FIELD_REQUIRED, .nested = &EVENT),
    FIELD(STRING, struct webhook_message, description),
    FIELD(STRING, struct webhook_message, secret, .flags = FIELD_SECRET),
    FIELD(ENUM, struct webhook_message, status, .names = STATUSES),
};
static SHAPE(CREATE, "MlflowCreateWebhook", struct webhook_message, CREATE_FIELDS);

static enum err post_create(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct webhook_message *in = rq->body;
    struct webhook_change change = {.name = in->name,
                                    .url = in->url,
                                    .description = in->description,
                                    .secret = in->secret,
                                    .status = in->status};
    const char *project;
    struct webhook hook;
    TRY(check_name(cx, in->name));
    TRY(check_url(cx, in->url));
    TRY(events_of(cx, &in->events, &change.events));
    TRY(mlflow_project(cx, rq, &project));
    TRY(webhook_create(cx, project, &change, &hook));
    send_webhook(cx, rp, &hook);
    return OK;
}

static enum err require_webhook(struct ctx *cx, const struct req *rq, struct webhook *ret) {
    const char *project, *id = req_param(rq, "webhook_id");
    TRY(mlflow_project(cx, rq, &project));
    enum err err = webhook_get(cx, project, id, ret);
    return err == ERR_NOT_FOUND ? mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                                              "Webhook with ID %.100s not found.", id)
                                : err;
}

static enum err get_webhook(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct webhook hook;
    TRY(require_webhook(cx, rq, &hook));
    send_webhook(cx, rp, &hook);
    return OK;
}

struct list_message {
    int64_t max_results;
    const char *page_token;
};
static const struct field LIST_FIELDS[] = {
    FIELD(INT, struct list_message, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct list_message, page_token),
};
static SHAPE(LIST, "MlflowListWebhooks", struct list_message, LIST_FIELDS);

static enum err get_list(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct list_message *in = rq->query;
    bool is_given = in->max_results != FIELD_NO_INT && in->max_results != 0;
    int64_t most = is_given ? in->max_results : RESULTS_DEFAULT;
    struct json_writer *w = mlflow_json(cx);
    const char *project, *before = NULL;
    struct list hooks;
    if (most < 1 || most > RESULTS_MOST)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "max_results must be between 1 and 1000.");
    if (in->page_token && *in->page_token)
        TRY(cursor_decode(cx, in->page_token, &before, 1));
    TRY(mlflow_project(cx, rq, &project));
    TRY(webhook_list(cx, project, before, most + 1, &hooks));
    const struct webhook *items = hooks.items;
    size_t shown = hooks.count > (size_t)most ? (size_t)most : hooks.count;
    jw_begin(w, '{');
    jw_member_begin(w, "webhooks", '[');
    for (size_t i = 0; i < shown; i++)
        write_webhook(cx, w, &items[i]);
    jw_end(w, ']');
    if (shown < hooks.count)
        jw_member_text(w, "next_page_token", cursor_encode(cx, &items[shown - 1].id, 1));
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static const struct field UPDATE_FIELDS[] = {
    FIELD(STRING, struct webhook_message, name),
    FIELD(STRING, struct webhook_message, url),
    FIELD(LIST, struct webhook_message, events, .nested = &EVENT),
    FIELD(STRING, struct webhook_message, description),
    FIELD(STRING, struct webhook_message, secret, .flags = FIELD_SECRET),
    FIELD(ENUM, struct webhook_message, status, .flags = FIELD_NULLABLE, .names = STATUSES),
};
static SHAPE(UPDATE, "MlflowUpdateWebhook", struct webhook_message, UPDATE_FIELDS);

static bool is_given(const char *text) {
    return text && *text;
}

static enum err patch_webhook(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct webhook_message *in = rq->body;
    struct webhook hook;
    TRY(require_webhook(cx, rq, &hook));
    struct webhook_change change = {
        .name = is_given(in->name) ? in->name : hook.name,
        .url = is_given(in->url) ? in->url : hook.url,
        .events = hook.events,
        .description = in->description ? in->description : hook.description,
        .secret = in->secret,
        .status = in->status == FIELD_NO_ENUM ? hook.status : in->status};
    TRY(check_name(cx, change.name));
    TRY(check_url(cx, change.url));
    if (in->events.count)
        TRY(events_of(cx, &in->events, &change.events));
    TRY(webhook_update(cx, &hook, &change));
    send_webhook(cx, rp, &hook);
    return OK;
}

static enum err delete_webhook(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct webhook hook;
    (void)rp;
    TRY(require_webhook(cx, rq, &hook));
    return webhook_delete(cx, &hook);
}

struct test_message {
    const struct event_message *event;
};
static const struct field TEST_FIELDS[] = {
    FIELD(OBJECT, struct test_message, event, .nested = &EVENT),
};
static SHAPE(TEST, "MlflowTestWebhook", struct test_message, TEST_FIELDS);

static enum err post_test(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct test_message *in = rq->body;
    struct json_writer *w = mlflow_json(cx);
    const char *event = NULL;
    struct webhook_test test;
    struct webhook hook;
    TRY(require_webhook(cx, rq, &hook));
    if (in->event)
        TRY(event_of(cx, in->event, &event));
    webhook_test(cx, &hook, event, &test);
    jw_begin(w, '{');
    jw_member_begin(w, "result", '{');
    jw_name(w, "success");
    jw_bool(w, test.ok);
    if (test.status != FIELD_NO_INT)
        jw_member_int(w, "response_status", test.status);
    if (test.answer)
        jw_member_text(w, "response_body", test.answer);
    if (test.error)
        jw_member_text(w, "error_message",
                       arena_printf(cx->arena, "Failed to test webhook: %s", test.error));
    jw_end(w, '}');
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

#define WEBHOOKS "/api/2.0/mlflow/webhooks"

const struct route MLFLOW_WEBHOOK_ROUTES[] = {
    {POST, WEBHOOKS, SCOPE_PROJECT_ADMIN, .body = &CREATE, .handle = post_create,
     .flags = ROUTE_MLFLOW, .audit = "webhook.create", .doc = "Create a webhook."},
    {GET, WEBHOOKS, SCOPE_PROJECT_ADMIN, .query = &LIST, .handle = get_list, .flags = ROUTE_MLFLOW,
     .doc = "List webhooks, newest first."},
    {GET, WEBHOOKS "/{webhook_id}", SCOPE_PROJECT_ADMIN, .handle = get_webhook,
     .flags = ROUTE_MLFLOW, .doc = "Get a webhook."},
    {PATCH, WEBHOOKS "/{webhook_id}", SCOPE_PROJECT_ADMIN, .body = &UPDATE, .handle = patch_webhook,
     .flags = ROUTE_MLFLOW, .audit = "webhook.update", .doc = "Change a webhook."},
    {DELETE, WEBHOOKS "/{webhook_id}", SCOPE_PROJECT_ADMIN, .handle = delete_webhook,
     .flags = ROUTE_MLFLOW, .audit = "webhook.delete", .doc = "Delete a webhook."},
    {POST, WEBHOOKS "/{webhook_id}/test", SCOPE_PROJECT_ADMIN, .body = &TEST, .handle = post_test,
     .flags = ROUTE_MLFLOW, .rate = RATE_OUTBOUND, .audit = "webhook.test",
     .doc = "Send a sample of an event to a webhook."},
};
const size_t MLFLOW_WEBHOOK_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_WEBHOOK_ROUTES);
