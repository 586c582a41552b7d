/* Training through the header: it learns, by hand as by automatic differentiation; a resumed job is
 * the uninterrupted one bit for bit; it stops when told to, early, and at numbers that are none. */
#include "tests/shim/shim_case.h"

#include "shim/safetensors.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void assert_same_weights(struct shim_case *a, struct shim_case *b) {
    size_t size_a, size_b;
    int fd_a = case_weights(a), fd_b = case_weights(b);
    void *bytes_a = case_read(fd_a, &size_a), *bytes_b = case_read(fd_b, &size_b);
    assert_int_equal(size_a, size_b);
    assert_memory_equal(bytes_a, bytes_b, size_a);
    free(bytes_a);
    free(bytes_b);
    close(fd_a);
    close(fd_b);
}

static void test_job__learns_by_either_path(void **state) {
    (void)state;
    static const char *const NETS[] = {CASE_MLP, CASE_CNN};
    static const char *const PATHS[] = {"mlp", "autograd"};
    for (int i = 0; i < 2; i++) {
        struct shim_case c;
        case_begin(&c, 300, 90, 0);
        case_job(&c, NETS[i], ",\"epochs\":4,\"batch_size\":32,\"optimizer\":{\"lr\":0.01}");
        tsh_net_facts facts;
        tsh_net_get(c.net, &facts);
        assert_string_equal(PATHS[i], facts.path);
        tsh_progress p = case_train(&c, 0);
        assert_int_equal(40, p.step);
        assert_int_equal(90, p.val.rows);
        assert_true(p.val.accuracy > 0.95);
        case_end(&c);
    }
}

/* With plain SGD at rate 1 one step subtracts the gradient: what the two paths differ by is the
 * difference of their gradients. */
static void assert_gradients_agree(const char *layers, const char *spec) {
    struct shim_case hand, automatic;
    case_begin(&hand, 101, 10, 0);
    case_begin(&automatic, 101, 10, 1);
    case_job(&hand, layers, spec);
    case_job(&automatic, layers, spec);
    int before = case_weights(&hand);
    case_train(&hand, 3);
    case_train(&automatic, 3);
    int fds[] = {before, case_weights(&hand), case_weights(&automatic)};
    struct safetensors files[3];
    char error[SAFETENSORS_ERROR_BYTES];
    for (int i = 0; i < 3; i++)
        assert_true(safetensors_open(fds[i], &files[i], error));
    for (size_t t = 0; t < files[0].count; t++) {
        const float *start = files[0].tensors[t].view.data;
        const float *a = files[1].tensors[t].view.data, *b = files[2].tensors[t].view.data;
        double largest = 0, apart = 0;
        for (size_t k = 0; k < files[0].tensors[t].view.size_bytes / sizeof *a; k++) {
            largest = fmax(largest, fabs((double)b[k] - (double)start[k]));
            apart = fmax(apart, fabs((double)a[k] - (double)b[k]));
        }
        assert_true(largest > 0);
        if (apart > 1e-5 * largest)
            fail_msg("%s: %g of %g", files[0].tensors[t].name, apart, largest);
    }
    for (int i = 0; i < 3; i++) {
        safetensors_done(&files[i]);
        close(fds[i]);
    }
    case_end(&hand);
    case_end(&automatic);
}

static void test_fast_path__agrees_with_automatic_differentiation(void **state) {
    (void)state;
    assert_gradients_agree(CASE_MLP,
                           ",\"batch_size\":32,\"optimizer\":{\"type\":\"sgd\",\"lr\":0.5,"
                           "\"momentum\":0}");
    assert_gradients_agree("{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":9,\"bias\":false},"
                           "{\"type\":\"relu\"},{\"type\":\"linear\",\"out\":7},"
                           "{\"type\":\"linear\",\"out\":3,\"bias\":false}",
                           ",\"batch_size\":64,\"label_smoothing\":0.2,"
                           "\"optimizer\":{\"type\":\"sgd\",\"lr\":0.5,\"momentum\":0}");
    assert_gradients_agree("{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":3}",
                           ",\"batch_size\":100,\"clip_norm\":0.01,"
                           "\"optimizer\":{\"type\":\"sgd\",\"lr\":1,\"momentum\":0}");
}

/* Stops after `steps`, continues in a new net and job, and must end like the one that never
 * stopped. */
