#include "tests/shim/runner_case.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SIDE = 8, AREA = SIDE * SIDE, EVENT_BYTES_MAX = 65536 };

static void path_in(const struct runner_case *r, const char *name, char ret[160]) {
    snprintf(ret, 160, "%s/%s", r->dir, name);
}

void runner_begin(struct runner_case *r) {
    *r = (struct runner_case){.dir = "/tmp/slipway-shim-XXXXXX", .pid = -1};
    assert_non_null(mkdtemp(r->dir));
    path_in(r, "events", r->events_path);
    char path[160];
    path_in(r, "inputs", path);
    assert_int_equal(0, mkdir(path, 0755));
}

void runner_end(struct runner_case *r) {
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        runner_wait(r);
    }
    char command[160];
    snprintf(command, sizeof command, "rm -r '%s'", r->dir);
    assert_int_equal(0, system(command));
}

static void write_tensors(const struct runner_case *r, struct safetensor *tensors, size_t count) {
    char path[160];
    path_in(r, "inputs/0", path);
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    assert_true(fd >= 0 && safetensors_write(fd, tensors, count, NULL));
    close(fd);
}

static void write_manifest(const struct runner_case *r, json_t *manifest) {
    char path[160];
    path_in(r, "inputs/1", path);
    assert_non_null(manifest);
    assert_int_equal(0, json_dump_file(manifest, path, 0));
    json_decref(manifest);
}

static uint8_t split_of(int row) {
    return row % 8 == 0 ? 1 : row % 8 == 1 ? 2 : 0;
}

static uint32_t noise(uint32_t *state) {
    *state = *state * 1664525U + 1013904223U;
    return *state >> 24;
}

void runner_add_pictures(struct runner_case *r, int rows, int channels) {
    size_t n = (size_t)rows, sample = (size_t)channels * AREA;
    uint8_t *x = calloc(n, sample), *split = calloc(n, 1);
    int32_t *y = calloc(n, sizeof *y);
    uint32_t state = 1;
    for (size_t i = 0; i < n; i++) {
        y[i] = (int32_t)(i / 8 % 3);
        split[i] = split_of((int)i);
        for (size_t p = 0; p < sample; p++)
            x[i * sample + p] =
                (uint8_t)((p % AREA / SIDE / 3 == (size_t)y[i] ? 120 : 0) + noise(&state) / 2);
    }
    struct safetensor tensors[] = {
        {"x", {TSH_U8, 4, {rows, channels, SIDE, SIDE}, x, n * sample}},
        {"y", {TSH_I32, 1, {rows}, y, n * sizeof *y}},
        {"split", {TSH_U8, 1, {rows}, split, n}},
    };
    write_tensors(r, tensors, 3);
    write_manifest(r, json_pack("{s:i, s:s, s:i, s:[i,i,i], s:[s,s,s]}", "format", 1, "kind",
                                "image", "rows", rows, "shape", channels, SIDE, SIDE, "classes",
                                "top", "mid\"dle", "下"));
    free(x);
    free(y);
    free(split);
}

static const char TABLE_MANIFEST[] =
    "{\"format\":1,\"kind\":\"table\",\"target\":\"label\",\"columns\":["
    "{\"name\":\"x1\",\"type\":\"numeric\",\"tensor\":\"c0\",\"levels\":null},"
    "{\"name\":\"x2\",\"type\":\"numeric\",\"tensor\":\"c1\",\"levels\":null},"
    "{\"name\":\"flag\",\"type\":\"boolean\",\"tensor\":\"c2\",\"levels\":null},"
    "{\"name\":\"kind\",\"type\":\"categorical\",\"tensor\":\"c3\",\"levels\":[\"a\",\"b\",\"c\"]},"
    "{\"name\":\"note\",\"type\":\"text\",\"tensor\":null,\"levels\":null},"
    "{\"name\":\"value\",\"type\":\"numeric\",\"tensor\":\"c5\",\"levels\":null},"
    "{\"name\":\"label\",\"type\":\"categorical\",\"tensor\":\"c6\",\"levels\":[\"no\",\"yes\"]}]}";

void runner_add_table(struct runner_case *r, int rows) {
    size_t n = (size_t)rows;
    float *f = calloc(4 * n, sizeof *f);
    int32_t *c = calloc(2 * n, sizeof *c);
    uint8_t *split = calloc(n, 1);
    float *x1 = f, *x2 = f + n, *flag = f + 2 * n, *value = f + 3 * n;
    int32_t *kind = c, *label = c + n;
    uint32_t state = 7;
    for (size_t i = 0; i < n; i++) {
        x1[i] = (float)noise(&state) / 16;
        x2[i] = i % 10 == 3 ? NAN : 1000 + (float)noise(&state);
        flag[i] = (float)(i % 2);
        kind[i] = (int32_t)(i % 3);
        value[i] = 5000 + 100 * x1[i] + 50 * (float)kind[i];
        label[i] = x1[i] + 4 * flag[i] > 10;
        split[i] = split_of((int)i);
    }
    value[0] = NAN; /* a row without a target */
    size_t bytes = n * sizeof(float);
    struct safetensor tensors[] = {
        {"c0", {TSH_F32, 1, {rows}, x1, bytes}},    {"c1", {TSH_F32, 1, {rows}, x2, bytes}},
        {"c2", {TSH_F32, 1, {rows}, flag, bytes}},  {"c3", {TSH_I32, 1, {rows}, kind, bytes}},
        {"c5", {TSH_F32, 1, {rows}, value, bytes}}, {"c6", {TSH_I32, 1, {rows}, label, bytes}},
        {"split", {TSH_U8, 1, {rows}, split, n}},
    };
    write_tensors(r, tensors, 7);
    json_t *manifest = json_loads(TABLE_MANIFEST, 0, NULL);
    json_object_set_new(manifest, "rows", json_integer(rows));
    write_manifest(r, manifest);
    free(f);
    free(c);
    free(split);
}

