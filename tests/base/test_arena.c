/* arena and buf: lifetimes, alignment, order of clean-up. */

#include "base/arena.h"
#include "base/buf.h"
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <string.h>

static void test_arena__aligns_and_zeroes_every_size(void **state) {
    (void)state;
    struct arena *a = arena_new();
    for (size_t size = 1; size < 40000; size = size * 3 + 1) {
        unsigned char *p = arena_alloc(a, size);
        assert_int_equal(0, (uintptr_t)p % _Alignof(max_align_t));
        for (size_t i = 0; i < size; i++)
            assert_int_equal(0, p[i]);
        memset(p, 0xff, size);
    }
    arena_free(a);
}

static void test_arena__keeps_what_it_gave_while_it_grows(void **state) {
    (void)state;
    struct arena *a = arena_new();
    char *texts[2000];
    for (int i = 0; i < 2000; i++)
        texts[i] = arena_printf(a, "text number %d", i);
    for (int i = 0; i < 2000; i++) {
        char expected[32];
        snprintf(expected, sizeof(expected), "text number %d", i);
        assert_string_equal(expected, texts[i]);
    }
    assert_true(arena_used(a) >= 2000 * 16);
    arena_free(a);
}

struct note {
    char *order;
    char name;
};

static void write_note(void *data) {
    struct note *n = data;
    size_t length = strlen(n->order);
    n->order[length] = n->name;
}

static void test_arena__runs_deferred_in_reverse_on_reset_and_free(void **state) {
    (void)state;
    char order[8] = "";
    struct note notes[] = {{order, 'a'}, {order, 'b'}, {order, 'c'}};
    struct arena *a = arena_new();
    arena_defer(a, write_note, &notes[0]);
    arena_defer(a, write_note, &notes[1]);
    arena_reset(a);
    assert_string_equal("ba", order);
    assert_int_equal(0, arena_used(a));
    arena_defer(a, write_note, &notes[2]);
    arena_free(a);
    assert_string_equal("bac", order);
}

static void test_arena__strings_may_be_null_and_cut(void **state) {
    (void)state;
    struct arena *a = arena_new();
    assert_null(arena_strdup(a, NULL));
    assert_string_equal("abc", arena_strndup(a, "abcdef", 3));
    assert_string_equal("ab", arena_strndup(a, "ab", 30));
    arena_free(a);
}

static void test_buf__grows_and_stays_terminated(void **state) {
    (void)state;
    auto_buf b = {0};
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%d,", i % 10);
    assert_int_equal(2000, b.size);
    assert_int_equal(2000, strlen(b.data));
    buf_append(&b, "\0x", 2);
    assert_int_equal(2002, b.size);
    assert_int_equal('x', b.data[2001]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena__aligns_and_zeroes_every_size),
        cmocka_unit_test(test_arena__keeps_what_it_gave_while_it_grows),
        cmocka_unit_test(test_arena__runs_deferred_in_reverse_on_reset_and_free),
        cmocka_unit_test(test_arena__strings_may_be_null_and_cut),
        cmocka_unit_test(test_buf__grows_and_stays_terminated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