static void assert_resumes(const char *layers, const char *spec, int64_t steps) {
    struct shim_case whole, stopped, resumed;
    tsh_error err;
    case_begin(&whole, 150, 60, 0);
    case_begin(&stopped, 150, 60, 0);
    case_begin(&resumed, 150, 60, 0);
    case_job(&whole, layers, spec);
    case_job(&stopped, layers, spec);
    case_job(&resumed, layers, spec);
    tsh_progress a = case_train(&whole, 0);
    assert_int_equal(steps, case_train(&stopped, steps).step);
    int fd = case_checkpoint(&stopped);
    assert_tsh_ok(tsh_job_resume(resumed.job, fd, &err), &err);
    close(fd);
    tsh_progress b = case_train(&resumed, 0);
    assert_int_equal(a.step, b.step);
    assert_int_equal(a.best_epoch, b.best_epoch);
    assert_int_equal(a.early_stopped, b.early_stopped);
    assert_memory_equal(&a.val, &b.val, sizeof a.val);
    assert_same_weights(&whole, &resumed);
    assert_tsh_ok(tsh_job_take_best(whole.job, &err), &err);
    assert_tsh_ok(tsh_job_take_best(resumed.job, &err), &err);
    assert_same_weights(&whole, &resumed);
    case_end(&whole);
    case_end(&stopped);
    case_end(&resumed);
}

static void test_resume__is_bit_identical(void **state) {
    (void)state;
    static const char *const SPECS[] = {
        ",\"epochs\":4,\"batch_size\":32,\"optimizer\":{\"type\":\"sgd\",\"nesterov\":true},"
        "\"schedule\":{\"type\":\"one_cycle\"}",
        ",\"epochs\":4,\"batch_size\":32,\"optimizer\":{\"lr\":0.02},\"clip_norm\":1,"
        "\"schedule\":{\"type\":\"cosine\",\"warmup_fraction\":0.2}",
        ",\"epochs\":9,\"batch_size\":32,\"optimizer\":{\"type\":\"adam\",\"lr\":0.05},"
        "\"early_stopping\":{\"patience\":1}",
    };
    for (size_t i = 0; i < sizeof SPECS / sizeof *SPECS; i++) {
        assert_resumes(CASE_CNN, SPECS[i], 7);
        assert_resumes(CASE_CNN, SPECS[i], 10); /* the end of an epoch */
        assert_resumes(CASE_MLP, SPECS[i], 3);
    }
}

static void test_resume__refuses_another_jobs_checkpoint(void **state) {
    (void)state;
    struct shim_case c;
    tsh_error err;
    case_begin(&c, 100, 0, 0);
    case_job(&c, CASE_MLP, ",\"batch_size\":32");
    case_train(&c, 2);
    int fd = case_checkpoint(&c);
    static const char *const OTHERS[][2] = {
        {CASE_CNN, ",\"batch_size\":32"},
        {CASE_MLP, ",\"batch_size\":33"},
        {CASE_MLP, ",\"batch_size\":32,\"seed\":1"},
        {CASE_MLP, ",\"batch_size\":32,\"optimizer\":{\"type\":\"sgd\"}"},
    };
    for (size_t i = 0; i < sizeof OTHERS / sizeof *OTHERS; i++) {
        case_job(&c, OTHERS[i][0], OTHERS[i][1]);
        assert_int_equal(TSH_EIO, tsh_job_resume(c.job, fd, &err));
    }
    case_job(&c, CASE_MLP, ",\"batch_size\":32");
    size_t size;
    free(case_read(fd, &size));
    assert_int_equal(0, ftruncate(fd, (off_t)size - 1));
    assert_int_equal(TSH_EIO, tsh_job_resume(c.job, fd, &err));
    close(fd);
    case_train(&c, 0); /* and trains on from its own start */
    case_end(&c);
}

static void *cancel_soon(void *arg) {
    usleep(20000);
    tsh_job_cancel(arg);
    return NULL;
}

