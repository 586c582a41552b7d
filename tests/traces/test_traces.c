/* Traces over the whole service: spans sent by OTLP, and the pages' view of them. */
#include "tests/traces/sent.h"
#include "traces/traces.h"

#include <stdlib.h>
#include <zlib.h>

#define PROTOBUF "application/x-protobuf"
#define SECOND UINT64_C(1000000000)

static struct test_reply *send_bytes(struct domains *d, const struct principal *who,
                                     const char *experiment, const char *encoding, const void *body,
                                     size_t size) {
    struct test_request rq = {.method = "POST",
                              .path = "/v1/traces",
                              .body = body,
                              .size = size,
                              .content_type = PROTOBUF,
                              .who = who};
    int count = 0;
    if (experiment)
        rq.headers[count++] = (struct http_header){"x-mlflow-experiment-id", experiment};
    if (encoding)
        rq.headers[count] = (struct http_header){"content-encoding", encoding};
    return test_send(d->app, d->arena, &rq);
}

/* As our pages list it. */
static json_t *listed(struct domains *d, unsigned char byte) {
    return item_at(get_ok(d, "/api/v1/projects/ours/traces?filter=trace_id%%20%%3D%%20%%27%s%%27",
                          trace_id(d, byte)),
                   0);
}

static void test_traces__follow_from_their_spans(void **state) {
    struct domains *d = *state;
    const struct span_made child = {.trace = 0x11,
                                    .id = 2,
                                    .parent = 1,
                                    .name = "model",
                                    .type = "\"LLM\"",
                                    .status = 1,
                                    .started_ns = 10 * SECOND + 5,
                                    .ended_ns = 11 * SECOND};
    const struct span_made root = {.trace = 0x11,
                                   .id = 1,
                                   .name = "agent",
                                   .type = "odd",
                                   .inputs = "{\"q\": 1}",
                                   .outputs = "\"a\"",
                                   .status = 2,
                                   .started_ns = 10 * SECOND,
                                   .ended_ns = 12 * SECOND};
    send_spans(d, &child, 1);
    assert_string_equal(text_at(listed(d, 0x11), "state"), "in_progress");
    assert_true(json_is_null(at(listed(d, 0x11), "request_preview")));
    send_spans(d, &root, 1);
    json_t *trace = listed(d, 0x11);
    assert_string_equal(text_at(trace, "state"), "error");
    assert_int_equal(int_at(trace, "duration_ms"), 2000);
    assert_string_equal(text_at(trace, "requested_at"), "1970-01-01T00:00:10.000000Z");
    assert_string_equal(text_at(trace, "request_preview"), "{\"q\": 1}");
    assert_string_equal(text_at(trace, "response_preview"), "\"a\"");
    assert_string_equal(text_at(at(trace, "tags"), "mlflow.traceName"), "agent");
    assert_int_equal(int_at(trace, "span_count"), 2);
    json_t *spans = at(get_ok(d, "/api/v1/traces/%s", text_at(trace, "id")), "spans");
    assert_int_equal(json_array_size(spans), 2);
    json_t *first = json_array_get(spans, 0), *second = json_array_get(spans, 1);
    assert_string_equal(text_at(first, "name"), "agent");
    assert_string_equal(text_at(first, "type"), "odd");
    assert_string_equal(text_at(first, "status"), "ERROR");
    assert_string_equal(text_at(second, "type"), "LLM");
    assert_string_equal(text_at(second, "parent_id"), "0101010101010101");
    assert_int_equal(int_at(second, "started_ns"), 10 * SECOND + 5);
    assert_string_equal(text_at(at(second, "body"), "name"), "model");
}

