/* train_job.c: see train_job.h. The shim trains in slices of a quarter of a second; between two,
 * this file reports, and every checkpoint_seconds leaves a file that a retry continues from.
 *
 * Checkpoints are numbered by step and never rewritten, because the worker uploads them while
 * training goes on. Only the newest few are kept: the worker needs one, and a long job would fill
 * the disk. */
#include "runners/train_job.h"

#include "runners/event.h"
#include "runners/torch_runtime.h"

#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { CHECKPOINTS_KEPT = 4 };

static const double REPORT_SECONDS = 0.25; /* at most four metrics events a second */

/* Where SIGTERM finds the job to cancel. */
static tsh_job *volatile running;

static void cancel_running(void) {
    if (running)
        tsh_job_cancel(running);
}

void train_job_done(struct train_job *tj) {
    running = NULL;
    tsh_job_free(tj->job);
    for (int i = 0; i < SPLIT_COUNT; i++)
        tsh_data_free(tj->splits[i]);
    tsh_net_free(tj->net);
    tsh_ctx_free(tj->ctx);
    model_done(&tj->model);
    train_data_done(&tj->data);
    *tj = (struct train_job){0};
}

static enum run open_net(struct runner *rn, struct train_job *tj) {
    static const char *const DEVICES[] = {"auto", "cpu", "cuda"};
    tsh_error err;
    tsh_ctx_options options = {.device = DEVICES[tj->spec.device], .threads = rn->threads};
    if (!model_read(json_object_get(rn->spec, "model"), &tj->data.io, &tj->model, &err) ||
        tsh_ctx_new(&options, &tj->ctx, &err) != TSH_OK)
        return torch_failure(rn, &err);
    auto_json *json = model_to_json(&tj->model);
    auto_free char *text = json_dumps(json, JSON_COMPACT);
    if (tsh_net_new(tj->ctx, text, (uint64_t)tj->spec.seed, &tj->net, &err) != TSH_OK)
        return torch_failure(rn, &err);
    return RUN_DONE;
}

static enum run open_splits(struct runner *rn, struct train_job *tj) {
    const struct train_data *d = &tj->data;
    for (int i = 0; i < SPLIT_COUNT; i++) {
        tsh_error err;
        tsh_data_options options = {.x = d->x,
                                    .y = d->y,
                                    .rows = d->rows[i],
                                    .n_rows = d->n_rows[i],
                                    .scale = d->features.scale,
                                    .shift = d->features.shift};
        if (d->n_rows[i] > 0 && tsh_data_new(tj->ctx, &options, &tj->splits[i], &err) != TSH_OK)
            return torch_failure(rn, &err);
    }
    return RUN_DONE;
}

/* min_delta of rmse and mae is in the target's unit; the shim sees standardised values. */
static json_t *spec_for_shim(const struct runner *rn, const struct train_job *tj) {
    json_t *spec = json_deep_copy(rn->spec);
    json_t *stop = json_object_get(spec, "early_stopping");
    enum stop_metric metric = tj->spec.early_stopping.metric;
    if (metric == STOP_VAL_RMSE || metric == STOP_VAL_MAE)
        json_object_set_new(
            stop, "min_delta",
            json_real(tj->spec.early_stopping.min_delta / tj->data.features.target_stddev));
    return spec;
}

/* A checkpoint that cannot be used costs the time it stood for, not the job. */
static void resume(const struct runner *rn, struct train_job *tj) {
    const struct runner_input *in = runner_input_find(rn, "checkpoint/last");
    if (!in)
        return;
    auto_fd int fd = open(in->path, O_RDONLY | O_CLOEXEC);
    tsh_error err = {.message = "it could not be opened"};
    if (fd < 0 || tsh_job_resume(tj->job, fd, &err) != TSH_OK)
        event_log(EVENT_WARNING, "starting over, the checkpoint was not used: %s", err.message);
    else
        event_log(EVENT_INFO, "continuing from the last checkpoint");
}

enum run train_job_open(struct runner *rn, struct train_job *ret) {
    struct train_job auto_train_job tj = {0};
    tsh_error err;
    if (!train_spec_read(rn->spec, &tj.spec, &err))
        return torch_failure(rn, &err);
    TRY(train_data_load(rn, &tj.spec, &tj.data));
    TRY(open_net(rn, &tj));
    TRY(open_splits(rn, &tj));
    auto_json *spec = spec_for_shim(rn, &tj);
    auto_free char *text = json_dumps(spec, JSON_COMPACT);
    if (tsh_job_new(tj.net, tj.splits[SPLIT_TRAIN], tj.splits[SPLIT_VALIDATION], text, &tj.job,
                    &err) != TSH_OK)
        return torch_failure(rn, &err);
    resume(rn, &tj);
    *ret = tj;
    tj = (struct train_job){0};
    return RUN_DONE;
}

/* What was trained since the last train/… metrics, over one or more slices. */
struct window {
    double since_s, loss, correct;
    int64_t samples;
};

static void window_add(struct window *w, const tsh_progress *p) {
    w->loss += p->loss * (double)p->samples;
    w->correct += p->accuracy * (double)p->samples;
    w->samples += p->samples;
}