static void test_cancel__ends_within_a_step(void **state) {
    (void)state;
    struct shim_case c;
    tsh_error err;
    tsh_progress progress = {0};
    tsh_slice slice = {0};
    case_begin(&c, 300, 30, 0);
    case_job(&c, CASE_CNN, ",\"epochs\":100000,\"batch_size\":300");
    pthread_t thread;
    assert_int_equal(0, pthread_create(&thread, NULL, cancel_soon, c.job));
    tsh_code code;
    do
        code = tsh_job_run(c.job, &slice, &progress, &err);
    while (code == TSH_OK);
    pthread_join(thread, NULL);
    assert_int_equal(TSH_ECANCEL, code);
    int64_t step = progress.step;
    assert_int_equal(TSH_ECANCEL, tsh_job_run(c.job, &slice, &progress, &err));
    assert_int_equal(step, progress.step);
    case_end(&c);
}

static void test_nan__stops_the_job(void **state) {
    (void)state;
    static const char *const NETS[] = {CASE_MLP, CASE_CNN};
    for (int i = 0; i < 2; i++) {
        struct shim_case c;
        tsh_error err;
        tsh_progress progress = {0};
        tsh_slice slice = {0};
        case_begin(&c, 100, 0, 0);
        case_job(&c, NETS[i],
                 ",\"epochs\":2000,\"optimizer\":{\"type\":\"sgd\",\"lr\":1000,\"momentum\":0.99}");
        tsh_code code;
        do
            code = tsh_job_run(c.job, &slice, &progress, &err);
        while (code == TSH_OK && !progress.finished);
        assert_int_equal(TSH_ENAN, code);
        assert_non_null(strstr(err.message, "at step"));
        case_end(&c);
    }
}

/* With a rate of 0 nothing improves after the first epoch. */
static void test_early_stopping__counts_epochs_without_improvement(void **state) {
    (void)state;
    struct shim_case c;
    case_begin(&c, 60, 30, 0);
    case_job(&c, CASE_MLP,
             ",\"epochs\":50,\"optimizer\":{\"type\":\"sgd\",\"lr\":0},"
             "\"early_stopping\":{\"metric\":\"val/accuracy\",\"patience\":2}");
    tsh_progress p = case_train(&c, 0);
    assert_int_equal(1, p.early_stopped);
    assert_int_equal(3, p.epoch);
    assert_int_equal(1, p.best_epoch);
    case_end(&c);
}

static void test_early_stopping__needs_a_validation_split(void **state) {
    (void)state;
    struct shim_case c;
    tsh_error err;
    tsh_job *job = NULL;
    case_begin(&c, 60, 0, 0);
    case_job(&c, CASE_MLP, "");
    assert_int_equal(TSH_ESPEC, tsh_job_new(c.net, c.train, NULL,
                                            "{\"model\":{},\"early_stopping\":{}}", &job, &err));
    assert_string_equal("early_stopping", err.field);
    assert_null(job);
    case_end(&c);
}

/* 65 rows in batches of 32: the last one alone has no variance. */
static void test_job__leaves_a_lone_last_sample_out(void **state) {
    (void)state;
    struct shim_case c;
    case_begin(&c, 65, 0, 0);
    case_job(&c, CASE_CNN, ",\"epochs\":2,\"batch_size\":32");
    tsh_progress p = case_train(&c, 0);
    assert_int_equal(4, p.step);
    assert_int_equal(2, p.best_epoch); /* without validation the last epoch is the best known */
    case_end(&c);
}

static void test_predict__gives_probabilities_as_evaluated(void **state) {
    (void)state;
    struct shim_case c;
    tsh_error err;
    case_begin(&c, 150, 60, 0);
    case_job(&c, CASE_CNN, ",\"epochs\":3,\"batch_size\":32");
    case_train(&c, 0);
    tsh_metrics m;
    int64_t confusion[9];
    assert_tsh_ok(tsh_evaluate(c.net, c.val, &m, confusion, &err), &err);
    int64_t total = 0, right = confusion[0] + confusion[4] + confusion[8];
    for (int i = 0; i < 9; i++)
        total += confusion[i];
    assert_int_equal(60, total);
    assert_true(fabs(m.accuracy - (double)right / 60) < 1e-12);

    float x[60 * CASE_PIXELS], y[60 * CASE_CLASSES];
    for (int i = 0; i < 60 * CASE_PIXELS; i++)
        x[i] = (float)c.pixels[150 * CASE_PIXELS + i] / 64 - 1;
    tsh_view view = {TSH_F32, 4, {60, 1, CASE_SIDE, CASE_SIDE}, x, sizeof x};
    assert_tsh_ok(tsh_predict(c.net, &view, y, 60 * CASE_CLASSES, &err), &err);
    int64_t same = 0;
    for (int i = 0; i < 60; i++) {
        float *row = y + (ptrdiff_t)i * CASE_CLASSES;
        assert_true(fabsf(row[0] + row[1] + row[2] - 1) < 1e-5F);
        int best = row[1] > row[0] ? 1 : 0;
        best = row[2] > row[best] ? 2 : best;
        same += best == c.labels[150 + i];
    }
    assert_int_equal(right, same);
    case_end(&c);
}