/* What a client tried twice counts once, and the later one of two. */
static void test_traces__take_spans_again(void **state) {
    struct domains *d = *state;
    struct span_made twice[] = {{.trace = 0x12, .id = 1, .name = "begun", .started_ns = SECOND},
                                {.trace = 0x12,
                                 .id = 1,
                                 .name = "done",
                                 .status = 1,
                                 .started_ns = SECOND,
                                 .ended_ns = SECOND}};
    send_spans(d, twice, 1);
    assert_string_equal(text_at(listed(d, 0x12), "state"), "in_progress");
    send_spans(d, twice, 2);
    send_spans(d, twice + 1, 1);
    json_t *trace = listed(d, 0x12);
    assert_int_equal(int_at(trace, "span_count"), 1);
    assert_string_equal(text_at(trace, "state"), "ok");
    json_t *whole = get_ok(d, "/api/v1/traces/%s", text_at(trace, "id"));
    assert_string_equal(text_at(json_array_get(at(whole, "spans"), 0), "name"), "done");
    assert_string_equal(text_at(at(whole, "trace"), "trace_id"), trace_id(d, 0x12));
}

static void test_traces__of_one_request_may_be_many(void **state) {
    struct domains *d = *state;
    const struct span_made spans[] = {{.trace = 0x21, .id = 1, .started_ns = SECOND},
                                      {.trace = 0x22, .id = 1, .started_ns = SECOND},
                                      {.trace = 0x21, .id = 2, .parent = 1, .started_ns = SECOND}};
    send_spans(d, spans, 3);
    assert_int_equal(int_at(listed(d, 0x21), "span_count"), 2);
    assert_int_equal(int_at(listed(d, 0x22), "span_count"), 1);
    send_spans(d, spans, 0);
}

static void test_traces__may_come_gzipped(void **state) {
    struct domains *d = *state;
    auto_buf message = {0};
    unsigned char packed[1000];
    z_stream z = {.next_out = packed, .avail_out = sizeof(packed)};
    pb_request(&message, &(struct span_made){.trace = 0x13, .id = 1, .started_ns = SECOND}, 1);
    z.next_in = (Bytef *)message.data;
    z.avail_in = (uInt)message.size;
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = sizeof(packed) - z.avail_out;
    deflateEnd(&z);
    assert_int_equal(send_bytes(d, &d->editor, "0", "gzip", packed, size)->status, 200);
    assert_int_equal(int_at(listed(d, 0x13), "span_count"), 1);
    assert_int_equal(send_bytes(d, &d->editor, "0", "gzip", packed, size - 1)->status, 400);
    assert_int_equal(send_bytes(d, &d->editor, "0", "br", packed, size)->status, 400);
}

static void test_traces__wrong_requests_are_refused(void **state) {
    struct domains *d = *state;
    auto_buf message = {0};
    pb_request(&message, &(struct span_made){.trace = 0x14, .id = 1}, 1);
    const void *body = message.data;
    struct test_reply *reply = send_bytes(d, &d->editor, "0", NULL, body, message.size - 1);
    assert_int_equal(reply->status, 400);
    assert_string_equal(text_at(reply->json, "error_code"), "INVALID_PARAMETER_VALUE");
    assert_int_equal(send_bytes(d, &d->editor, NULL, NULL, body, message.size)->status, 400);
    assert_int_equal(send_bytes(d, &d->editor, "x", NULL, body, message.size)->status, 400);
    assert_int_equal(send_bytes(d, &d->editor, "4711", NULL, body, message.size)->status, 404);
    assert_int_equal(send_bytes(d, &d->viewer, "0", NULL, body, message.size)->status, 403);
    assert_int_equal(send_json(d, 400, &d->editor, "POST", "/v1/traces", "{}")->status, 400);
    assert_int_equal(
        json_array_size(
            at(get_ok(d, "/api/v1/projects/ours/traces?filter=trace_id%%20%%3D%%20%%27%s%%27",
                      trace_id(d, 0x14)),
               "items")),
        0);
}