static json_t *input_json(const char *name, const char *path) {
    return json_pack("{s:s, s:s, s:s, s:i}", "name", name, "path", path, "file_name", name,
                     "size_bytes", 1);
}

void runner_job(struct runner_case *r, const char *kind, const char *spec,
                const char *extra_input) {
    bool train = strcmp(kind, "train") == 0;
    json_t *spec_json = json_loads(spec, 0, NULL);
    assert_non_null(spec_json);
    json_t *job = json_pack("{s:s, s:s, s:i, s:o, s:[o, o], s:{s:i, s:i}}", "id", "test", "kind",
                            kind, "attempt", 1, "spec", spec_json, "inputs",
                            input_json(train ? "data.safetensors" : "model.json",
                                       train ? "inputs/0" : "outputs/model.json"),
                            input_json(train ? "manifest.json" : "model.safetensors",
                                       train ? "inputs/1" : "outputs/model.safetensors"),
                            "limits", "threads", 1, "memory_bytes", 0);
    if (extra_input)
        json_array_append_new(json_object_get(job, "inputs"),
                              input_json("checkpoint/last", extra_input));
    char path[160];
    path_in(r, "job.json", path);
    assert_int_equal(0, json_dump_file(job, path, 0));
    json_decref(job);
}

void runner_start(struct runner_case *r, const char *program, char *const *arguments) {
    char *argv[8] = {(char *)program, r->dir};
    for (int i = 0; arguments && arguments[i] && i < 5; i++)
        argv[i + 2] = arguments[i];
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, r->events_path, O_CREAT | O_TRUNC | O_WRONLY,
                                     0644);
    assert_int_equal(0, posix_spawn(&r->pid, program, &actions, NULL, argv, environ));
    posix_spawn_file_actions_destroy(&actions);
}

void runner_wait(struct runner_case *r) {
    int status;
    while (waitpid(r->pid, &status, 0) < 0)
        assert_int_equal(EINTR, errno);
    r->pid = -1;
    r->status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void runner_run(struct runner_case *r, const char *program) {
    runner_start(r, program, NULL);
    runner_wait(r);
}

json_t *runner_json(const struct runner_case *r, const char *name) {
    char path[160];
    path_in(r, name, path);
    json_error_t error;
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        fail_msg("%s: %s", name, error.text);
    return json;
}

json_t *runner_events(const struct runner_case *r) {
    FILE *file = fopen(r->events_path, "r");
    assert_non_null(file);
    json_t *events = json_array();
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    while ((size = getline(&line, &room, file)) > 0) {
        assert_true(size <= EVENT_BYTES_MAX);
        json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (!event || !json_is_string(json_object_get(event, "type")))
            fail_msg("no event: %s", line);
        json_array_append_new(events, event);
    }
    free(line);
    fclose(file);
    return events;
}

const json_t *event_find(const json_t *events, const char *member, const char *value) {
    for (size_t i = json_array_size(events); i-- > 0;) {
        const json_t *event = json_array_get(events, i);
        const char *text = json_string_value(json_object_get(event, member));
        if (text && strcmp(text, value) == 0)
            return event;
    }
    return NULL;
}

static bool file_holds(const char *path, const char *words) {
    char text[65536];
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strstr(text, words) != NULL;
}

void runner_await(const struct runner_case *r, const char *words) {
    for (int i = 0; i < 3000; i++) {
        if (file_holds(r->events_path, words))
            return;
        usleep(10000);
    }
    fail_msg("\"%s\" did not come", words);
}

static void put_u32(uint8_t *to, size_t value) {
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void *read_part(int fd, size_t *ret_size) {
    uint8_t b[4];
    assert_int_equal(4, read(fd, b, 4));
    size_t size = (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
    char *bytes = calloc(size + 1, 1);
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, bytes + done, size - done);
        assert_true(n > 0);
        done += (size_t)n;
    }
    *ret_size = size;
    return bytes;
}

json_t *predict_exchange(int fd, const char *header, const void *body, size_t size, char **ret_body,
                         size_t *ret_size) {
    uint8_t length[4];
    put_u32(length, strlen(header));
    assert_true(safetensors_write_bytes(fd, length, 4));
    assert_true(safetensors_write_bytes(fd, header, strlen(header)));
    put_u32(length, size);
    assert_true(safetensors_write_bytes(fd, length, 4));
    assert_true(safetensors_write_bytes(fd, body, size));
    size_t header_size;
    char *text = read_part(fd, &header_size);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    free(text);
    *ret_body = read_part(fd, ret_size);
    return json;
}
