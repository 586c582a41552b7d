/* See receiver.h. */
#include "tests/webhooks/receiver.h"

#include "webhooks/webhooks.h"

struct receiver receiver;

static void keep_header(const char *header, const char *name, char *ret, size_t cap) {
    size_t length = strlen(name);
    if (strncmp(header, name, length) == 0)
        snprintf(ret, cap, "%s", header + length + 2);
}

static enum err answer(struct ctx *cx, const struct outbound_request *request,
                       struct outbound_reply *ret) {
    int status = receiver.count < 8 ? receiver.answers[receiver.count] : 200;
    receiver.count++;
    snprintf(receiver.url, sizeof(receiver.url), "%s", request->url);
    snprintf(receiver.body, sizeof(receiver.body), "%s", request->json);
    receiver.signature[0] = '\0';
    for (const char *const *header = request->headers; *header; header++) {
        keep_header(*header, "X-MLflow-Delivery-Id", receiver.id, sizeof(receiver.id));
        keep_header(*header, "X-MLflow-Signature", receiver.signature, sizeof(receiver.signature));
    }
    if (status == 0)
        return fail(cx, ERR_UNAVAILABLE, "could not ask it");
    *ret = (struct outbound_reply){
        .status = status, .retry_after_s = receiver.retry_after_s, .body = "thanks", .size = 6};
    return OK;
}

void receiver_start(void) {
    receiver = (struct receiver){.answers = {200, 200, 200, 200, 200, 200, 200, 200}};
    outbound_replace(answer);
}

void receiver_stop(void) {
    outbound_replace(NULL);
}

json_t *receiver_json(struct domains *d) {
    json_t *json = json_loads(receiver.body, 0, NULL);
    assert_non_null(json);
    arena_defer(d->arena, (void (*)(void *))json_decref, json);
    return json;
}

int send_all(struct domains *d) {
    struct err_info err;
    bool found = true;
    int count = 0;
    while (found) {
        assert_int_equal(webhooks_send_one(d->app, &found, &err), OK);
        count += found;
    }
    return count;
}

void let_time_pass(struct domains *d) {
    test_sql(d->db, "update webhook_deliveries set due_at = now(), claimed_until = null"
                    " where state = 'waiting'");
}

int receiver_setup(void **state) {
    int failed = domains_setup(state);
    receiver_start();
    return failed;
}

int receiver_teardown(void **state) {
    receiver_stop();
    return domains_teardown(state);
}

int receiver_forget(void **state) {
    struct domains *d = *state;
    test_sql(d->db, "delete from webhooks; delete from models");
    receiver_start();
    return 0;
}