static enum err ingest(struct domains *d, const struct buf *message) {
    struct ctx cx;
    const char *project, *experiment;
    ctx_init(&cx, d->app);
    cx.who = d->editor;
    project = text_at(get_ok(d, "/api/v1/projects/ours"), "id");
    experiment = text_at(listed(d, 0x30), "experiment_id");
    enum err err = trace_ingest(&cx, project, experiment, message->data, message->size, false);
    if (err == OK)
        err = db_commit(&cx);
    ctx_done(&cx);
    return err;
}

/* Ids are in the first two bytes: there may be 65,536. */
static void many(struct buf *out, const char *varies, size_t count, size_t from) {
    auto_buf scope = {0}, resource = {0};
    for (size_t i = from; i < from + count; i++) {
        unsigned char same[16], other[16];
        auto_buf span = {0};
        memset(same, 0x31, sizeof(same));
        memset(other, 0x32, sizeof(other));
        other[0] = (unsigned char)(i >> 8);
        other[1] = (unsigned char)i;
        bool traces = strcmp(varies, "traces") == 0;
        pb_bytes(&span, 1, traces ? other : same, 16);
        pb_bytes(&span, 2, traces ? same : other, 8);
        pb_message(&scope, 2, &span);
    }
    pb_message(&resource, 2, &scope);
    pb_message(out, 1, &resource);
}

static void test_traces__there_are_limits(void **state) {
    struct domains *d = *state;
    auto_buf traces = {0}, most = {0}, more = {0};
    send_spans(d, &(struct span_made){.trace = 0x30, .id = 1}, 1);
    many(&traces, "traces", TRACE_OF_REQUEST_MAX + 1, 0);
    assert_int_equal(ingest(d, &traces), ERR_UNPROCESSABLE);
    many(&most, "spans", TRACE_SPANS_MAX, 0);
    assert_int_equal(ingest(d, &most), OK);
    many(&more, "spans", 1, TRACE_SPANS_MAX);
    assert_int_equal(ingest(d, &more), ERR_UNPROCESSABLE);
    assert_int_equal(int_at(listed(d, 0x31), "span_count"), TRACE_SPANS_MAX);
}

/* Spans of three megabytes each: pages are spared their bodies, and a trace has only so many. */
static void test_traces__have_so_many_bytes(void **state) {
    struct domains *d = *state;
    char *big = arena_alloc(d->arena, (3 << 20) + 1);
    memset(big, 'x', 3 << 20);
    for (unsigned char i = 1; i <= 10; i++)
        send_spans(d, &(struct span_made){.trace = 0x33, .id = i, .inputs = big}, 1);
    json_t *spans = at(get_ok(d, "/api/v1/traces/%s", text_at(listed(d, 0x33), "id")), "spans");
    assert_int_equal(json_array_size(spans), 10);
    assert_true(json_is_null(at(json_array_get(spans, 0), "body")));
    auto_buf message = {0};
    pb_request(&message, &(struct span_made){.trace = 0x33, .id = 11, .inputs = big}, 1);
    assert_int_equal(send_bytes(d, &d->editor, "0", NULL, message.data, message.size)->status, 400);
    for (unsigned char i = 1; i <= 12; i++)
        send_spans(d, &(struct span_made){.trace = i % 2 ? 0x34 : 0x35, .id = i, .inputs = big}, 1);
    const char *all =
        arena_printf(d->arena, "/api/3.0/mlflow/traces/batchGet?trace_ids=%s&trace_ids=%s",
                     trace_id(d, 0x33), trace_id(d, 0x34));
    send_json(d, 200, &d->editor, "GET", all, NULL);
    all = arena_printf(d->arena, "%s&trace_ids=%s", all, trace_id(d, 0x35));
    send_json(d, 400, &d->editor, "GET", all, NULL);
}

