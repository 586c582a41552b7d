/* Fields: what decoding accepts and refuses, how absence and null differ, round trips through JSON
 * and database text, and the printed schemas. */

#include "base/cleanup.h"
#include "base/field.h"
#include "base/jsontext.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

struct layer {
    const char *type;
    int64_t out;
};
static const struct field LAYER_FIELDS[] = {
    FIELD(STRING, struct layer, type, .flags = FIELD_REQUIRED, .max = 20),
    FIELD(INT, struct layer, out, .min = 1, .max = 4096),
};
static SHAPE(LAYER, "Layer", struct layer, LAYER_FIELDS);

static const char *const COLOURS[] = {"red", "green", NULL};

struct thing {
    const char *name, *id, *note;
    int64_t count, limit, at;
    double rate, loss;
    bool on;
    int colour;
    json_t *extra;
    struct layer *head;
    struct list layers, tags;
};
static const struct field THING_FIELDS[] = {
    FIELD(STRING, struct thing, name, .flags = FIELD_REQUIRED, .min = 1, .max = 10,
          .pattern = "^[a-z]+$", .doc = "what it is called"),
    FIELD(UUID, struct thing, id),
    FIELD(STRING, struct thing, note, .flags = FIELD_NULLABLE),
    FIELD(INT, struct thing, count, .min = -5, .max = 5),
    FIELD(INT, struct thing, limit, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct thing, at),
    FIELD(REAL, struct thing, rate, .max = 1),
    FIELD(REAL, struct thing, loss, .flags = FIELD_NULLABLE),
    FIELD(BOOL, struct thing, on),
    FIELD(ENUM, struct thing, colour, .names = COLOURS),
    FIELD(JSON, struct thing, extra, .typescript = "number[]"),
    FIELD(OBJECT, struct thing, head, .nested = &LAYER, .flags = FIELD_NULLABLE),
    FIELD(LIST, struct thing, layers, .nested = &LAYER, .max = 3),
    FIELD(STRINGS, struct thing, tags, .max = 3),
};
static SHAPE(THING, "Thing", struct thing, THING_FIELDS);

static struct arena *arena;

static int arena_setup(void **state) {
    (void)state;
    arena = arena_new();
    return 0;
}

static int arena_teardown(void **state) {
    (void)state;
    arena_free(arena);
    return 0;
}

static enum err decode(const char *text, struct thing *ret, struct field_seen *seen,
                       struct err_info *err) {
    auto_json *json = NULL;
    *err = (struct err_info){0};
    assert_ok(json_parse(text, strlen(text), 100000, &json, err), err);
    return field_decode(arena, &THING, json, ret, seen, err);
}

static const char WHOLE[] =
    "{\"name\":\"box\",\"id\":\"0196a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b\",\"note\":\"n\","
    "\"count\":-5,\"limit\":9007199254740993,\"at\":\"2026-11-21T09:18:23.000001Z\","
    "\"rate\":0.25,\"loss\":\"-Infinity\",\"on\":true,\"colour\":\"green\",\"extra\":[1,2],"
    "\"head\":{\"type\":\"relu\",\"out\":1},"
    "\"layers\":[{\"type\":\"a\",\"out\":2},{\"type\":\"b\",\"out\":3}],\"tags\":[\"x\",\"y\"]}";

static void test_field_decode__fills_every_type(void **state) {
    (void)state;
    struct thing t;
    struct err_info err;
    assert_ok(decode(WHOLE, &t, NULL, &err), &err);
    assert_string_equal("box", t.name);
    assert_int_equal(-5, t.count);
    assert_true(t.limit == INT64_C(9007199254740993));
    assert_true(t.at == INT64_C(1795252703000001));
    assert_true(t.rate == 0.25 && isinf(t.loss) && t.loss < 0);
    assert_true(t.on);
    assert_int_equal(1, t.colour);
    assert_int_equal(2, json_array_size(t.extra));
    assert_string_equal("relu", t.head->type);
    assert_int_equal(2, t.layers.count);
    assert_int_equal(3, ((struct layer *)t.layers.items)[1].out);
    assert_string_equal("y", ((const char **)t.tags.items)[1]);
}

static void test_field_encode__gives_back_what_was_decoded(void **state) {
    (void)state;
    struct thing t;
    struct err_info err;
    assert_ok(decode(WHOLE, &t, NULL, &err), &err);
    auto_json *expected = json_loads(WHOLE, 0, NULL);
    auto_json *encoded = field_encode(&THING, &t);
    assert_true(json_equal(expected, encoded));
}

