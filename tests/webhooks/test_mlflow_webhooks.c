/* Webhooks as MLflow's client meets them: its messages and sentences, and the payload of every
 * event of the registry. */
#include "tests/mlflow/wire.h"
#include "tests/webhooks/receiver.h"

#define API "/api/2.0/mlflow/"

static struct test_reply *ask(struct domains *d, const char *method, const char *path,
                              const char *json) {
    return test_send(d->app, d->arena,
                     &(struct test_request){.method = method,
                                            .path = arena_printf(d->arena, API "webhooks%s", path),
                                            .json = json,
                                            .who = &d->admin});
}

static json_t *asked(struct domains *d, const char *method, const char *path, const char *json) {
    struct test_reply *reply = ask(d, method, path, json);
    if (reply->status != 200)
        fail_msg("%s %s gave %d: %.300s", method, path, reply->status, reply->body);
    return reply->json;
}

static const char *said(struct domains *d, int status, const char *code, const char *method,
                        const char *path, const char *json) {
    struct test_reply *reply = ask(d, method, path, json);
    if (reply->status != status)
        fail_msg("%s %s gave %d: %.300s", method, path, reply->status, reply->body);
    assert_string_equal(text_at(reply->json, "error_code"), code);
    return text_at(reply->json, "message");
}

#define EVENT(entity, action) "{\"entity\":\"" entity "\",\"action\":\"" action "\"}"
#define HOOK(events) "{\"name\":\"ci\",\"url\":\"https://example.com/x\",\"events\":[" events "]}"

static json_t *hook_make(struct domains *d, const char *json) {
    return at(asked(d, "POST", "", json), "webhook");
}

static void test_webhooks__are_created_listed_changed_and_deleted(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(
        d, "{\"name\":\"ci\",\"url\":\"https://example.com/x\",\"description\":\"d\",\"secret\":"
           "\"s\",\"status\":\"DISABLED\",\"events\":[" EVENT("MODEL_VERSION", "CREATED") "," EVENT(
               "PROMPT_ALIAS", "DELETED") "]}");
    const char *path = arena_printf(d->arena, "/%s", text_at(hook, "webhook_id"));
    assert_string_equal(text_at(hook, "status"), "DISABLED");
    assert_null(json_object_get(hook, "secret"));
    json_t *second = json_array_get(at(hook, "events"), 1);
    assert_string_equal(text_at(second, "entity"), "PROMPT_ALIAS");
    assert_string_equal(text_at(second, "action"), "DELETED");
    assert_true(int_at(hook, "creation_timestamp") > 1700000000000);

    hook =
        at(asked(d, "PATCH", path, "{\"status\":\"ACTIVE\",\"description\":\"\",\"name\":\"b\"}"),
           "webhook");
    assert_string_equal(text_at(hook, "name"), "b");
    assert_string_equal(text_at(hook, "status"), "ACTIVE");
    assert_null(json_object_get(hook, "description"));
    assert_int_equal(json_array_size(at(hook, "events")), 2);
    hook = at(asked(d, "PATCH", path, "{\"events\":[" EVENT("PROMPT", "CREATED") "]}"), "webhook");
    assert_int_equal(json_array_size(at(hook, "events")), 1);
    assert_string_equal(text_at(at(asked(d, "GET", path, NULL), "webhook"), "name"), "b");

    hook_make(d, HOOK(EVENT("PROMPT", "CREATED")));
    json_t *page = asked(d, "GET", "?max_results=1", NULL);
    assert_string_equal(text_at(json_array_get(at(page, "webhooks"), 0), "name"), "ci");
    page = asked(
        d, "GET",
        arena_printf(d->arena, "?max_results=1&page_token=%s", text_at(page, "next_page_token")),
        NULL);
    assert_string_equal(text_at(json_array_get(at(page, "webhooks"), 0), "name"), "b");
    assert_null(json_object_get(page, "next_page_token"));
    asked(d, "DELETE", path, NULL);
    assert_string_equal(said(d, 404, MISSING, "GET", path, NULL),
                        arena_printf(d->arena, "Webhook with ID %s not found.", path + 1));
}

