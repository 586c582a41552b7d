/* Taking OTLP's messages apart: what is right comes out whole, what is wrong is refused, and no
 * byte beyond the end is read (the sanitized builds look). */
#include "tests/support/cmocka_all.h"
#include "tests/traces/message.h"
#include "traces/gunzip.h"
#include "traces/otlp.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SPANS_MAX 100

static struct arena *arena;
static struct err_info err;

static int setup(void **state) {
    (void)state;
    arena = arena_new();
    err = (struct err_info){0};
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

/* From memory of exactly its size. */
static enum err decode(const struct buf *message, struct list *ret) {
    char *exact = malloc(message->size ? message->size : 1);
    assert_non_null(exact);
    if (message->size)
        memcpy(exact, message->data, message->size);
    enum err result = otlp_decode(arena, exact, message->size, SPANS_MAX, ret, &err);
    free(exact);
    return result;
}

static json_t *json_of(const struct otlp_span *span) {
    json_t *json = json_loads(span->json, 0, NULL);
    if (!json)
        fail_msg("no JSON: %s", span->json);
    arena_defer(arena, (void (*)(void *))json_decref, json);
    return json;
}

static const char *text(json_t *json, const char *member) {
    const char *value = json_string_value(json_object_get(json, member));
    assert_non_null(value);
    return value;
}

static void test_otlp__a_span_comes_out_whole(void **state) {
    (void)state;
    auto_buf message = {0};
    const struct span_made made[] = {
        {.trace = 1,
         .id = 2,
         .name = "root",
         .type = "\"AGENT\"",
         .inputs = "{}",
         .status = 1,
         .started_ns = 5,
         .ended_ns = 9},
        {.trace = 1, .id = 3, .parent = 2, .name = "child", .status = 2, .started_ns = 6}};
    struct list spans;
    pb_request(&message, made, 2);
    assert_int_equal(decode(&message, &spans), OK);
    const struct otlp_span *span = spans.items;
    assert_int_equal(spans.count, 2);
    assert_string_equal(span[0].trace_id, "01010101010101010101010101010101");
    assert_string_equal(span[0].span_id, "0202020202020202");
    assert_string_equal(span[0].parent_id, "");
    assert_string_equal(span[0].type, "\"AGENT\"");
    assert_string_equal(span[0].inputs, "{}");
    assert_null(span[0].outputs);
    assert_int_equal(span[0].status, OTLP_OK);
    assert_int_equal(span[0].ended_ns, 9);
    assert_string_equal(span[1].parent_id, span[0].span_id);
    assert_int_equal(span[1].status, OTLP_ERROR);
    json_t *json = json_of(&span[1]);
    assert_string_equal(text(json, "trace_id"), "AQEBAQEBAQEBAQEBAQEBAQ==");
    assert_string_equal(text(json, "parent_span_id"), "AgICAgICAgI=");
    assert_string_equal(text(json, "name"), "child");
    assert_string_equal(text(json_object_get(json, "status"), "code"), "STATUS_CODE_ERROR");
    assert_int_equal(json_integer_value(json_object_get(json, "start_time_unix_nano")), 6);
}

/* The value of the only attribute of a span that has this AnyValue. */
static json_t *value_of(const struct buf *value) {
    auto_buf span = {0}, message = {0};
    struct list spans;
    pb_span(&span, &(struct span_made){.trace = 1, .id = 1});
    pb_attribute(&span, 9, "k", value);
    pb_request_of(&message, &span);
    assert_int_equal(decode(&message, &spans), OK);
    json_t *attributes = json_object_get(json_of(spans.items), "attributes");
    json_t *pair = json_array_get(attributes, 0);
    assert_string_equal(text(pair, "key"), "k");
    return json_object_get(pair, "value");
}

static void test_otlp__values_keep_their_types(void **state) {
    (void)state;
    auto_buf flag = {0}, number = {0}, real = {0}, bytes = {0}, list = {0}, items = {0}, none = {0};
    double half = 0.5;
    uint64_t bits;
    memcpy(&bits, &half, sizeof(bits));
    pb_int(&flag, 2, 1);
    pb_int(&number, 3, (uint64_t)-7);
    pb_fixed(&real, 4, bits);
    pb_bytes(&bytes, 7, "\0\xff", 2);
    pb_message(&items, 1, &number);
    pb_message(&items, 1, &flag);
    pb_message(&list, 5, &items);
    assert_true(json_is_true(json_object_get(value_of(&flag), "bool_value")));
    assert_int_equal(json_integer_value(json_object_get(value_of(&number), "int_value")), -7);
    assert_float_equal(json_real_value(json_object_get(value_of(&real), "double_value")), 0.5, 0);
    assert_string_equal(text(value_of(&bytes), "bytes_value"), "AP8=");
    json_t *values = json_object_get(json_object_get(value_of(&list), "array_value"), "values");
    assert_int_equal(json_array_size(values), 2);
    assert_int_equal(json_object_size(value_of(&none)), 0);
}

static void test_otlp__pairs_in_values_have_keys(void **state) {
    (void)state;
    auto_buf inner = {0}, pairs = {0}, value = {0};
    pb_text(&inner, 1, "deep");
    pb_attribute(&pairs, 1, "name", &inner);
    pb_message(&value, 6, &pairs);
    json_t *values = json_object_get(json_object_get(value_of(&value), "kvlist_value"), "values");
    json_t *pair = json_array_get(values, 0);
    assert_string_equal(text(pair, "key"), "name");
    assert_string_equal(text(json_object_get(pair, "value"), "string_value"), "deep");
}

static void test_otlp__texts_become_utf8(void **state) {
    (void)state;
    auto_buf nul = {0}, latin = {0}, chinese = {0};
    pb_bytes(&nul, 1, "a\0b", 3);
    pb_bytes(&latin, 1, "gr\xfc\xdf", 4);
    pb_text(&chinese, 1, "\xe4\xbd\xa0");
    assert_string_equal(text(value_of(&nul), "string_value"), "a b");
    assert_string_equal(text(value_of(&latin), "string_value"), "gr??");
    assert_string_equal(text(value_of(&chinese), "string_value"), "\xe4\xbd\xa0");
}

static void test_otlp__events_and_links_come_along(void **state) {
    (void)state;
    auto_buf span = {0}, event = {0}, link = {0}, value = {0}, message = {0};
    struct list spans;
    pb_text(&value, 1, "x");
    pb_fixed(&event, 1, 77);
    pb_text(&event, 2, "token");
    pb_attribute(&event, 3, "k", &value);
    pb_bytes(&link, 1, "0123456789abcdef", 16);
    pb_bytes(&link, 2, "01234567", 8);
    pb_attribute(&link, 4, "k", &value);
    pb_span(&span, &(struct span_made){.trace = 1, .id = 1});
    pb_message(&span, 11, &event);
    pb_message(&span, 13, &link);
    pb_request_of(&message, &span);
    assert_int_equal(decode(&message, &spans), OK);
    json_t *json = json_of(spans.items);
    json_t *first = json_array_get(json_object_get(json, "events"), 0);
    assert_string_equal(text(first, "name"), "token");
    assert_int_equal(json_integer_value(json_object_get(first, "time_unix_nano")), 77);
    assert_int_equal(json_array_size(json_object_get(first, "attributes")), 1);
    first = json_array_get(json_object_get(json, "links"), 0);
    assert_string_equal(text(first, "span_id"), "MDEyMzQ1Njc=");
}

static void test_otlp__what_breaks_off_is_refused(void **state) {
    (void)state;
    auto_buf message = {0};
    struct list spans;
    pb_request(&message, &(struct span_made){.trace = 1, .id = 2, .name = "n", .inputs = "x"}, 1);
    for (size_t size = 1; size < message.size; size++)
        assert_int_equal(decode(&(struct buf){.data = message.data, .size = size}, &spans),
                         ERR_INVALID);
    assert_int_equal(decode(&(struct buf){0}, &spans), OK);
    assert_int_equal(spans.count, 0);
}

static void test_otlp__wrong_members_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } WRONG[] = {{"\x00\x00", 2}, /* number 0 */
                 {"\x0b", 1},     /* a group: no longer in use */
                 {"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11}, /* 2^64 - 1 bytes */
                 {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11}, /* a number without end */
                 {"\x0d\x01", 2}};                                     /* half of 32 bits */
    struct list spans;
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++) {
        auto_buf message = {0};
        buf_append(&message, WRONG[i].bytes, WRONG[i].size);
        assert_int_equal(decode(&message, &spans), ERR_INVALID);
    }
}

