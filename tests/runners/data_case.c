/* data_case.c: see data_case.h. */
#include "tests/runners/data_case.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void path_of(const struct data_case *c, const char *name, char path[PATH_MAX]) {
    snprintf(path, PATH_MAX, "%s/%s", c->dir, name);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void fresh(struct data_case *c) {
    char path[PATH_MAX];
    snprintf(c->dir, sizeof c->dir, "/tmp/slipway-data-XXXXXX");
    assert_non_null(mkdtemp(c->dir));
    path_of(c, "inputs", path);
    assert_int_equal(0, mkdir(path, 0700));
    c->spec = json_object();
    c->inputs = json_array();
    c->status = -1;
}

static void clear(struct data_case *c) {
    json_decref(c->spec);
    json_decref(c->inputs);
    json_decref(c->result);
    json_decref(c->manifest);
    json_decref(c->refusal);
    json_decref(c->events);
    safetensors_done(&c->tensors);
    nftw(c->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    *c = (struct data_case){0};
}

int case_begin(void **state) {
    struct data_case *c = calloc(1, sizeof *c);
    assert_non_null(c);
    fresh(c);
    *state = c;
    return 0;
}

int case_end(void **state) {
    clear(*state);
    free(*state);
    return 0;
}

void case_again(struct data_case *c) {
    clear(c);
    fresh(c);
}

void case_spec(struct data_case *c, const char *text) {
    json_decref(c->spec);
    c->spec = json_loads(text, 0, NULL);
    assert_non_null(c->spec);
}

void case_add(struct data_case *c, const char *file_name, const void *bytes, size_t size) {
    char name[32], path[PATH_MAX], relative[32];
    snprintf(name, sizeof name, "source-%zu", json_array_size(c->inputs));
    snprintf(relative, sizeof relative, "inputs/%zu", json_array_size(c->inputs));
    path_of(c, relative, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(size, size == 0 ? 0 : fwrite(bytes, 1, size, file));
    fclose(file);
    json_array_append_new(c->inputs, json_pack("{s:s, s:s, s:s, s:I, s:s}", "name", name, "path",
                                               relative, "file_name", file_name, "size_bytes",
                                               (json_int_t)size, "sha256", ""));
}

void case_add_text(struct data_case *c, const char *file_name, const char *text) {
    case_add(c, file_name, text, strlen(text));
}

void case_add_file(struct data_case *c, const char *path) {
    char name[PATH_MAX];
    snprintf(name, sizeof name, "%s", path);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct stat st;
    assert_int_equal(0, fstat(fileno(file), &st));
    char *bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(st.st_size, fread(bytes, 1, (size_t)st.st_size, file));
    fclose(file);
    case_add(c, basename(name), bytes, (size_t)st.st_size);
    free(bytes);
}

static void write_job(struct data_case *c) {
    char path[PATH_MAX];
    path_of(c, "job.json", path);
    json_t *job =
        json_pack("{s:s, s:s, s:i, s:O, s:O, s:{s:I, s:i, s:i}}", "id", "test", "kind",
                  "dataset.import", "attempt", 1, "spec", c->spec, "inputs", c->inputs, "limits",
                  "memory_bytes", (json_int_t)512 << 20, "threads", 2, "wall_seconds", 60);
    assert_non_null(job);
    assert_int_equal(0, json_dump_file(job, path, 0));
    json_decref(job);
}

/* The events go to a file in the job directory, as they would to the worker's pipe. */
void case_start(struct data_case *c) {
    char path[PATH_MAX];
    write_job(c);
    path_of(c, "events", path);
    c->pid = fork();
    assert_true(c->pid >= 0);
    if (c->pid > 0)
        return;
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    setenv("SLIPWAY_EVENTS_FD", number, 1);
    execl(SLIPWAY_RUN_DATA, "slipway-run-data", c->dir, (char *)NULL);
    _exit(127);
}

static json_t *load(const struct data_case *c, const char *name) {
    char path[PATH_MAX];
    path_of(c, name, path);
    return json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}

static void load_events(struct data_case *c) {
    char path[PATH_MAX], *line = NULL;
    size_t room = 0;
    path_of(c, "events", path);
    c->events = json_array();
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (getline(&line, &room, file) > 0) {
        json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(event);
        json_array_append_new(c->events, event);
    }
    free(line);
    fclose(file);
}

void case_wait(struct data_case *c) {
    int status;
    assert_int_equal(c->pid, waitpid(c->pid, &status, 0));
    c->status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    c->result = load(c, "outputs/result.json");
    c->manifest = load(c, "outputs/manifest.json");
    c->refusal = load(c, "outputs/error.json");
    load_events(c);
}

void case_run(struct data_case *c) {
    case_start(c);
    case_wait(c);
}

static void open_tensors(struct data_case *c) {
    char path[PATH_MAX], error[SAFETENSORS_ERROR_BYTES];
    path_of(c, "outputs/data.safetensors", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    if (!safetensors_open(fd, &c->tensors, error))
        fail_msg("data.safetensors: %s", error);
    close(fd);
}

static void assert_outputs_exist(struct data_case *c) {
    const json_t *outputs = json_object_get(c->result, "outputs");
    size_t i;
    json_t *output;
    assert_true(json_array_size(outputs) >= 2);
    json_array_foreach(outputs, i, output) {
        char path[PATH_MAX];
        path_of(c, case_text(output, "path"), path);
        assert_int_equal(0, access(path, R_OK));
    }
}

static void assert_nothing_else(const struct data_case *c) {
    char path[PATH_MAX];
    path_of(c, "outputs/spill", path);
    assert_int_not_equal(0, access(path, F_OK));
    path_of(c, "outputs/data.safetensors.part", path);
    assert_int_not_equal(0, access(path, F_OK));
}

void case_assert_imported(struct data_case *c) {
    if (c->refusal)
        fail_msg("refused: %s (%s)", case_text(c->refusal, "message"),
                 json_string_value(json_object_get(c->refusal, "place")));
    assert_int_equal(0, c->status);
    assert_non_null(c->result);
    assert_non_null(c->manifest);
    assert_outputs_exist(c);
    assert_nothing_else(c);
    open_tensors(c);
    const json_t *last = json_array_get(c->events, json_array_size(c->events) - 1);
    assert_string_equal("progress", case_text(last, "type"));
    assert_true(json_number_value(json_object_get(last, "fraction")) >= 1);
}

static int count_left(const struct data_case *c) {
    char path[PATH_MAX];
    int count = 0;
    path_of(c, "outputs", path);
    const char *const known[] = {"data.safetensors",   "data.safetensors.part", "samples.png",
                                 "samples.png.part",   "manifest.json",         "result.json",
                                 "manifest.json.part", "result.json.part",      "error.json.part"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char file[PATH_MAX + 32];
        snprintf(file, sizeof file, "%s/%s", path, known[i]);
        count += access(file, F_OK) == 0;
    }
    return count;
}

void case_assert_refused(struct data_case *c, const char *code, const char *place,
                         const char *words) {
    if (c->status != 2 || !c->refusal)
        fail_msg("exit %d instead of a refusal that says \"%s\"", c->status, words);
    assert_string_equal(code, case_text(c->refusal, "code"));
    if (!strstr(case_text(c->refusal, "message"), words))
        fail_msg("\"%s\" does not say \"%s\"", case_text(c->refusal, "message"), words);
    if (place) {
        const char *said = json_string_value(json_object_get(c->refusal, "place"));
        assert_string_equal(place, said ? said : "nowhere");
    }
    assert_int_equal(0, count_left(c));
    assert_nothing_else(c);
}

const void *case_tensor(struct data_case *c, const char *name, tsh_dtype dtype, size_t count) {
    const struct safetensor *tensor = safetensors_find(&c->tensors, name);
    if (!tensor)
        fail_msg("there is no tensor %s", name);
    assert_int_equal(dtype, tensor->view.dtype);
    assert_int_equal(count * safetensors_element_bytes(dtype), tensor->view.size_bytes);
    return tensor->view.data;
}

json_int_t case_int(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

const char *case_text(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return text;
}

static const json_t *named(const json_t *list, const char *name) {
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) if (strcmp(case_text(item, "name"), name) == 0) return item;
    return NULL;
}

const json_t *case_column(const struct data_case *c, const char *name) {
    const json_t *column = named(json_object_get(c->result, "columns"), name);
    if (!column)
        fail_msg("there is no column %s", name);
    return column;
}

json_int_t case_class(const struct data_case *c, const char *name) {
    const json_t *class = named(json_object_get(c->result, "classes"), name);
    return class ? case_int(class, "count") : -1;
}
