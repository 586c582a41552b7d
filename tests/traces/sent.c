/* See sent.h. */
#include "tests/traces/sent.h"

void send_spans(struct domains *d, const struct span_made *spans, size_t count) {
    auto_buf message = {0};
    pb_request(&message, spans, count);
    struct test_request rq = {.method = "POST",
                              .path = "/v1/traces",
                              .body = message.data ? message.data : "",
                              .size = message.size,
                              .content_type = "application/x-protobuf",
                              .who = &d->editor,
                              .headers = {{"x-mlflow-experiment-id", "0"}}};
    struct test_reply *reply = test_expect(d->app, d->arena, 200, &rq);
    assert_int_equal(reply->size, 0);
}

const char *trace_id(struct domains *d, unsigned char byte) {
    char *id = arena_alloc(d->arena, 3 + 32 + 1);
    strcpy(id, "tr-");
    for (int i = 0; i < 16; i++)
        snprintf(id + 3 + 2 * i, 3, "%02x", byte);
    return id;
}
