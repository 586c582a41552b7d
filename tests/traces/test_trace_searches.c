/* What searches of traces ask of spans, judgements and prompts, in both dialects. */
#include "tests/mlflow/wire.h"
#include "tests/traces/sent.h"
#include "traces/traces.h"

#define V3 "/api/3.0/mlflow/traces"
#define LINK "/api/2.0/mlflow/traces/link-prompts"
#define SECOND UINT64_C(1000000000)

/* The first byte of each id that is found, the newest first: "22 21". */
static const char *bytes_of(struct domains *d, json_t *traces) {
    const char *all = "";
    for (size_t i = 0; i < json_array_size(traces); i++)
        all = arena_printf(d->arena, "%s%s%.2s", all, *all ? " " : "",
                           text_at(json_array_get(traces, i), "trace_id") + 3);
    return all;
}

static const char *found(struct domains *d, const char *filter) {
    json_t *body = json_pack("{s:s,s:[{s:s,s:{s:s}}]}", "filter", filter, "locations", "type",
                             "MLFLOW_EXPERIMENT", "mlflow_experiment", "experiment_id", "0");
    char *text = json_dumps(body, 0);
    const char *bytes = bytes_of(d, at(call(d, V3 "/search", "%s", text), "traces"));
    free(text);
    json_decref(body);
    return bytes;
}

static const char *native(struct domains *d, const char *filter) {
    char *escaped = arena_alloc(d->arena, strlen(filter) * 3 + 1), *to = escaped;
    for (const char *p = filter; *p; p++)
        to += sprintf(to, "%%%02x", (unsigned char)*p);
    return bytes_of(d, at(get_ok(d, "/api/v1/projects/ours/traces?filter=%s", escaped), "items"));
}

/* 21: an LLM span of a small model and a tool that failed; 22: one LLM span that failed. */
static void arrange(struct domains *d) {
    const struct span_made first[] = {{.trace = 0x21,
                                       .id = 1,
                                       .name = "chat",
                                       .type = "\"LLM\"",
                                       .key = "llm.model name",
                                       .value = "\"gr\\u00f6\\u00dfe\"",
                                       .status = 1,
                                       .started_ns = SECOND,
                                       .ended_ns = 2 * SECOND},
                                      {.trace = 0x21,
                                       .id = 2,
                                       .parent = 1,
                                       .name = "tool",
                                       .type = "\"TOOL\"",
                                       .key = "temperature",
                                       .value = "0.25",
                                       .status = 2,
                                       .started_ns = SECOND,
                                       .ended_ns = 2 * SECOND}};
    send_spans(d, first, 2);
    send_spans(d,
               &(struct span_made){.trace = 0x22,
                                   .id = 1,
                                   .name = "chat",
                                   .type = "\"LLM\"",
                                   .key = "model",
                                   .value = "\"large\"",
                                   .status = 2,
                                   .started_ns = 3 * SECOND,
                                   .ended_ns = 4 * SECOND},
               1);
}

static void test_search__finds_attributes_of_spans(void **state) {
    struct domains *d = *state;
    arrange(d);
    assert_string_equal(found(d, "span.attributes.model = 'large'"), "22");
    assert_string_equal(found(d, "span.attributes.model LIKE 'lar%'"), "22");
    assert_string_equal(found(d, "span.attributes.model ILIKE 'LAR%'"), "22");
    assert_string_equal(found(d, "span.attributes.model RLIKE '^l.*e$'"), "22");
    assert_string_equal(found(d, "span.attributes.model != 'small'"), "22");
    assert_string_equal(found(d, "span.attributes.model IN ('a', 'large')"), "22");
    assert_string_equal(found(d, "span.attributes.`llm.model name` = 'gr\xc3\xb6\xc3\x9f"
                                 "e'"),
                        "21");
    assert_string_equal(found(d, "span.attributes.none = 'x'"), "");
    assert_string_equal(native(d, "span.attributes.temperature < 0.5"), "21");
    assert_string_equal(native(d, "span.attributes.temperature > 0.5"), "");
    assert_string_equal(native(d, "span.attributes.model IS NULL"), "21");
    assert_string_equal(native(d, "NOT span.attributes.model = 'large'"), "21");
    assert_string_equal(native(d, "span.attributes.model = 'large' OR span.type = 'TOOL'"),
                        "22 21");
    refused(d, 400, INVALID, V3 "/search", "{\"filter\":\"span.attributes. = 'x'\"}");
    refused(d, 400, INVALID, V3 "/search", "{\"filter\":\"span.attributes.`a = 'x'\"}");
    refused(d, 400, INVALID, V3 "/search", "{\"filter\":\"span.colour = 'x'\"}");
}

/* What a span says, and not how that is written down. */
static void test_search__of_a_text_does_not_find_the_names_of_members(void **state) {
    struct domains *d = *state;
    arrange(d);
    assert_string_equal(found(d, "trace.text LIKE '%large%'"), "22");
    assert_string_equal(found(d, "trace.text LIKE '%temperature%'"), "21");
    static const char *const NAMES[] = {"string_value", "\"key\"", "start_time", "attributes"};
    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        assert_string_equal(found(d, arena_printf(d->arena, "trace.text LIKE '%%%s%%'", NAMES[i])),
                            "");
        assert_string_equal(
            found(d, arena_printf(d->arena, "span.content LIKE '%%%s%%'", NAMES[i])), "");
    }
}