static void test_webhooks__refusals_are_mlflows(void **state) {
    static const struct {
        const char *json, *sentence;
    } CASES[] = {
        {"{\"name\":\"ci\",\"url\":\"ftp://example.com\",\"events\":[" EVENT("PROMPT",
                                                                             "CREATED") "]}",
         "Invalid webhook URL scheme: 'ftp'. Allowed schemes are: https."},
        {"{\"name\":\"ci\",\"url\":\"   \",\"events\":[" EVENT("PROMPT", "CREATED") "]}",
         "Webhook URL cannot be empty or just whitespace: '   '"},
        {"{\"name\":\"ci\",\"url\":\"https://127.0.0.1/\",\"events\":[" EVENT("PROMPT",
                                                                              "CREATED") "]}",
         "private network"},
        {"{\"name\":\"a b\",\"url\":\"https://example.com\",\"events\":[" EVENT("PROMPT",
                                                                                "CREATED") "]}",
         "Webhook name 'a b' is invalid. It must start and end with a letter or digit"},
        {HOOK(EVENT("PROMPT", "SET")), "Invalid action 'set' for entity 'prompt'."},
        {"{\"name\":\"ci\",\"url\":\"https://example.com\"}",
         "Missing value for required parameter 'events'."},
        {"{\"name\":\"ci\",\"url\":\"https://example.com\",\"events\":[]}", "1 to 50 events"},
        {"{\"url\":\"https://example.com\"}", "Missing value for required parameter 'name'."}};
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *sentence = said(d, 400, INVALID, "POST", "", CASES[i].json);
        if (!strstr(sentence, CASES[i].sentence))
            fail_msg("\"%s\" does not say \"%s\"", sentence, CASES[i].sentence);
    }
    said(d, 400, INVALID, "GET", "?max_results=1001", NULL);
    said(d, 404, MISSING, "PATCH", "/nobody", "{}");
    said(d, 404, MISSING, "POST", "/nobody/test", "{}");
    refused(d, 403, "PERMISSION_DENIED", "webhooks", "%s", HOOK(EVENT("PROMPT", "CREATED")));
}

static void test_webhooks__can_be_tried(void **state) {
    struct domains *d = *state;
    json_t *hook = hook_make(d, HOOK(EVENT("MODEL_VERSION_TAG", "SET")));
    const char *path = arena_printf(d->arena, "/%s/test", text_at(hook, "webhook_id"));
    json_t *result = at(asked(d, "POST", path, "{}"), "result");
    assert_true(json_is_true(at(result, "success")));
    assert_int_equal(int_at(result, "response_status"), 200);
    assert_string_equal(text_at(result, "response_body"), "thanks");
    assert_string_equal(text_at(receiver_json(d), "entity"), "model_version_tag");
    receiver.answers[1] = 0;
    result = at(asked(d, "POST", path, "{\"event\":" EVENT("PROMPT", "CREATED") "}"), "result");
    assert_false(json_is_true(at(result, "success")));
    assert_string_equal(text_at(result, "error_message"),
                        "Failed to test webhook: could not ask it");
    assert_string_equal(text_at(receiver_json(d), "entity"), "prompt");
    said(d, 400, INVALID, "POST", path, "{\"event\":" EVENT("PROMPT", "UPDATED") "}");
}

/* --- what is told --- */