static void test_predict__refuses_other_shapes(void **state) {
    (void)state;
    struct shim_case c;
    tsh_error err;
    case_begin(&c, 10, 0, 0);
    case_job(&c, CASE_MLP, "");
    float x[CASE_PIXELS] = {0}, y[CASE_CLASSES];
    tsh_view view = {TSH_F32, 4, {1, 1, CASE_SIDE, CASE_SIDE}, x, sizeof x};
    assert_int_equal(TSH_EARG, tsh_predict(c.net, &view, y, 2, &err));
    view.shape[3] = CASE_SIDE - 1;
    assert_int_equal(TSH_ESHAPE, tsh_predict(c.net, &view, y, CASE_CLASSES, &err));
    view.shape[3] = CASE_SIDE;
    view.size_bytes -= 4;
    assert_int_equal(TSH_ESHAPE, tsh_predict(c.net, &view, y, CASE_CLASSES, &err));
    case_end(&c);
}

static void test_data__refuses_classes_and_rows_outside(void **state) {
    (void)state;
    struct shim_case c;
    tsh_error err;
    tsh_metrics m;
    case_begin(&c, 30, 10, 0);
    case_job(&c, CASE_MLP, "");
    int32_t labels[] = {0, 3};
    int64_t rows[] = {0, 2};
    tsh_data_options options = {.x = {TSH_U8, 4, {2, 1, 8, 8}, c.pixels, 2 * CASE_PIXELS},
                                .y = {TSH_I32, 1, {2}, labels, sizeof labels}};
    tsh_data *data = NULL;
    assert_tsh_ok(tsh_data_new(c.ctx, &options, &data, &err), &err);
    assert_int_equal(TSH_EARG, tsh_evaluate(c.net, data, &m, NULL, &err));
    tsh_data_free(data);
    options.rows = rows;
    options.n_rows = 2;
    assert_int_equal(TSH_EARG, tsh_data_new(c.ctx, &options, &data, &err));
    options.rows = NULL;
    options.x.size_bytes--;
    assert_int_equal(TSH_EARG, tsh_data_new(c.ctx, &options, &data, &err));
    case_end(&c);
}

/* Each layer really gives the shape that the spec's check says: a linear of that size follows. */
static void test_layers__all_train_and_predict(void **state) {
    (void)state;
    static const char *const LAYERS[] = {
        "{\"type\":\"conv2d\",\"out\":2,\"kernel\":3,\"stride\":2,\"padding\":1,\"bias\":false}",
        "{\"type\":\"maxpool2d\",\"kernel\":2}",
        "{\"type\":\"maxpool2d\",\"kernel\":3}",
        "{\"type\":\"maxpool2d\",\"kernel\":3,\"stride\":2,\"padding\":1}",
        "{\"type\":\"avgpool2d\",\"kernel\":3,\"stride\":1}",
        "{\"type\":\"conv2d\",\"out\":2,\"kernel\":1},{\"type\":\"global_avgpool2d\"}",
        "{\"type\":\"batchnorm\"}",
        "{\"type\":\"layernorm\"}",
        "{\"type\":\"gelu\"}",
        "{\"type\":\"silu\"}",
        "{\"type\":\"tanh\"}",
        "{\"type\":\"sigmoid\"}",
        "{\"type\":\"relu\"}",
        "{\"type\":\"flatten\"},{\"type\":\"batchnorm\"},{\"type\":\"layernorm\"}",
        "{\"type\":\"residual\",\"layers\":[{\"type\":\"dropout\"}]}",
    };
    struct shim_case c;
    case_begin(&c, 64, 10, 0);
    for (size_t i = 0; i < sizeof LAYERS / sizeof *LAYERS; i++) {
        char layers[512];
        snprintf(layers, sizeof layers, "%s,{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":3}",
                 LAYERS[i]);
        case_job(&c, layers, ",\"epochs\":2,\"batch_size\":32,\"optimizer\":{\"lr\":0.01}");
        tsh_progress p = case_train(&c, 0);
        assert_int_equal(10, p.val.rows);
        assert_true(isfinite(p.val.loss));
    }
    case_end(&c);
}