static void emit_train(const struct train_job *tj, struct window *w, double now) {
    const tsh_progress *p = &tj->progress;
    double n = (double)w->samples, elapsed = now - w->since_s;
    struct event_metric all[] = {
        {"train/loss", w->loss / n},
        {"lr", p->lr},
        {"samples_per_s", elapsed > 0 ? n / elapsed : 0},
        {"train/accuracy", w->correct / n}, /* last: a regression has none */
    };
    event_metrics(p->step, p->epoch_fraction, all, tj->spec.loss == LOSS_MSE ? 3 : 4);
    *w = (struct window){.since_s = now};
}

static void emit_validation(const struct train_job *tj) {
    const tsh_progress *p = &tj->progress;
    if (p->val.rows == 0)
        return;
    double unit = tj->data.features.target_stddev;
    bool mse = tj->spec.loss == LOSS_MSE;
    struct event_metric all[] = {
        {"val/loss", p->val.loss},
        {mse ? "val/rmse" : "val/accuracy", mse ? p->val.rmse * unit : p->val.accuracy},
        {"val/mae", p->val.mae * unit},
    };
    event_metrics(p->step, p->epoch_fraction, all, mse ? 3 : 2);
}

static void emit_progress(const struct train_job *tj, int64_t first_step) {
    const tsh_progress *p = &tj->progress;
    double done = (double)(p->step - first_step);
    double eta = done > 0 ? tj->seconds / done * (double)(p->steps_total - p->step) : -1;
    /* 1.0 belongs to the end of the job: evaluation and writing follow. */
    double fraction = 0.99 * (double)p->step / (double)p->steps_total;
    int64_t epoch = p->epoch_ended ? p->epoch : p->epoch + 1;
    event_progress(fraction, eta, "epoch %lld of %lld", (long long)epoch,
                   (long long)p->epochs_total);
}

static void name_checkpoint(char path[64], int64_t step) {
    snprintf(path, 64, "outputs/checkpoint-%06lld.safetensors", (long long)step);
}

static enum run write_checkpoint(struct runner *rn, const struct train_job *tj, int64_t *kept) {
    char path[64];
    tsh_error err;
    auto_fd int fd = -1;
    name_checkpoint(path, tj->progress.step);
    TRY(runner_create_file(rn, path, &fd));
    if (tsh_job_checkpoint(tj->job, fd, &err) != TSH_OK)
        return torch_failure(rn, &err);
    TRY(runner_commit_file(rn, path, fd));
    event_artifact("checkpoint/last", path, "application/octet-stream");
    if (kept[0] > 0) {
        name_checkpoint(path, kept[0]);
        unlink(path);
    }
    memmove(kept, kept + 1, (CHECKPOINTS_KEPT - 1) * sizeof *kept);
    kept[CHECKPOINTS_KEPT - 1] = tj->progress.step;
    return RUN_DONE;
}

/* A loss that left the finite numbers is worth a point in the chart before the end. */
static enum run run_slice(struct runner *rn, struct train_job *tj) {
    tsh_error err;
    tsh_slice slice = {.seconds = REPORT_SECONDS};
    double start = runner_now_s();
    tsh_code code = tsh_job_run(tj->job, &slice, &tj->progress, &err);
    tj->seconds += runner_now_s() - start;
    if (code == TSH_ENAN) {
        struct event_metric loss = {"train/loss", NAN};
        event_metrics(tj->progress.step + 1, tj->progress.epoch_fraction, &loss, 1);
    }
    if (code != TSH_OK)
        return torch_failure(rn, &err);
    tj->samples += tj->progress.samples;
    return RUN_DONE;
}

enum run train_job_run(struct runner *rn, struct train_job *tj) {
    tsh_net_facts facts;
    tsh_net_get(tj->net, &facts);
    event_log(EVENT_INFO, "%lld parameters, %zu train rows, %d threads, path %s",
              (long long)facts.parameters, tj->data.n_rows[SPLIT_TRAIN], rn->threads, facts.path);
    running = tj->job;
    runner_on_cancel(cancel_running);
    struct window window = {.since_s = runner_now_s()};
    double checkpoint_s = runner_now_s() + tj->spec.checkpoint_seconds;
    int64_t first_step = -1, kept[CHECKPOINTS_KEPT] = {0};
    do {
        TRY(run_slice(rn, tj));
        double now = runner_now_s();
        const tsh_progress *p = &tj->progress;
        if (first_step < 0)
            first_step = p->step - (p->samples + tj->spec.batch_size - 1) / tj->spec.batch_size;
        window_add(&window, p);
        if (window.samples > 0 && (now - window.since_s >= REPORT_SECONDS || p->finished))
            emit_train(tj, &window, now);
        if (p->epoch_ended)
            emit_validation(tj);
        emit_progress(tj, first_step);
        if (now >= checkpoint_s && !p->finished) {
            TRY(write_checkpoint(rn, tj, kept));
            checkpoint_s = runner_now_s() + tj->spec.checkpoint_seconds;
        }
    } while (!tj->progress.finished);
    tsh_error err;
    if (tsh_job_take_best(tj->job, &err) != TSH_OK)
        return torch_failure(rn, &err);
    return RUN_DONE;
}