static void test_field_decode__tells_absent_null_and_value_apart(void **state) {
    (void)state;
    struct thing t;
    struct field_seen seen;
    struct err_info err;
    assert_ok(decode("{\"name\":\"a\",\"note\":null,\"count\":0}", &t, &seen, &err), &err);
    assert_int_equal(1U << 0 | 1U << 2 | 1U << 3, seen.given);
    assert_int_equal(1U << 2, seen.null);
    assert_null(t.note);
    assert_true(t.limit == FIELD_NO_INT); /* nullable and absent: null */
    assert_true(isnan(t.loss));
    assert_int_equal(0, t.colour); /* not nullable and absent: zero */
    assert_int_equal(0, t.layers.count);
}

static void test_field_encode__writes_null_for_the_null_of_each_type(void **state) {
    (void)state;
    struct thing t = {.name = "a", .limit = FIELD_NO_INT, .loss = NAN, .rate = NAN};
    auto_json *json = field_encode(&THING, &t);
    static const char *const nulls[] = {"note", "limit", "at", "loss", "extra", "head"};
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        assert_true(json_is_null(json_object_get(json, nulls[i])));
    assert_string_equal("NaN", json_string_value(json_object_get(json, "rate")));
    assert_int_equal(0, json_array_size(json_object_get(json, "tags")));
    assert_true(json_is_array(json_object_get(json, "tags")));
    assert_string_equal("", json_string_value(json_object_get(json, "id")));
}

