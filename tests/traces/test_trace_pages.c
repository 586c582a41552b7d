/* Traces as our pages ask for them: lists of a run, single spans, tags, judgements, deletion. */
#include "tests/traces/sent.h"
#include "traces/traces.h"

#define TRACES "/api/v1/projects/ours/traces"
#define SECOND UINT64_C(1000000000)

/* A trace of one span; its UUID. */
static const char *made(struct domains *d, unsigned char byte, const char *inputs) {
    send_spans(d,
               &(struct span_made){.trace = byte,
                                   .id = 1,
                                   .name = "asked",
                                   .inputs = inputs,
                                   .status = 1,
                                   .started_ns = SECOND * byte,
                                   .ended_ns = SECOND * byte + SECOND},
               1);
    json_t *page = get_ok(d, TRACES "?filter=trace_id%%20%%3D%%20%%27%s%%27", trace_id(d, byte));
    return text_at(item_at(page, 0), "id");
}

static json_t *act(struct domains *d, int status, const char *method, const char *path,
                   const char *json) {
    return send_json(d, status, &d->editor, method, path, json)->json;
}

static json_t *trace_of(struct domains *d, const char *id) {
    return at(get_ok(d, "/api/v1/traces/%s", id), "trace");
}

static void test_list__of_a_run_holds_what_is_linked_to_it(void **state) {
    struct domains *d = *state;
    const char *run = text_at(run_make(d, "asker"), "id");
    made(d, 0x01, "\"one\"");
    made(d, 0x02, "\"two\"");
    test_sql(d->db,
             arena_printf(d->arena,
                          "insert into trace_runs (team_id, trace, run_id) select t.team_id, "
                          "t.id, '%s' from traces t where t.trace_id = '%s'",
                          run, trace_id(d, 0x02)));
    json_t *page = get_ok(d, TRACES "?run=%s", run);
    assert_int_equal(json_array_size(at(page, "items")), 1);
    assert_string_equal(text_at(item_at(page, 0), "trace_id"), trace_id(d, 0x02));
    page = get_ok(d, TRACES "?run=%s&filter=request%%20LIKE%%20%%27%%25one%%25%%27", run);
    assert_int_equal(json_array_size(at(page, "items")), 0);
    page = get_ok(d, TRACES "?filter=request%%20LIKE%%20%%27%%25one%%25%%27");
    assert_string_equal(text_at(item_at(page, 0), "trace_id"), trace_id(d, 0x01));
}

static void test_list__cuts_previews_that_the_page_shows_whole(void **state) {
    struct domains *d = *state;
    char *text = arena_alloc(d->arena, 5001);
    memset(text, 'x', 5000);
    const char *id = made(d, 0x03, text);
    json_t *page = get_ok(d, TRACES "?filter=trace_id%%20%%3D%%20%%27%s%%27", trace_id(d, 0x03));
    assert_int_equal(strlen(text_at(item_at(page, 0), "request_preview")), TRACE_LISTED_MAX);
    assert_int_equal(strlen(text_at(trace_of(d, id), "request_preview")), 5000);
}

static void test_span__is_read_alone(void **state) {
    struct domains *d = *state;
    const char *id = made(d, 0x04, "\"why\"");
    json_t *span = get_ok(d, "/api/v1/traces/%s/spans/0101010101010101", id);
    assert_string_equal(text_at(span, "name"), "asked");
    assert_string_equal(text_at(at(span, "body"), "name"), "asked");
    get_fails(d, 404, &d->editor, "/api/v1/traces/%s/spans/0202020202020202", id);
    get_fails(d, 404, &d->editor, "/api/v1/traces/%s/spans/%%27", id);
    get_fails(d, 404, &d->stranger, "/api/v1/traces/%s/spans/0101010101010101", id);
}

/* A trace too large to be read whole is read span by span; a span too large not at all. */
static void test_span__of_a_large_trace_comes_when_it_is_asked_for(void **state) {
    struct domains *d = *state;
    char *big = arena_alloc(d->arena, (3 << 20) + 1);
    memset(big, 'x', 3 << 20);
    const char *id = made(d, 0x05, big);
    send_spans(d, &(struct span_made){.trace = 0x05, .id = 2, .parent = 1, .name = "small"}, 1);
    json_t *spans = at(get_ok(d, "/api/v1/traces/%s", id), "spans");
    assert_true(json_is_null(at(json_array_get(spans, 0), "body")));
    json_t *small = get_ok(d, "/api/v1/traces/%s/spans/0202020202020202", id);
    assert_string_equal(text_at(at(small, "body"), "name"), "small");
    json_t *large = get_ok(d, "/api/v1/traces/%s/spans/0101010101010101", id);
    assert_true(json_is_null(at(large, "body")));
}

static void test_tags__are_set_and_taken_away(void **state) {
    struct domains *d = *state;
    const char *id = made(d, 0x06, NULL);
    const char *path = arena_printf(d->arena, "/api/v1/traces/%s/tags", id);
    act(d, 204, "PATCH", path, "{\"tags\":{\"stage\":\"live\",\"a b\":\"\\u00fc\"}}");
    act(d, 204, "PATCH", path, "{\"tags\":{\"stage\":\"draft\",\"a b\":null,\"never\":null}}");
    json_t *tags = at(trace_of(d, id), "tags");
    assert_string_equal(text_at(tags, "stage"), "draft");
    assert_null(json_object_get(tags, "a b"));
    act(d, 400, "PATCH", path, "{\"tags\":[]}");
    act(d, 400, "PATCH", path, "{\"tags\":{\"n\":1}}");
    act(d, 422, "PATCH", path, "{\"tags\":{\"\":\"x\"}}");
    send_json(d, 403, &d->viewer, "PATCH", path, "{\"tags\":{}}");
    send_json(d, 404, &d->stranger, "PATCH", path, "{\"tags\":{}}");
}

