/* What is computed of a delivery: its signature, and when it is tried again. */
#include "tests/support/cmocka_all.h"

#include "base/ident.h"
#include "webhooks/internal.h"

#include <string.h>

/* As MLflow 3.18 signs: base64(hmac(key, id + "." + timestamp + "." + body, sha256)). */
static void test_signature__is_mlflows(void **state) {
    struct ctx cx;
    (void)state;
    ctx_init(&cx, NULL);
    assert_string_equal(webhook_signature(&cx, "my-secret", "3f0c2a1e-delivery", "1700000000",
                                          "{\"entity\":\"model_version\"}"),
                        "v1,3Y+NkiH94BRRp2zAhMQmDPyCU+z65+QDPjB4/euYC/c=");
    assert_string_equal(webhook_signature(&cx, "größe", "d", "1", "{\"name\":\"雪\"}"),
                        "v1,3RPCJLloNIQh775GoU67f67HRe4qudZuPMCkOCeVYCM=");
    ctx_done(&cx);
}

static void test_pause__grows_within_a_day(void **state) {
    double total = 0, before = 0;
    (void)state;
    for (int attempt = 1; attempt < DELIVERY_ATTEMPTS; attempt++) {
        double least = delivery_pause_s(attempt, 0, 0), most = delivery_pause_s(attempt, 0, 1);
        assert_true(least >= before && most <= 1.7 * least);
        before = least;
        total += most;
    }
    assert_float_equal(delivery_pause_s(1, 0, 0.5), 5, 1e-9);
    assert_float_equal(delivery_pause_s(2, 0, 0.5), 20, 1e-9);
    assert_true(total < 24 * 3600);
}

static void test_pause__is_no_shorter_than_asked_for(void **state) {
    (void)state;
    assert_float_equal(delivery_pause_s(1, 120, 1), 120, 1e-9);
    assert_true(delivery_pause_s(8, 1, 0) > 10000);
    assert_float_equal(delivery_pause_s(1, 1000000, 0), 6 * 3600, 1e-9);
}

static void test_samples__there_is_one_of_each_event(void **state) {
    struct ctx cx;
    (void)state;
    ctx_init(&cx, NULL);
    for (size_t i = 0; WEBHOOK_EVENT_NAMES[i]; i++) {
        const char *event = WEBHOOK_EVENT_NAMES[i];
        json_t *body = json_loads(webhook_body(&cx, event, webhook_sample(event)), 0, NULL);
        const char *entity = json_string_value(json_object_get(body, "entity"));
        const char *action = json_string_value(json_object_get(body, "action"));
        assert_string_equal(arena_printf(cx.arena, "%s.%s", entity, action), event);
        assert_true(json_object_size(json_object_get(body, "data")) > 0);
        json_decref(body);
    }
    assert_false(webhook_event_exists("model_version.exploded"));
    ctx_done(&cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signature__is_mlflows),
        cmocka_unit_test(test_pause__grows_within_a_day),
        cmocka_unit_test(test_pause__is_no_shorter_than_asked_for),
        cmocka_unit_test(test_samples__there_is_one_of_each_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
