/* The spool between runner and server: order, numbering, bounds, what is refused. */

#include "worker/jobdir.h"
#include "worker/spool.h"

#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static int make_dir(void **state) {
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/slipway-spool-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state) {
    (void)state;
    struct jobdir whole;
    snprintf(whole.path, sizeof(whole.path), "%s", dir);
    jobdir_remove(&whole);
    return 0;
}

static void open_spool(struct spool *s) {
    char path[128];
    struct err_info err;
    snprintf(path, sizeof(path), "%s/events", dir);
    assert_int_equal(OK, spool_init(s, path, &err));
}

static void test_spool__refuses_what_is_no_event(void **state) {
    (void)state;
    static const char *const lines[] = {
        "",
        "not json",
        "[]",
        "{}",
        "{\"type\":7}",
        "{\"type\":\"shutdown\"}",
        "{\"type\":\"log\",\"level\":\"info\"}",
        "{\"type\":\"log\",\"level\":\"info\",\"message\":3}",
        "{\"type\":\"metrics\",\"values\":[1]}",
        "{\"type\":\"artifact\",\"name\":\"x\",\"media_type\":\"y\"}",
        "{\"type\":\"state\",\"state\":\"a\",\"state\":\"b\"}",
        "{\"type\":\"log\",\"level\":\"info\",\"message\":\"a\"} trailing",
    };
    struct spool s;
    open_spool(&s);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct err_info err;
        assert_int_not_equal(OK, spool_line(&s, lines[i], strlen(lines[i]), &err));
        assert_string_not_equal("", err.message);
    }
    assert_int_equal(0, s.count);
    spool_done(&s);
}

static void test_spool__returns_events_in_order_until_acknowledged(void **state) {
    (void)state;
    struct spool s;
    open_spool(&s);
    for (int i = 0; i < 1200; i++) {
        char text[32];
        int n = snprintf(text, sizeof(text), "line %d", i);
        spool_log(&s, "info", text, (size_t)n);
    }
    spool_close(&s);
    int next = 0;
    for (bool closed = false;;) {
        int64_t end = 0;
        json_t *batch = spool_batch(&s, 0, &end, &closed);
        json_t *again = spool_batch(&s, 0, &end, &closed); /* not acknowledged: the same again */
        assert_true(json_equal(batch, again));
        size_t n = json_array_size(batch), index;
        assert_true(n <= 500);
        json_t *event;
        json_array_foreach(batch, index, event) {
            char want[32];
            snprintf(want, sizeof(want), "line %d", next++);
            assert_string_equal(want, json_string_value(json_object_get(event, "message")));
        }
        spool_ack(&s, n, end);
        json_decref(batch);
        json_decref(again);
        if (!n) {
            assert_true(closed);
            break;
        }
    }
    assert_int_equal(1200, next);
    assert_int_equal(1200, s.sent);
    spool_done(&s);
}

static void test_spool__keeps_hostile_log_text_printable(void **state) {
    (void)state;
    struct spool s;
    open_spool(&s);
    static const char text[] = "a\x1b[31m\xff\xfe\r\0b";
    spool_log(&s, "warning", text, sizeof(text) - 1);
    int64_t end = 0;
    bool closed = false;
    json_t *batch = spool_batch(&s, 0, &end, &closed);
    const char *kept = json_string_value(json_object_get(json_array_get(batch, 0), "message"));
    assert_string_equal("a [31m??  b", kept);
    json_decref(batch);
    spool_done(&s);
}

static void test_spool__drops_logs_past_its_bound_but_no_metrics(void **state) {
    (void)state;
    struct spool s;
    open_spool(&s);
    s.bytes = SPOOL_MAX_BYTES; /* as if so much had been written: the file is sparse */
    s.sent_at = SPOOL_MAX_BYTES;
    spool_log(&s, "info", "one", 3);
    spool_log(&s, "info", "two", 3);
    spool_metrics(&s, 1, json_pack("{s:f}", "loss", 0.5));
    int64_t end = 0;
    bool closed = false;
    json_t *batch = spool_batch(&s, 0, &end, &closed);
    assert_int_equal(2, json_array_size(batch));
    const char *first = json_string_value(json_object_get(json_array_get(batch, 0), "message"));
    assert_non_null(strstr(first, "dropped"));
    assert_string_equal("metrics",
                        json_string_value(json_object_get(json_array_get(batch, 1), "type")));
    json_decref(batch);
    spool_done(&s);
}

static void write_file(const char *name) {
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("content", file);
    fclose(file);
}

static void test_jobdir__opens_only_regular_files_beneath_outputs(void **state) {
    (void)state;
    char path[256];
    struct jobdir job;
    snprintf(job.path, sizeof(job.path), "%s", dir);
    snprintf(path, sizeof(path), "%s/outputs", dir);
    mkdir(path, 0700);
    snprintf(path, sizeof(path), "%s/outputs/sub", dir);
    mkdir(path, 0700);
    write_file("outputs/good");
    write_file("secret");
    snprintf(path, sizeof(path), "%s/outputs/link", dir);
    assert_int_equal(0, symlink("../secret", path));
    snprintf(path, sizeof(path), "%s/outputs/absolute", dir);
    assert_int_equal(0, symlink("/etc/passwd", path));
    snprintf(path, sizeof(path), "%s/outputs/pipe", dir);
    assert_int_equal(0, mkfifo(path, 0600));

    int64_t size = -1;
    int fd = jobdir_open_output(&job, "outputs/good", &size);
    assert_true(fd >= 0);
    assert_int_equal(7, size);
    close(fd);
    static const char *const refused[] = {"outputs/../secret",
                                          "secret",
                                          "/etc/passwd",
                                          "outputs//etc/passwd",
                                          "outputs/link",
                                          "outputs/absolute",
                                          "outputs/pipe",
                                          "outputs/sub",
                                          "outputs/none",
                                          "outputs/",
                                          "outputs/sub/../../secret",
                                          ""};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        assert_int_equal(-1, jobdir_open_output(&job, refused[i], &size));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spool__refuses_what_is_no_event),
        cmocka_unit_test(test_spool__returns_events_in_order_until_acknowledged),
        cmocka_unit_test(test_spool__keeps_hostile_log_text_printable),
        cmocka_unit_test(test_spool__drops_logs_past_its_bound_but_no_metrics),
        cmocka_unit_test(test_jobdir__opens_only_regular_files_beneath_outputs),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
