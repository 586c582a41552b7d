#include "tests/shim/shim_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void fill(struct shim_case *c) {
    uint32_t state = 12345;
    for (int64_t i = 0; i < c->rows; i++) {
        int label = (int)(i % CASE_CLASSES);
        c->labels[i] = label;
        for (int p = 0; p < CASE_PIXELS; p++) {
            state = state * 1664525U + 1013904223U;
            bool bright = p / CASE_SIDE / 3 == label;
            c->pixels[i * CASE_PIXELS + p] = (uint8_t)((bright ? 120 : 0) + (state >> 24) / 2);
        }
    }
}

static tsh_data *data_of(struct shim_case *c, int64_t first, int64_t n) {
    static const float SCALE = 1 / 64.0F, SHIFT = -1;
    int64_t *rows = calloc((size_t)n + 1, sizeof *rows);
    assert_non_null(rows);
    for (int64_t i = 0; i < n; i++)
        rows[i] = first + i;
    tsh_data_options options = {
        .x = {TSH_U8,
              4,
              {c->rows, 1, CASE_SIDE, CASE_SIDE},
              c->pixels,
              (size_t)(c->rows * CASE_PIXELS)},
        .y = {TSH_I32, 1, {c->rows}, c->labels, (size_t)c->rows * sizeof *c->labels},
        .rows = rows,
        .n_rows = (size_t)n,
        .scale = &SCALE,
        .shift = &SHIFT};
    tsh_data *data = NULL;
    tsh_error err;
    assert_tsh_ok(tsh_data_new(c->ctx, &options, &data, &err), &err);
    free(rows);
    return data;
}

void case_begin(struct shim_case *c, int64_t train_rows, int64_t val_rows, int no_fast_path) {
    *c = (struct shim_case){.rows = train_rows + val_rows};
    c->pixels = calloc((size_t)c->rows, CASE_PIXELS);
    c->labels = calloc((size_t)c->rows, sizeof *c->labels);
    assert_non_null(c->pixels);
    assert_non_null(c->labels);
    fill(c);
    tsh_ctx_options options = {.device = "cpu", .threads = 1, .no_fast_path = no_fast_path};
    tsh_error err;
    assert_tsh_ok(tsh_ctx_new(&options, &c->ctx, &err), &err);
    c->train = data_of(c, 0, train_rows);
    c->val = data_of(c, train_rows, val_rows);
}

static void job_end(struct shim_case *c) {
    tsh_job_free(c->job);
    tsh_net_free(c->net);
    c->job = NULL;
    c->net = NULL;
}

void case_end(struct shim_case *c) {
    job_end(c);
    tsh_data_free(c->train);
    tsh_data_free(c->val);
    tsh_ctx_free(c->ctx);
    free(c->pixels);
    free(c->labels);
}

void case_job(struct shim_case *c, const char *layers, const char *spec) {
    char model[2048], text[4096];
    tsh_error err;
    job_end(c);
    snprintf(model, sizeof model,
             "{\"input\":[1,%d,%d],\"layers\":[%s],\"loss\":\"cross_entropy\"}", CASE_SIDE,
             CASE_SIDE, layers);
    snprintf(text, sizeof text, "{\"model\":{}%s}", spec);
    assert_tsh_ok(tsh_net_new(c->ctx, model, 5, &c->net, &err), &err);
    assert_tsh_ok(tsh_job_new(c->net, c->train, c->val, text, &c->job, &err), &err);
}

tsh_progress case_train(struct shim_case *c, int64_t steps) {
    tsh_progress progress = {0};
    tsh_error err;
    int64_t until = -1;
    do {
        tsh_slice slice = {.steps = until < 0 ? steps : until - progress.step};
        assert_tsh_ok(tsh_job_run(c->job, &slice, &progress, &err), &err);
        if (until < 0) /* the first slice may have ended early, with its epoch */
            until = steps > 0 ? steps : INT64_MAX;
    } while (!progress.finished && progress.step < until);
    return progress;
}

static int new_file(void) {
    int fd = memfd_create("shim_case", MFD_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

int case_weights(struct shim_case *c) {
    tsh_error err;
    int fd = new_file();
    assert_tsh_ok(tsh_net_save(c->net, fd, &err), &err);
    return fd;
}

int case_checkpoint(struct shim_case *c) {
    tsh_error err;
    int fd = new_file();
    assert_tsh_ok(tsh_job_checkpoint(c->job, fd, &err), &err);
    return fd;
}

void *case_read(int fd, size_t *ret_size) {
    struct stat st;
    assert_int_equal(0, fstat(fd, &st));
    void *bytes = malloc((size_t)st.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(st.st_size, pread(fd, bytes, (size_t)st.st_size, 0));
    *ret_size = (size_t)st.st_size;
    return bytes;
}