/* A hook for all of them. */
static json_t *listener_make(struct domains *d) {
    static const char *const EVENTS[] = {EVENT("REGISTERED_MODEL", "CREATED"),
                                         EVENT("MODEL_VERSION", "CREATED"),
                                         EVENT("MODEL_VERSION_TAG", "SET"),
                                         EVENT("MODEL_VERSION_TAG", "DELETED"),
                                         EVENT("MODEL_VERSION_ALIAS", "CREATED"),
                                         EVENT("MODEL_VERSION_ALIAS", "DELETED"),
                                         EVENT("PROMPT", "CREATED"),
                                         EVENT("PROMPT_VERSION", "CREATED"),
                                         EVENT("PROMPT_TAG", "SET"),
                                         EVENT("PROMPT_TAG", "DELETED"),
                                         EVENT("PROMPT_VERSION_TAG", "SET"),
                                         EVENT("PROMPT_VERSION_TAG", "DELETED"),
                                         EVENT("PROMPT_ALIAS", "CREATED"),
                                         EVENT("PROMPT_ALIAS", "DELETED")};
    const char *list = EVENTS[0];
    for (size_t i = 1; i < sizeof(EVENTS) / sizeof(EVENTS[0]); i++)
        list = arena_printf(d->arena, "%s,%s", list, EVENTS[i]);
    return hook_make(d, arena_printf(d->arena, HOOK("%s"), list));
}

/* The one thing that was told, with its data as JSON of sorted members. */
static void assert_told(struct domains *d, const char *entity, const char *action,
                        const char *data) {
    assert_int_equal(send_all(d), 1);
    json_t *told = receiver_json(d);
    assert_string_equal(text_at(told, "entity"), entity);
    assert_string_equal(text_at(told, "action"), action);
    char *text = json_dumps(at(told, "data"), JSON_COMPACT | JSON_SORT_KEYS);
    arena_defer(d->arena, free, text);
    assert_string_equal(text, data);
}

static void gone(struct domains *d, const char *path, const char *json) {
    assert_int_equal(
        send_json(d, 200, &d->editor, "DELETE", arena_printf(d->arena, API "%s", path), json)
            ->status,
        200);
}

static void test_events__of_models(void **state) {
    struct domains *d = *state;
    listener_make(d);
    call(d, "registered-models/create",
         "{\"name\":\"m\",\"tags\":[{\"key\":\"k\",\"value\":\"v\"}],\"description\":\"d\"}");
    assert_told(d, "registered_model", "created",
                "{\"description\":\"d\",\"name\":\"m\",\"tags\":{\"k\":\"v\"}}");
    const char *experiment = experiment_made(d, "e"), *run = run_opened(d, experiment, "r");
    call(d, "model-versions/create",
         "{\"name\":\"m\",\"source\":\"runs:/%s/model\",\"run_id\":\"%s\"}", run, run);
    assert_told(d, "model_version", "created",
                arena_printf(d->arena,
                             "{\"description\":null,\"name\":\"m\",\"run_id\":\"%s\",\"source\":"
                             "\"runs:/%s/model\",\"tags\":{},\"version\":\"1\"}",
                             run, run));
    call(d, "registered-models/set-tag", "{\"name\":\"m\",\"key\":\"a\",\"value\":\"b\"}");
    assert_int_equal(send_all(d), 0);
    call(d, "model-versions/set-tag",
         "{\"name\":\"m\",\"version\":\"1\",\"key\":\"a\",\"value\":\"雪\"}");
    assert_told(d, "model_version_tag", "set",
                "{\"key\":\"a\",\"name\":\"m\",\"value\":\"雪\",\"version\":\"1\"}");
    gone(d, "model-versions/delete-tag", "{\"name\":\"m\",\"version\":\"1\",\"key\":\"a\"}");
    assert_told(d, "model_version_tag", "deleted",
                "{\"key\":\"a\",\"name\":\"m\",\"version\":\"1\"}");
    call(d, "registered-models/alias", "{\"name\":\"m\",\"alias\":\"champ\",\"version\":\"1\"}");
    assert_told(d, "model_version_alias", "created",
                "{\"alias\":\"champ\",\"name\":\"m\",\"version\":\"1\"}");
    gone(d, "registered-models/alias", "{\"name\":\"m\",\"alias\":\"champ\"}");
    assert_told(d, "model_version_alias", "deleted", "{\"alias\":\"champ\",\"name\":\"m\"}");
}