static void test_otlp__ids_have_their_sizes(void **state) {
    (void)state;
    auto_buf span = {0}, message = {0};
    struct list spans;
    pb_bytes(&span, 1, "short", 5);
    pb_bytes(&span, 2, "01234567", 8);
    pb_request_of(&message, &span);
    assert_int_equal(decode(&message, &spans), ERR_INVALID);
    assert_non_null(strstr(err.message, "trace_id"));
}

static void test_otlp__there_are_limits(void **state) {
    (void)state;
    auto_buf message = {0}, deep = {0};
    struct span_made made[SPANS_MAX + 1] = {0};
    struct list spans;
    pb_request(&message, made, SPANS_MAX + 1);
    assert_int_equal(decode(&message, &spans), ERR_UNPROCESSABLE);
    pb_int(&deep, 3, 1);
    for (int i = 0; i <= OTLP_DEPTH_MAX; i++) {
        auto_buf items = {0}, outer = {0};
        pb_message(&items, 1, &deep);
        pb_message(&outer, 5, &items);
        deep.size = 0;
        buf_append(&deep, outer.data, outer.size);
    }
    auto_buf span = {0}, nested = {0};
    pb_span(&span, &(struct span_made){.trace = 1, .id = 1});
    pb_attribute(&span, 9, "k", &deep);
    pb_request_of(&nested, &span);
    assert_int_equal(decode(&nested, &spans), ERR_UNPROCESSABLE);
}

