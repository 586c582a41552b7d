/* A spec as parameters: names, layers in a line, and values that are cut between characters. */
#include "tracking/params.h"

#include "base/cleanup.h"
#include "tests/support/cmocka_all.h"

#include <string.h>

static const char *value_of(const struct params *params, const char *key) {
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->keys[i], key) == 0)
            return params->values[i];
    return NULL;
}

static void assert_param(const char *json_text, const char *key, const char *expected) {
    struct arena *arena = arena_new();
    auto_json *json = json_loads(json_text, 0, NULL);
    assert_non_null(json);
    struct params params = params_of(arena, json);
    const char *value = value_of(&params, key);
    if (expected)
        assert_string_equal(value ? value : "(absent)", expected);
    else
        assert_null(value);
    arena_free(arena);
}

static void test_params__are_dotted_names(void **state) {
    (void)state;
    static const char SPEC[] = "{\"a\":{\"b\":{\"c\":1}},\"t\":true,\"n\":null,\"s\":\"x\",\"r\":0."
                               "1,\"l\":[1,\"y\"],\"e\":{}}";
    assert_param(SPEC, "a.b.c", "1");
    assert_param(SPEC, "t", "true");
    assert_param(SPEC, "n", NULL);
    assert_param(SPEC, "s", "x");
    assert_param(SPEC, "r", "0.1");
    assert_param(SPEC, "l", "[1,\"y\"]");
    assert_param(SPEC, "e", NULL);
}

static void test_params__layers_are_one_line(void **state) {
    (void)state;
    assert_param(
        "{\"model\":{\"layers\":[{\"type\":\"conv2d\",\"out\":8},{\"type\":\"relu\"},"
        "{\"type\":\"residual\",\"layers\":[{},{}]},{\"type\":\"linear\",\"out\":\"classes\"},"
        "7]}}",
        "model.layers", "conv2d 8, relu, residual of 2, linear classes, ?");
    assert_param("{\"layers\":[]}", "layers", "");
}

static void test_params__long_values_end_between_characters(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    char text[7000];
    for (size_t i = 0; i < 3400; i++)
        memcpy(text + 1 + 2 * i, "é", 2);
    text[0] = 'x'; /* so that the limit falls inside a character */
    text[6801] = '\0';
    auto_json *json = json_pack("{s:s}", "long", text);
    struct params params = params_of(arena, json);
    assert_int_equal(strlen(params.values[0]), 5999);
    arena_free(arena);
}

static void test_params__are_at_most_five_hundred(void **state) {
    (void)state;
    struct arena *arena = arena_new();
    auto_json *json = json_object();
    char key[16];
    for (int i = 0; i < 600; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        json_object_set_new(json, key, json_integer(i));
    }
    assert_int_equal(params_of(arena, json).count, 500);
    assert_int_equal(params_of(arena, NULL).count, 0);
    arena_free(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_params__are_dotted_names),
        cmocka_unit_test(test_params__layers_are_one_line),
        cmocka_unit_test(test_params__long_values_end_between_characters),
        cmocka_unit_test(test_params__are_at_most_five_hundred),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