static void test_field_decode__refuses_and_names_the_member(void **state) {
    (void)state;
    static const struct {
        const char *body, *field;
    } cases[] = {
        {"[]", ""},
        {"\"text\"", ""},
        {"{}", "name"},
        {"{\"name\":null}", "name"},
        {"{\"name\":1}", "name"},
        {"{\"name\":\"\"}", "name"},
        {"{\"name\":\"toolongname\"}", "name"},
        {"{\"name\":\"Box\"}", "name"},
        {"{\"name\":\"a b\"}", "name"},
        {"{\"name\":\"a\",\"nmae\":1}", "nmae"},
        {"{\"name\":\"a\",\"id\":\"x\"}", "id"},
        {"{\"name\":\"a\",\"id\":null}", "id"},
        {"{\"name\":\"a\",\"count\":6}", "count"},
        {"{\"name\":\"a\",\"count\":-6}", "count"},
        {"{\"name\":\"a\",\"count\":1.0}", "count"},
        {"{\"name\":\"a\",\"count\":\"1\"}", "count"},
        {"{\"name\":\"a\",\"limit\":true}", "limit"},
        {"{\"name\":\"a\",\"limit\":-9223372036854775808}", "limit"},
        {"{\"name\":\"a\",\"at\":1}", "at"},
        {"{\"name\":\"a\",\"at\":\"yesterday\"}", "at"},
        {"{\"name\":\"a\",\"rate\":1.5}", "rate"},
        {"{\"name\":\"a\",\"rate\":-0.1}", "rate"},
        {"{\"name\":\"a\",\"rate\":\"NaN\"}", "rate"},
        {"{\"name\":\"a\",\"loss\":\"nan\"}", "loss"},
        {"{\"name\":\"a\",\"on\":1}", "on"},
        {"{\"name\":\"a\",\"on\":\"true\"}", "on"},
        {"{\"name\":\"a\",\"colour\":\"blue\"}", "colour"},
        {"{\"name\":\"a\",\"colour\":0}", "colour"},
        {"{\"name\":\"a\",\"head\":[]}", "head"},
        {"{\"name\":\"a\",\"head\":{}}", "head.type"},
        {"{\"name\":\"a\",\"head\":{\"type\":\"r\",\"x\":1}}", "head.x"},
        {"{\"name\":\"a\",\"layers\":{}}", "layers"},
        {"{\"name\":\"a\",\"layers\":[{\"type\":\"a\",\"out\":1},7]}", "layers[1]"},
        {"{\"name\":\"a\",\"layers\":[{\"type\":\"a\",\"out\":0}]}", "layers[0].out"},
        {"{\"name\":\"a\",\"layers\":[{\"type\":\"a\"},{\"type\":\"a\"},{\"type\":\"a\",\"out\":0}]"
         "}",
         "layers[2].out"},
        {"{\"name\":\"a\",\"layers\":[{\"type\":\"a\"},{\"type\":\"a\"},{\"type\":\"a\"},"
         "{\"type\":\"a\"}]}",
         "layers"},
        {"{\"name\":\"a\",\"tags\":\"x\"}", "tags"},
        {"{\"name\":\"a\",\"tags\":[\"x\",2]}", "tags[1]"},
        {"{\"name\":\"a\",\"tags\":[\"a\",\"b\",\"c\",\"d\"]}", "tags"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct thing t, zero;
        struct err_info err;
        memset(&zero, 0, sizeof(zero));
        if (decode(cases[i].body, &t, NULL, &err) != ERR_INVALID ||
            strcmp(cases[i].field, err.field) != 0)
            fail_msg("%s: field \"%s\", message \"%s\"", cases[i].body, err.field, err.message);
        assert_memory_equal(&zero, &t, sizeof(t));
        assert_string_not_equal("", err.message);
    }
}

static void test_field_decode__has_limits_where_none_are_stated(void **state) {
    (void)state;
    for (int over = 0; over < 2; over++) {
        char note[FIELD_DEFAULT_MAX + 2] = "", body[FIELD_DEFAULT_MAX + 100];
        memset(note, 'x', (size_t)FIELD_DEFAULT_MAX + (size_t)over);
        snprintf(body, sizeof(body), "{\"name\":\"a\",\"note\":\"%s\"}", note);
        struct thing t;
        struct err_info err;
        assert_err(over ? ERR_INVALID : OK, decode(body, &t, NULL, &err));
    }
}

static void test_field_decode__survives_an_endless_member_name(void **state) {
    (void)state;
    char body[5000] = "{\"name\":\"a\",\"";
    memset(body + strlen(body), 'k', 4000);
    strcat(body, "\":1}");
    struct thing t;
    struct err_info err;
    assert_err(ERR_INVALID, decode(body, &t, NULL, &err));
    assert_true(strlen(err.field) < sizeof(err.field));
}

static enum err decode_text(const char *name, const char *text, struct thing *ret) {
    struct err_info err = {0};
    enum err code = field_decode_text(arena, field_find(&THING, name), text, ret, &err);
    if (code != OK)
        assert_memory_equal(name, err.field, strlen(name)); /* or an item of it: "tags[0]" */
    return code;
}

static void test_field_decode_text__reads_query_values(void **state) {
    (void)state;
    struct thing t = {0};
    assert_err(OK, decode_text("name", "box", &t));
    assert_err(OK, decode_text("count", "-3", &t));
    assert_err(OK, decode_text("rate", "2.5e-1", &t));
    assert_err(OK, decode_text("on", "true", &t));
    assert_err(OK, decode_text("colour", "green", &t));
    assert_err(OK, decode_text("at", "2026-11-21T09:18:23Z", &t));
    assert_string_equal("box", t.name);
    assert_int_equal(-3, t.count);
    assert_true(t.rate == 0.25 && t.on);
    assert_int_equal(1, t.colour);
}

static void test_field_decode_text__refuses(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"name", "Box"},    {"name", "\xff"},
        {"count", "6"},     {"count", ""},
        {"count", " 1"},    {"count", "1 "},
        {"count", "+1"},    {"count", "0x1"},
        {"count", "1e0"},   {"limit", "99999999999999999999"},
        {"rate", ""},       {"rate", "0x1p-3"},
        {"rate", "nan"},    {"rate", "1e999"},
        {"rate", " 1"},     {"on", "yes"},
        {"on", ""},         {"colour", ""},
        {"id", "1"},        {"tags", "[1]"},
        {"extra", "{"},     {"at", "now"},
        {"layers", "[[]]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct thing t = {0};
        if (decode_text(cases[i][0], cases[i][1], &t) != ERR_INVALID)
            fail_msg("%s=%s was accepted", cases[i][0], cases[i][1]);
    }
}

static void load(const char *name, const char *text, struct thing *ret) {
    struct err_info err;
    assert_ok(field_load(arena, field_find(&THING, name), text, ret, &err), &err);
}

static void test_field_load__reads_database_text_without_limits(void **state) {
    (void)state;
    struct thing t = {0};
    load("name", "Longer Than The Limit", &t);
    load("count", "1000", &t);
    load("at", "2026-11-21 09:18:23.000001+00", &t);
    load("on", "t", &t);
    load("loss", "NaN", &t);
    load("layers", "[{\"type\":\"a\",\"out\":5000}]", &t);
    assert_string_equal("Longer Than The Limit", t.name);
    assert_int_equal(1000, t.count);
    assert_true(t.at == INT64_C(1795252703000001));
    assert_true(t.on && isnan(t.loss));
    assert_int_equal(5000, ((struct layer *)t.layers.items)[0].out);
    load("limit", NULL, &t);
    load("note", NULL, &t);
    load("head", "null", &t);
    assert_true(t.limit == FIELD_NO_INT);
    assert_null(t.note);
    assert_null(t.head);
}