static void test_assessment__of_a_person_is_what_clients_read(void **state) {
    struct domains *d = *state;
    const char *id = made(d, 0x07, NULL);
    const char *path = arena_printf(d->arena, "/api/v1/traces/%s/assessments", id);
    json_t *reply = act(d, 201, "POST", path,
                        "{\"kind\":\"feedback\",\"name\":\"good\",\"value\":true,\"rationale\":"
                        "\"it is\",\"span_id\":\"0101010101010101\"}");
    json_t *assessment = at(reply, "assessment");
    assert_true(json_is_true(at(at(assessment, "feedback"), "value")));
    assert_string_equal(text_at(at(assessment, "source"), "source_type"), "HUMAN");
    assert_string_equal(text_at(at(assessment, "source"), "source_id"), d->editor.name);
    act(d, 201, "POST", path, "{\"kind\":\"expectation\",\"name\":\"answer\",\"value\":\"42\"}");
    json_t *all = at(trace_of(d, id), "assessments");
    assert_int_equal(json_array_size(all), 2);
    assert_string_equal(text_at(json_array_get(all, 0), "span_id"), "0101010101010101");
    json_t *page = get_ok(d, TRACES "?filter=feedback.good%%20%%3D%%20%%27true%%27");
    assert_string_equal(text_at(item_at(page, 0), "id"), id);
    send_json(d, 204, &d->editor, "DELETE",
              arena_printf(d->arena, "%s/%s", path, text_at(assessment, "assessment_id")), NULL);
    assert_int_equal(json_array_size(at(trace_of(d, id), "assessments")), 1);
}

static void test_assessment__wrong_ones_are_refused(void **state) {
    struct domains *d = *state;
    const char *id = made(d, 0x08, NULL);
    const char *path = arena_printf(d->arena, "/api/v1/traces/%s/assessments", id);
    static const char *const BODIES[] = {
        "{}",
        "{\"kind\":\"feedback\",\"name\":\"\",\"value\":true}",
        "{\"kind\":\"issue\",\"name\":\"a\",\"value\":true}",
        "{\"kind\":\"feedback\",\"name\":\"a\",\"value\":null}",
        "{\"kind\":\"feedback\",\"name\":\"a\",\"value\":[1]}",
        "{\"kind\":\"feedback\",\"name\":\"a\",\"value\":1,\"who\":\"me\"}"};
    for (size_t i = 0; i < sizeof(BODIES) / sizeof(BODIES[0]); i++)
        act(d, 400, "POST", path, BODIES[i]);
    const char *good = "{\"kind\":\"feedback\",\"name\":\"a\",\"value\":1.5}";
    send_json(d, 403, &d->viewer, "POST", path, good);
    send_json(d, 404, &d->stranger, "POST", path, good);
    assert_int_equal(json_array_size(at(trace_of(d, id), "assessments")), 0);
}

static void test_trace__is_deleted_with_all_that_belongs_to_it(void **state) {
    struct domains *d = *state;
    const char *id = made(d, 0x09, NULL);
    const char *path = arena_printf(d->arena, "/api/v1/traces/%s", id);
    send_json(d, 403, &d->viewer, "DELETE", path, NULL);
    send_json(d, 404, &d->stranger, "DELETE", path, NULL);
    send_json(d, 204, &d->editor, "DELETE", path, NULL);
    get_fails(d, 404, &d->editor, "/api/v1/traces/%s", id);
    send_json(d, 404, &d->editor, "DELETE", path, NULL);
}

static void test_traces__are_deleted_many_at_once(void **state) {
    struct domains *d = *state;
    made(d, 0x0a, NULL);
    made(d, 0x0b, NULL);
    const char *kept = made(d, 0x0c, NULL);
    const char *body = arena_printf(d->arena, "{\"ids\":[\"%s\",\"%s\",\"tr-none\"]}",
                                    trace_id(d, 0x0a), trace_id(d, 0x0b));
    send_json(d, 403, &d->viewer, "POST", TRACES "/delete", body);
    send_json(d, 404, &d->stranger, "POST", TRACES "/delete", body);
    assert_int_equal(int_at(act(d, 200, "POST", TRACES "/delete", body), "traces"), 2);
    assert_int_equal(int_at(act(d, 200, "POST", TRACES "/delete", body), "traces"), 0);
    trace_of(d, kept);
    act(d, 400, "POST", TRACES "/delete", "{\"ids\":[]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list__of_a_run_holds_what_is_linked_to_it),
        cmocka_unit_test(test_list__cuts_previews_that_the_page_shows_whole),
        cmocka_unit_test(test_span__is_read_alone),
        cmocka_unit_test(test_span__of_a_large_trace_comes_when_it_is_asked_for),
        cmocka_unit_test(test_tags__are_set_and_taken_away),
        cmocka_unit_test(test_assessment__of_a_person_is_what_clients_read),
        cmocka_unit_test(test_assessment__wrong_ones_are_refused),
        cmocka_unit_test(test_trace__is_deleted_with_all_that_belongs_to_it),
        cmocka_unit_test(test_traces__are_deleted_many_at_once),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