/* A bomb is small. */
static void test_gunzip__stops_at_its_limit(void **state) {
    (void)state;
    static const unsigned char HELLO[] = {0x1f, 0x8b, 8,    0,    0,    0,    0,    0, 0,
                                          3,    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0, 0x86,
                                          0xa6, 0x10, 0x36, 5,    0,    0,    0};
    char *data;
    size_t size;
    assert_int_equal(gunzip(arena, HELLO, sizeof(HELLO), 5, &data, &size, &err), OK);
    assert_int_equal(size, 5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(gunzip(arena, HELLO, sizeof(HELLO), 4, &data, &size, &err), ERR_TOO_LARGE);
    for (size_t cut = 0; cut < sizeof(HELLO); cut++)
        assert_int_equal(gunzip(arena, HELLO, cut, 5, &data, &size, &err), ERR_INVALID);
    assert_int_equal(gunzip(arena, "plain", 5, 5, &data, &size, &err), ERR_INVALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_otlp__a_span_comes_out_whole),
        TEST(test_otlp__values_keep_their_types),
        TEST(test_otlp__pairs_in_values_have_keys),
        TEST(test_otlp__texts_become_utf8),
        TEST(test_otlp__events_and_links_come_along),
        TEST(test_otlp__what_breaks_off_is_refused),
        TEST(test_otlp__wrong_members_are_refused),
        TEST(test_otlp__ids_have_their_sizes),
        TEST(test_otlp__there_are_limits),
        TEST(test_gunzip__stops_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