/* Conditions on spans that AND joins are about one span. */
static void test_search__asks_all_of_one_span(void **state) {
    struct domains *d = *state;
    arrange(d);
    assert_string_equal(found(d, "span.type = 'LLM' AND span.status = 'ERROR'"), "22");
    assert_string_equal(found(d, "span.status = 'ERROR' AND status = 'ERROR' AND span.name = 'chat'"
                                 " AND span.content LIKE '%large%'"),
                        "22");
    assert_string_equal(native(d, "span.type = 'TOOL' AND span.status = 'ERROR'"), "21");
    assert_string_equal(native(d, "span.type = 'LLM' AND NOT span.status = 'OK'"), "22");
    assert_string_equal(native(d, "span.name = 'tool' AND (span.type = 'LLM')"), "");
}

static void test_search__compares_judgements_as_numbers(void **state) {
    struct domains *d = *state;
    arrange(d);
    const char *of21 = arena_printf(d->arena, V3 "/%s/assessments", trace_id(d, 0x21));
    const char *of22 = arena_printf(d->arena, V3 "/%s/assessments", trace_id(d, 0x22));
    call(d, of21, "%s",
         "{\"assessment\":{\"assessment_name\":\"score\",\"feedback\":{\"value\":9.5}}}");
    json_t *made =
        call(d, of22, "%s",
             "{\"assessment\":{\"assessment_name\":\"score\",\"feedback\":{\"value\":10}}}");
    assert_string_equal(found(d, "feedback.score > 9"), "22 21");
    assert_string_equal(found(d, "feedback.score >= 9.75"), "22");
    assert_string_equal(found(d, "feedback.score < 9.75"), "21");
    call(d, of22,
         "{\"assessment\":{\"assessment_name\":\"score\",\"feedback\":{\"value\":1},"
         "\"overrides\":\"%s\"}}",
         text_at(at(made, "assessment"), "assessment_id"));
    assert_string_equal(found(d, "feedback.score > 9"), "21");
    assert_string_equal(found(d, "feedback.score = '1'"), "22");
}

static void test_prompts__are_linked_and_found(void **state) {
    struct domains *d = *state;
    arrange(d);
    call(d, LINK,
         "{\"trace_id\":\"%s\",\"prompt_versions\":[{\"name\":\"greet\",\"version\":\"1\"},"
         "{\"name\":\"greet\",\"version\":\"2\"}]}",
         trace_id(d, 0x21));
    call(d, LINK,
         "{\"trace_id\":\"%s\",\"prompt_versions\":[{\"name\":\"greet\",\"version\":\"2\"}]}",
         trace_id(d, 0x21));
    assert_string_equal(found(d, "prompt = 'greet/2'"), "21");
    assert_string_equal(found(d, "prompt = 'greet/3'"), "");
    assert_string_equal(native(d, "prompt LIKE 'greet/%'"), "21");
    refused(d, 400, INVALID, V3 "/search", "{\"filter\":\"prompt != 'greet/2'\"}");
    refused(d, 404, MISSING, LINK, "{\"trace_id\":\"tr-none\",\"prompt_versions\":[]}");
    refused(d, 400, INVALID, LINK, "{\"prompt_versions\":[]}");
    refused(d, 400, INVALID, LINK,
            "{\"trace_id\":\"%s\",\"prompt_versions\":[{\"name\":\"\",\"version\":\"1\"}]}",
            trace_id(d, 0x21));
    assert_wall(d, "trace_prompts");
}

static json_t *correlated(struct domains *d, const char *first, const char *second,
                          const char *base) {
    return call(d, V3 "/calculate-filter-correlation",
                "{\"experiment_ids\":[\"0\"],\"filter_string1\":\"%s\",\"filter_string2\":\"%s\","
                "\"base_filter\":\"%s\"}",
                first, second, base);
}

static void test_correlation__counts_what_goes_together(void **state) {
    struct domains *d = *state;
    arrange(d);
    const char *ours = "request_id LIKE 'tr-2%'";
    json_t *reply = correlated(d, "span.type = 'LLM'", "span.type = 'TOOL'", ours);
    assert_int_equal(int_at(reply, "total_count"), 2);
    assert_int_equal(int_at(reply, "filter1_count"), 2);
    assert_int_equal(int_at(reply, "filter2_count"), 1);
    assert_int_equal(int_at(reply, "joint_count"), 1);
    assert_true(real_at(reply, "npmi") == 0);
    reply = correlated(d, "span.type = 'TOOL'", "span.attributes.model = 'large'", ours);
    assert_int_equal(int_at(reply, "joint_count"), 0);
    assert_true(real_at(reply, "npmi") == -1);
    assert_true(real_at(reply, "npmi_smoothed") > -1);
    reply = correlated(d, "span.type = 'LLM'", "span.name = 'chat'", ours);
    assert_true(real_at(reply, "npmi") == 1);
    reply = correlated(d, "span.type = 'LLM'", "span.type = 'none'", ours);
    assert_string_equal(text_at(reply, "npmi"), "NaN");
    refused(d, 400, INVALID, V3 "/calculate-filter-correlation",
            "{\"experiment_ids\":[\"0\"],\"filter_string1\":\"nonsense ~ 1\","
            "\"filter_string2\":\"name = 'x'\"}");
    refused(d, 400, INVALID, V3 "/calculate-filter-correlation", "{\"experiment_ids\":[\"0\"]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search__finds_attributes_of_spans),
        cmocka_unit_test(test_search__of_a_text_does_not_find_the_names_of_members),
        cmocka_unit_test(test_search__asks_all_of_one_span),
        cmocka_unit_test(test_search__compares_judgements_as_numbers),
        cmocka_unit_test(test_prompts__are_linked_and_found),
        cmocka_unit_test(test_correlation__counts_what_goes_together),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