static void test_events__of_prompts(void **state) {
    struct domains *d = *state;
    listener_make(d);
    call(d, "registered-models/create",
         "{\"name\":\"p\",\"tags\":[{\"key\":\"mlflow.prompt.is_prompt\",\"value\":\"true\"},"
         "{\"key\":\"k\",\"value\":\"v\"}]}");
    assert_told(d, "prompt", "created",
                "{\"description\":\"\",\"name\":\"p\",\"tags\":{\"k\":\"v\"}}");
    call(d, "model-versions/create",
         "{\"name\":\"p\",\"source\":\"dummy-source\",\"description\":\"first\",\"tags\":[{\"key\":"
         "\"mlflow.prompt.is_prompt\",\"value\":\"true\"},{\"key\":\"mlflow.prompt.text\","
         "\"value\":\"Hi {{you}}\"},{\"key\":\"_mlflow_prompt_type\",\"value\":\"text\"}]}");
    assert_told(d, "prompt_version", "created",
                "{\"description\":\"first\",\"name\":\"p\",\"tags\":{},\"template\":\"Hi "
                "{{you}}\",\"version\":\"1\"}");
    call(d, "registered-models/set-tag", "{\"name\":\"p\",\"key\":\"a\",\"value\":\"b\"}");
    assert_told(d, "prompt_tag", "set", "{\"key\":\"a\",\"name\":\"p\",\"value\":\"b\"}");
    gone(d, "registered-models/delete-tag", "{\"name\":\"p\",\"key\":\"a\"}");
    assert_told(d, "prompt_tag", "deleted", "{\"key\":\"a\",\"name\":\"p\"}");
    call(d, "model-versions/set-tag",
         "{\"name\":\"p\",\"version\":\"1\",\"key\":\"a\",\"value\":\"b\"}");
    assert_told(d, "prompt_version_tag", "set",
                "{\"key\":\"a\",\"name\":\"p\",\"value\":\"b\",\"version\":\"1\"}");
    gone(d, "model-versions/delete-tag", "{\"name\":\"p\",\"version\":\"1\",\"key\":\"a\"}");
    assert_told(d, "prompt_version_tag", "deleted",
                "{\"key\":\"a\",\"name\":\"p\",\"version\":\"1\"}");
    call(d, "registered-models/alias", "{\"name\":\"p\",\"alias\":\"live\",\"version\":\"1\"}");
    assert_told(d, "prompt_alias", "created",
                "{\"alias\":\"live\",\"name\":\"p\",\"version\":\"1\"}");
    gone(d, "registered-models/alias", "{\"name\":\"p\",\"alias\":\"live\"}");
    assert_told(d, "prompt_alias", "deleted", "{\"alias\":\"live\",\"name\":\"p\"}");
}

static void test_events__of_our_own_registration(void **state) {
    struct domains *d = *state;
    listener_make(d);
    model_version_make(d, "digits");
    assert_int_equal(send_all(d), 2);
    json_t *told = receiver_json(d);
    assert_string_equal(text_at(at(told, "data"), "name"), "digits");
    assert_int_equal(
        atoi(test_sql_value(d->db, "select count(*) from webhook_deliveries where state = "
                                   "'delivered' and event in ('registered_model.created', "
                                   "'model_version.created')")),
        2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_webhooks__are_created_listed_changed_and_deleted,
                               receiver_forget),
        cmocka_unit_test_setup(test_webhooks__refusals_are_mlflows, receiver_forget),
        cmocka_unit_test_setup(test_webhooks__can_be_tried, receiver_forget),
        cmocka_unit_test_setup(test_events__of_models, receiver_forget),
        cmocka_unit_test_setup(test_events__of_prompts, receiver_forget),
        cmocka_unit_test_setup(test_events__of_our_own_registration, receiver_forget),
    };
    return cmocka_run_group_tests(tests, receiver_setup, receiver_teardown);
}