static void test_mse__learns_a_line(void **state) {
    (void)state;
    enum { N = 200 };
    float x[N][2], y[N];
    for (int i = 0; i < N; i++) {
        x[i][0] = (float)(i % 20) / 10 - 1;
        x[i][1] = (float)(i % 7) / 3 - 1;
        y[i] = 2 * x[i][0] - x[i][1] + 0.5F;
    }
    tsh_ctx *ctx = NULL;
    tsh_net *net = NULL;
    tsh_data *data = NULL;
    tsh_job *job = NULL;
    tsh_error err;
    tsh_ctx_options options = {.device = "cpu"};
    tsh_data_options d = {.x = {TSH_F32, 2, {N, 2}, x, sizeof x},
                          .y = {TSH_F32, 1, {N}, y, sizeof y}};
    assert_tsh_ok(tsh_ctx_new(&options, &ctx, &err), &err);
    assert_tsh_ok(tsh_data_new(ctx, &d, &data, &err), &err);
    assert_tsh_ok(tsh_net_new(ctx,
                              "{\"input\":[2],\"loss\":\"mse\",\"layers\":[{\"type\":\"linear\","
                              "\"out\":1}]}",
                              0, &net, &err),
                  &err);
    assert_tsh_ok(tsh_job_new(net, data, NULL,
                              "{\"model\":{\"loss\":\"mse\"},\"epochs\":60,\"batch_size\":20,"
                              "\"optimizer\":{\"type\":\"sgd\",\"lr\":0.05}}",
                              &job, &err),
                  &err);
    tsh_progress p = {0};
    tsh_slice slice = {0};
    while (!p.finished)
        assert_tsh_ok(tsh_job_run(job, &slice, &p, &err), &err);
    tsh_metrics m;
    assert_tsh_ok(tsh_evaluate(net, data, &m, NULL, &err), &err);
    assert_true(m.rmse < 1e-3);
    assert_true(m.mae <= m.rmse);
    tsh_job_free(job);
    tsh_net_free(net);
    tsh_data_free(data);
    tsh_ctx_free(ctx);
}

static void test_ctx__refuses_a_device_that_is_not_there(void **state) {
    (void)state;
    tsh_ctx *ctx = NULL;
    tsh_error err;
    tsh_device device;
    tsh_ctx_options options = {.threads = 2};
    assert_tsh_ok(tsh_ctx_new(&options, &ctx, &err), &err);
    tsh_device_get(ctx, &device);
    assert_int_equal(2, device.threads);
    assert_string_equal(device.cuda_devices > 0 ? "cuda" : "cpu", device.device);
    tsh_ctx_free(ctx);
    options.device = "tpu";
    assert_int_equal(TSH_EARG, tsh_ctx_new(&options, &ctx, &err));
    options.device = "cuda";
    if (device.cuda_devices == 0)
        assert_int_equal(TSH_EUNSUP, tsh_ctx_new(&options, &ctx, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job__learns_by_either_path),
        cmocka_unit_test(test_fast_path__agrees_with_automatic_differentiation),
        cmocka_unit_test(test_resume__is_bit_identical),
        cmocka_unit_test(test_resume__refuses_another_jobs_checkpoint),
        cmocka_unit_test(test_cancel__ends_within_a_step),
        cmocka_unit_test(test_nan__stops_the_job),
        cmocka_unit_test(test_early_stopping__counts_epochs_without_improvement),
        cmocka_unit_test(test_early_stopping__needs_a_validation_split),
        cmocka_unit_test(test_job__leaves_a_lone_last_sample_out),
        cmocka_unit_test(test_predict__gives_probabilities_as_evaluated),
        cmocka_unit_test(test_predict__refuses_other_shapes),
        cmocka_unit_test(test_data__refuses_classes_and_rows_outside),
        cmocka_unit_test(test_layers__all_train_and_predict),
        cmocka_unit_test(test_mse__learns_a_line),
        cmocka_unit_test(test_ctx__refuses_a_device_that_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