static void test_traces__are_listed_filtered_and_ordered(void **state) {
    struct domains *d = *state;
    for (unsigned char i = 0; i < 3; i++)
        send_spans(d,
                   &(struct span_made){.trace = (unsigned char)(0x41 + i),
                                       .id = 1,
                                       .name = "paged",
                                       .status = 1,
                                       .started_ns = (100u + i) * SECOND,
                                       .ended_ns = (110u - i) * SECOND},
                   1);
    json_t *page =
        get_ok(d, "/api/v1/projects/ours/traces?limit=2&filter=name%%20%%3D%%20%%27paged%%27");
    assert_string_equal(text_at(item_at(page, 0), "trace_id"), trace_id(d, 0x43));
    assert_int_equal(json_array_size(at(page, "items")), 2);
    page = get_ok(
        d, "/api/v1/projects/ours/traces?limit=2&filter=name%%20%%3D%%20%%27paged%%27&cursor=%s",
        text_at(page, "next_cursor"));
    assert_string_equal(text_at(item_at(page, 0), "trace_id"), trace_id(d, 0x41));
    page = get_ok(d,
                  "/api/v1/projects/ours/traces?order_by=duration_ms&experiment=%s"
                  "&filter=name%%20%%3D%%20%%27paged%%27",
                  text_at(item_at(page, 0), "experiment_id"));
    assert_string_equal(text_at(item_at(page, 0), "trace_id"), trace_id(d, 0x43));
    get_fails(d, 400, &d->editor, "/api/v1/projects/ours/traces?filter=nonsense");
    get_fails(d, 404, &d->editor, "/api/v1/projects/nobodys/traces");
}

/* Of another team, of a hidden project, or never there: one answer. */
static void test_traces__are_seen_by_those_who_may(void **state) {
    struct domains *d = *state;
    send_spans(d, &(struct span_made){.trace = 0x51, .id = 1, .name = "walled"}, 1);
    const char *id = text_at(listed(d, 0x51), "id");
    get_fails(d, 404, &d->stranger, "/api/v1/traces/%s", id);
    get_fails(d, 404, &d->editor, "/api/v1/traces/01920000-0000-7000-8000-0000000000ff");
    get_fails(d, 404, &d->editor, "/api/v1/traces/none");
    send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
              "{\"slug\":\"secret\",\"name\":\"S\"}");
    auto_buf message = {0};
    pb_request(&message, &(struct span_made){.trace = 0x52, .id = 1}, 1);
    struct test_request rq = {.method = "POST",
                              .path = "/p/secret/v1/traces",
                              .body = message.data,
                              .size = message.size,
                              .content_type = PROTOBUF,
                              .who = &d->editor,
                              .headers = {{"x-mlflow-experiment-id", "0"}}};
    test_expect(d->app, d->arena, 200, &rq);
    id = text_at(item_at(get_ok(d, "/api/v1/projects/secret/traces"), 0), "id");
    get_ok(d, "/api/v1/traces/%s", id);
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into project_roles (team_id, project_id, user_id, role) "
                                 "select team_id, id, '%s', 'none' from projects "
                                 "where slug = 'secret'",
                                 d->ours.user_id));
    struct principal outsider = d->editor;
    outsider.by_project = true;
    get_fails(d, 404, &outsider, "/api/v1/traces/%s", id);
    test_expect(
        d->app, d->arena, 404,
        &(struct test_request){
            .path = arena_printf(d->arena, "/p/secret/api/3.0/mlflow/traces/%s", trace_id(d, 0x52)),
            .who = &outsider});
    assert_wall(d, "traces");
    assert_wall(d, "trace_spans");
    assert_wall(d, "trace_tags");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traces__follow_from_their_spans),
        cmocka_unit_test(test_traces__take_spans_again),
        cmocka_unit_test(test_traces__of_one_request_may_be_many),
        cmocka_unit_test(test_traces__may_come_gzipped),
        cmocka_unit_test(test_traces__wrong_requests_are_refused),
        cmocka_unit_test(test_traces__there_are_limits),
        cmocka_unit_test(test_traces__have_so_many_bytes),
        cmocka_unit_test(test_traces__are_listed_filtered_and_ordered),
        cmocka_unit_test(test_traces__are_seen_by_those_who_may),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