static void test_field_load__reads_postgresql_arrays(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t count;
        const char *items[3];
    } cases[] = {
        {"{}", 0, {0}},
        {"{a}", 1, {"a"}},
        {"{a,bc}", 2, {"a", "bc"}},
        {"{\"a,b\",\"c}\",\"\"}", 3, {"a,b", "c}", ""}},
        {"{\"q\\\"q\",\"b\\\\b\"}", 2, {"q\"q", "b\\b"}},
        {"[\"x\",\"y\"]", 2, {"x", "y"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct thing t = {0};
        load("tags", cases[i].text, &t);
        assert_int_equal(cases[i].count, t.tags.count);
        for (size_t k = 0; k < cases[i].count; k++)
            assert_string_equal(cases[i].items[k], ((const char **)t.tags.items)[k]);
    }
}

static void test_field_load__of_a_long_array_takes_memory_by_its_length(void **state) {
    (void)state;
    enum { COUNT = 20000 };
    char *text = arena_alloc(arena, 8 * COUNT + 3), *to = text;
    *to++ = '{';
    for (int i = 0; i < COUNT; i++)
        to += sprintf(to, i % 2 ? "%d," : "\"%d\",", i);
    to[-1] = '}';
    size_t before = arena_used(arena);
    struct thing t = {0};
    load("tags", text, &t);
    assert_int_equal(COUNT, t.tags.count);
    assert_string_equal("19999", ((const char *const *)t.tags.items)[COUNT - 1]);
    assert_true(arena_used(arena) - before < 2 * strlen(text) + 2 * COUNT * sizeof(char *));
}

static void test_shape_openapi__states_limits_and_required_members(void **state) {
    (void)state;
    auto_json *body = shape_openapi(&THING, SHAPE_BODY);
    json_t *properties = json_object_get(body, "properties");
    json_t *name = json_object_get(properties, "name");
    assert_int_equal(10, json_integer_value(json_object_get(name, "maxLength")));
    assert_string_equal("^[a-z]+$", json_string_value(json_object_get(name, "pattern")));
    assert_true(json_is_false(json_object_get(body, "additionalProperties")));
    assert_int_equal(1, json_array_size(json_object_get(body, "required")));
    assert_non_null(json_object_get(json_object_get(properties, "head"), "anyOf"));
    auto_json *reply = shape_openapi(&THING, SHAPE_REPLY);
    assert_int_equal(THING.field_count, json_array_size(json_object_get(reply, "required")));
}

static void test_shape_typescript__prints_an_interface(void **state) {
    (void)state;
    auto_free char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    shape_typescript(&LAYER, SHAPE_BODY, out);
    shape_typescript(&THING, SHAPE_REPLY, out);
    fclose(out);
    assert_non_null(
        strstr(text, "export interface Layer {\n  type: string;\n  out?: number;\n}\n"));
    assert_non_null(strstr(text, "  /** what it is called */\n  name: string;\n"));
    assert_non_null(strstr(text, "  limit: number | null;\n"));
    assert_non_null(strstr(text, "  colour: \"red\" | \"green\";\n"));
    assert_non_null(strstr(text, "  extra: number[];\n"));
    assert_non_null(strstr(text, "  head: Layer | null;\n"));
    assert_non_null(strstr(text, "  layers: Layer[];\n  tags: string[];\n}\n"));
}

static void test_shape_collect__lists_nested_shapes_once(void **state) {
    (void)state;
    const struct shape *set[4];
    size_t count = 0;
    shape_collect(&THING, set, &count, 4);
    shape_collect(&LAYER, set, &count, 4);
    assert_int_equal(2, count);
    assert_ptr_equal(&LAYER, set[0]);
    assert_ptr_equal(&THING, set[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field_decode__fills_every_type),
        cmocka_unit_test(test_field_encode__gives_back_what_was_decoded),
        cmocka_unit_test(test_field_decode__tells_absent_null_and_value_apart),
        cmocka_unit_test(test_field_encode__writes_null_for_the_null_of_each_type),
        cmocka_unit_test(test_field_decode__refuses_and_names_the_member),
        cmocka_unit_test(test_field_decode__has_limits_where_none_are_stated),
        cmocka_unit_test(test_field_decode__survives_an_endless_member_name),
        cmocka_unit_test(test_field_decode_text__reads_query_values),
        cmocka_unit_test(test_field_decode_text__refuses),
        cmocka_unit_test(test_field_load__reads_database_text_without_limits),
        cmocka_unit_test(test_field_load__reads_postgresql_arrays),
        cmocka_unit_test(test_field_load__of_a_long_array_takes_memory_by_its_length),
        cmocka_unit_test(test_shape_openapi__states_limits_and_required_members),
        cmocka_unit_test(test_shape_typescript__prints_an_interface),
        cmocka_unit_test(test_shape_collect__lists_nested_shapes_once),
    };
    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
