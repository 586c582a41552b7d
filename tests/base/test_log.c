/* Log lines are JSON whatever is put in them, and carry the thread's context. */

#include "base/cleanup.h"
#include "base/log.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <string.h>

/* Runs one log call with standard error caught; gives the parsed line, NULL when none was written.
 */
static json_t *logged(void (*call)(void)) {
    static char line[16384];
    int pipe_fds[2], saved = dup(STDERR_FILENO);
    assert_int_equal(0, pipe(pipe_fds));
    dup2(pipe_fds[1], STDERR_FILENO);
    close(pipe_fds[1]);
    call();
    dup2(saved, STDERR_FILENO); /* which closes the last writer */
    close(saved);
    ssize_t size = read(pipe_fds[0], line, sizeof(line) - 1);
    close(pipe_fds[0]);
    if (size <= 0)
        return NULL;
    line[size] = '\0';
    assert_true(size <= 8192);
    assert_int_equal('\n', line[size - 1]);
    assert_ptr_equal(&line[size - 1], strchr(line, '\n'));
    return json_loads(line, JSON_REJECT_DUPLICATES, NULL);
}

static void log_hostile(void) {
    log_event(LOG_INFO, "test.hostile", LOG_T("text", "a\"b\\c\nd\x01\xff\xc3(\xe7\xae\x80"),
              LOG_T("none", NULL), LOG_N("n", -7), LOG_R("x", 0.5), LOG_R("nan", NAN));
}

static void test_log__escapes_what_would_break_the_line(void **state) {
    (void)state;
    auto_json *line = logged(log_hostile);
    assert_non_null(line);
    assert_string_equal("a\"b\\c\nd\x01\xef\xbf\xbd\xef\xbf\xbd(\xe7\xae\x80",
                        json_string_value(json_object_get(line, "text")));
    assert_true(json_is_null(json_object_get(line, "none")));
    assert_int_equal(-7, json_integer_value(json_object_get(line, "n")));
    assert_string_equal("info", json_string_value(json_object_get(line, "level")));
    assert_string_equal("test.hostile", json_string_value(json_object_get(line, "event")));
}

static void log_huge(void) {
    static char text[20000];
    memset(text, 'x', sizeof(text) - 1);
    log_event(LOG_ERROR, "test.huge", LOG_T("before", "kept"), LOG_T("text", text),
              LOG_T("after", "kept"));
}

static void test_log__leaves_out_what_does_not_fit(void **state) {
    (void)state;
    auto_json *line = logged(log_huge);
    assert_non_null(line);
    assert_string_equal("kept", json_string_value(json_object_get(line, "before")));
    assert_null(json_object_get(line, "text"));
    assert_true(json_is_true(json_object_get(line, "truncated")));
}

static void log_plain(void) {
    log_event(LOG_INFO, "test.plain", LOG_N("n", 1));
}

static void test_log__names_request_and_principal(void **state) {
    (void)state;
    log_context("request-1", "ada@example.test");
    auto_json *line = logged(log_plain);
    assert_string_equal("request-1", json_string_value(json_object_get(line, "request_id")));
    assert_string_equal("ada@example.test", json_string_value(json_object_get(line, "who")));
    log_context(NULL, NULL);
    auto_json *bare = logged(log_plain);
    assert_null(json_object_get(bare, "request_id"));
    assert_null(json_object_get(bare, "who"));
}

static void test_log__drops_lines_below_its_level(void **state) {
    (void)state;
    log_init(LOG_WARNING);
    assert_null(logged(log_plain));
    log_init(LOG_INFO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log__escapes_what_would_break_the_line),
        cmocka_unit_test(test_log__leaves_out_what_does_not_fit),
        cmocka_unit_test(test_log__names_request_and_principal),
        cmocka_unit_test(test_log__drops_lines_below_its_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
