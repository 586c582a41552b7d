/* Hostile runners against both walls: what they reach, and how the worker ends them. */

#include "worker/run.h"

#include "base/clock.h"
#include "base/log.h"
#include "tests/support/cmocka_all.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A job directory with one job of the hostile runner, and the run around it. */
struct stage {
    char dir[256];
    struct worker worker;
    struct run run;
};

static void stage_init(struct stage *s, const char *wall, const char *mode) {
    struct err_info err;
    memset(s, 0, sizeof(*s));
    snprintf(s->dir, sizeof(s->dir), "/tmp/slipway-test-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    s->worker.options.runner_dir = HOSTILE_DIR;
    s->worker.options.sandbox = wall;
    if (sandbox_new(&s->worker.options, &s->worker.sandbox, &err) != OK) {
        print_message("[  SKIPPED ] no sandbox here: %s\n", err.message);
        exit(77);
    }
    snprintf(s->run.dir.path, sizeof(s->run.dir.path), "%s/job", s->dir);
    char path[WORKER_PATH_MAX + 32];
    static const char *const parts[] = {"", "/inputs", "/outputs"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s%s", s->run.dir.path, parts[i]);
        assert_int_equal(0, mkdir(path, 0700));
    }
    snprintf(path, sizeof(path), "%s/job.json", s->run.dir.path);
    json_t *job = json_pack("{s:{s:s}}", "spec", "mode", mode);
    assert_int_equal(0, json_dump_file(job, path, 0));
    json_decref(job);
    snprintf(path, sizeof(path), "%s/events", s->dir);
    assert_int_equal(OK, spool_init(&s->run.spool, path, &err));
    s->run.worker = &s->worker;
    s->run.memory_bytes = 512 << 20;
}

static void stage_done(struct stage *s) {
    spool_done(&s->run.spool);
    sandbox_free(s->worker.sandbox);
    struct jobdir whole;
    snprintf(whole.path, sizeof(whole.path), "%s", s->dir);
    jobdir_remove(&whole);
}

/* Runs the hostile runner to its end; the wait status. */
static int stage_run(struct stage *s) {
    int pipes[3][2];
    for (int i = 0; i < 3; i++) {
        assert_int_equal(0, pipe2(pipes[i], O_CLOEXEC));
        fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
    }
    struct sandbox_job job = {.program = "hostile-runner",
                              .dir = s->run.dir.path,
                              .events_fd = pipes[0][1],
                              .stdout_fd = pipes[1][1],
                              .stderr_fd = pipes[2][1],
                              .listen_fd = -1,
                              .threads = 1,
                              .first_cpu = -1,
                              .memory_bytes = s->run.memory_bytes};
    struct err_info err;
    assert_int_equal(OK, sandbox_spawn(s->worker.sandbox, &job, &s->run.child, &err));
    for (int i = 0; i < 3; i++)
        close(pipes[i][1]);
    int status = relay_read(&s->run, &(struct run_pipes){pipes[0][0], pipes[1][0], pipes[2][0]});
    for (int i = 0; i < 3; i++)
        close(pipes[i][0]);
    spool_close(&s->run.spool);
    return status;
}

/* All events of the spool as one array. */
static json_t *stage_events(struct stage *s) {
    json_t *all = json_array();
    for (;;) {
        int64_t end = 0;
        bool closed = false;
        json_t *batch = spool_batch(&s->run.spool, 0, &end, &closed);
        size_t n = json_array_size(batch);
        json_array_extend(all, batch);
        json_decref(batch);
        spool_ack(&s->run.spool, n, end);
        if (!n)
            return all;
    }
}

static int count_messages(const json_t *events, const char *needle) {
    int found = 0;
    size_t index;
    json_t *event;
    json_array_foreach(events, index, event) {
        const char *text = json_string_value(json_object_get(event, "message"));
        found += text && strstr(text, needle);
    }
    return found;
}

static void check_walls(const char *wall) {
    setenv("SLIPWAY_TEST_SECRET", "hunter2", 1);
    struct stage s;
    stage_init(&s, wall, "escape");
    int status = stage_run(&s);
    assert_true(WIFEXITED(status));
    json_t *events = stage_events(&s);
    char *text = json_dumps(events, JSON_INDENT(1));
    if (count_messages(events, "ALLOWED"))
        print_error("%s\n", text);
    free(text);
    assert_int_equal(0, count_messages(events, "ALLOWED"));
    assert_int_equal(14, count_messages(events, "denied"));
    assert_int_equal(1, count_messages(events, "secret hidden"));
    assert_int_equal(1, count_messages(events, "write outputs: works"));
    json_decref(events);
    stage_done(&s);
}

static void test_sandbox__bubblewrap_keeps_a_runner_in(void **state) {
    (void)state;
    check_walls("strict");
}

static void test_sandbox__landlock_keeps_a_runner_in(void **state) {
    (void)state;
    check_walls("landlock");
}

static void test_sandbox__describes_its_walls(void **state) {
    (void)state;
    struct stage s;
    stage_init(&s, "auto", "chatter");
    json_t *walls = sandbox_describe(s.worker.sandbox);
    char *text = json_dumps(walls, 0);
    assert_non_null(strstr(text, "seccomp"));
    assert_non_null(strstr(text, "no network"));
    free(text);
    json_decref(walls);
    stage_done(&s);
}

static void test_run__memory_hog_is_killed_and_named(void **state) {
    (void)state;
    struct stage s;
    stage_init(&s, "auto", "memory");
    s.run.memory_bytes = 128 << 20;
    int status = stage_run(&s);
    assert_true(s.run.over_memory);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    stage_done(&s);
}

static void test_run__endless_event_line_ends_the_runner(void **state) {
    (void)state;
    struct stage s;
    stage_init(&s, "auto", "spam");
    stage_run(&s);
    assert_true(s.run.bad_events);
    stage_done(&s);
}

static void test_run__unknown_event_ends_the_runner(void **state) {
    (void)state;
    struct stage s;
    stage_init(&s, "auto", "unknown");
    stage_run(&s);
    assert_true(s.run.bad_events);
    assert_non_null(strstr(s.run.bad_event, "no known type"));
    stage_done(&s);
}

static void test_run__cancel_reaches_a_polite_runner(void **state) {
    (void)state;
    struct stage s;
    stage_init(&s, "auto", "polite");
    atomic_store(&s.run.cancel, true);
    int64_t before = clock_mono_us();
    int status = stage_run(&s);
    assert_true(clock_mono_us() - before < 8 * 1000000);
    assert_true(WIFEXITED(status));
    assert_int_equal(3, WEXITSTATUS(status));
    stage_done(&s);
}

static void test_run__lost_lease_kills_a_deaf_runner(void **state) {
    (void)state;
    struct stage s;
    stage_init(&s, "auto", "deaf");
    atomic_store(&s.run.lost, true);
    int status = stage_run(&s);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    stage_done(&s);
}

static void test_run__wall_time_is_enforced(void **state) {
    (void)state;
    struct stage s;
    stage_init(&s, "auto", "deaf");
    s.run.wall_seconds = 1;
    stage_run(&s);
    assert_true(s.run.over_time);
    stage_done(&s);
}

static void test_run__output_lines_become_log_events(void **state) {
    (void)state;
    struct stage s;
    stage_init(&s, "auto", "chatter");
    int status = stage_run(&s);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    json_t *events = stage_events(&s);
    assert_int_equal(3000, count_messages(events, "line "));
    json_decref(events);
    stage_done(&s);
}

int main(void) {
    log_init(LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox__bubblewrap_keeps_a_runner_in),
        cmocka_unit_test(test_sandbox__landlock_keeps_a_runner_in),
        cmocka_unit_test(test_sandbox__describes_its_walls),
        cmocka_unit_test(test_run__memory_hog_is_killed_and_named),
        cmocka_unit_test(test_run__endless_event_line_ends_the_runner),
        cmocka_unit_test(test_run__unknown_event_ends_the_runner),
        cmocka_unit_test(test_run__cancel_reaches_a_polite_runner),
        cmocka_unit_test(test_run__lost_lease_kills_a_deaf_runner),
        cmocka_unit_test(test_run__wall_time_is_enforced),
        cmocka_unit_test(test_run__output_lines_become_log_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
