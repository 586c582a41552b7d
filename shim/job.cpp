// job.cpp: one training: order, batch, gradient, clip, step; validation at the end of each epoch;
// the best weights; checkpoints.
//
// Where a job stands is (step, epoch) and what the optimiser holds. Everything else (order of the
// samples, dropout, learning rate) is computed from the seed and the step, so a checkpoint is small
// and a resumed job repeats the uninterrupted one. step counts optimiser steps over the whole job;
// an epoch has steps_per_epoch of them, and the epoch's end (validation, best weights) belongs to
// its last step: a checkpoint never falls between the two.
#include "internal.h"

#include "safetensors.h"

#include <chrono>
#include <cmath>
#include <cstring>

using namespace slipway;

struct tsh_job {
    tsh_net *net;
    const tsh_data *train, *val; // val may be null
    JsonOwner json;              // spec borrows from it
    train_spec spec;
    int64_t steps_per_epoch;

    int64_t step = 0, epoch = 0; // done
    at::Tensor grads;            // flat, like net->weights
    at::Tensor first, second;    // momentum or Adam's means; undefined when unused
    at::Tensor best, best_buffers;
    int64_t best_epoch = 0, bad_epochs = 0;
    double best_value = 0;
    bool early_stopped = false;
    tsh_metrics last_val = {};

    std::vector<int64_t> order; // of order_epoch
    int64_t order_epoch = -1;
    at::Tensor x, y; // of the current batch
    std::unique_ptr<Mlp> mlp;
    double window_loss = 0, window_correct = 0; // since the last report
    int64_t window_samples = 0;
    at::Tensor window_d; // [2], on a device: reading it every step would wait for the device
    double last_lr = 0;
    std::atomic<bool> cancelled{false};

    explicit tsh_job(json_t *parsed) : json(parsed), spec{} {
    }
    bool finished() const {
        return early_stopped || epoch >= spec.epochs;
    }
};

namespace slipway {

static_assert(std::atomic<bool>::is_always_lock_free,
              "tsh_job_cancel is called by signal handlers");

// The last batch of an epoch may be short, but a lone sample is left out: batch norm has no
// variance to divide by.
static int64_t steps_in_epoch(int64_t rows, int64_t batch) {
    int64_t rest = rows % batch;
    return rows / batch + (rest > 1 || (rest == 1 && rows == 1) ? 1 : 0);
}

static size_t next_batch(tsh_job *job) {
    size_t total = job->train->rows.size();
    if (job->order_epoch != job->epoch) {
        uint64_t key = rng_key(static_cast<uint64_t>(job->spec.seed), Purpose::order,
                               static_cast<uint64_t>(job->epoch), 0);
        rng_permutation(key, job->order, total);
        job->order_epoch = job->epoch;
    }
    auto batch = static_cast<size_t>(job->spec.batch_size);
    size_t first = static_cast<size_t>(job->step - job->epoch * job->steps_per_epoch) * batch;
    size_t n = std::min(batch, total - first);
    job->train->batch(job->order.data() + first, n, job->x, job->y);
    return n;
}

static void gather_gradients(tsh_job *job) {
    c10::NoGradGuard no_grad;
    std::vector<at::Tensor> pieces;
    for (const at::Tensor &leaf : job->net->leaves) {
        pieces.push_back(leaf.grad().reshape(-1));
        leaf.mutable_grad() = at::Tensor();
    }
    at::cat_out(job->grads, pieces);
}

static void score_autograd(tsh_job *job, const at::Tensor &out, const at::Tensor &loss, size_t n) {
    bool classes = job->net->model.value.loss == LOSS_CROSS_ENTROPY;
    auto samples = static_cast<double>(n);
    c10::NoGradGuard no_grad;
    if (!out.device().is_cpu()) {
        at::Tensor correct = classes ? out.argmax(1).eq(job->y).sum().to(at::kDouble)
                                     : at::zeros({}, job->window_d.options());
        job->window_d += at::stack({loss.to(at::kDouble) * samples, correct});
        return;
    }
    at::Tensor logits = out.contiguous();
    job->window_loss += loss.item<double>() * samples;
    if (classes)
        job->window_correct +=
            static_cast<double>(count_correct(logits.data_ptr<float>(), job->y.data_ptr<int64_t>(),
                                              n, static_cast<size_t>(logits.size(1))));
}

static void gradient_autograd(tsh_job *job, size_t n) {
    Pass pass = {true, static_cast<uint64_t>(job->spec.seed), static_cast<uint64_t>(job->step)};
    at::Tensor out = job->net->forward(job->x, pass);
    at::Tensor loss = loss_of(job->net, out, job->y, job->spec.label_smoothing);
    loss.backward();
    gather_gradients(job);
    score_autograd(job, out, loss, n);
}

static void gradient(tsh_job *job, size_t n) {
    if (job->mlp) {
        BatchScore score = job->mlp->run(job->x, job->y, job->spec.label_smoothing);
        job->window_loss += score.loss;
        job->window_correct += static_cast<double>(score.correct);
    } else {
        gradient_autograd(job, n);
    }
    job->window_samples += static_cast<int64_t>(n);
    if (!std::isfinite(job->window_loss))
        fail(TSH_ENAN,
             "the loss is no longer a finite number at step %lld; try a lower learning rate",
             static_cast<long long>(job->step + 1));
}

// Factor that brings the gradient's norm down to clip_norm.
static float clip_scale(tsh_job *job) {
    double limit = job->spec.clip_norm;
    if (limit <= 0)
        return 1;
    double square =
        job->grads.device().is_cpu()
            ? sum_squares(job->grads.data_ptr<float>(), static_cast<size_t>(job->grads.numel()))
            : job->grads.square().sum(at::kDouble).item<double>();
    double norm = std::sqrt(square);
    return norm > limit ? static_cast<float>(limit / (norm + 1e-6)) : 1;
}

static StepArgs step_args(tsh_job *job) {
    const auto &o = job->spec.optimizer;
    double t = static_cast<double>(job->step + 1);
    StepArgs a = {};
    a.lr = static_cast<float>(job->last_lr);
    a.grad_scale = clip_scale(job);
    a.weight_decay = static_cast<float>(o.weight_decay);
    a.momentum = static_cast<float>(o.momentum);
    a.nesterov = o.nesterov;
    a.first = job->step == 0;
    a.beta1 = static_cast<float>(o.beta1);
    a.beta2 = static_cast<float>(o.beta2);
    a.eps = static_cast<float>(o.eps);
    a.correction1 = static_cast<float>(1 - std::pow(o.beta1, t));
    a.correction2 = static_cast<float>(std::sqrt(1 - std::pow(o.beta2, t)));
    a.decoupled = o.type == OPTIMIZER_ADAMW;
    return a;
}

static void update_cpu(tsh_job *job, const StepArgs &a) {
    float *w = job->net->weights.data_ptr<float>();
    const float *g = job->grads.data_ptr<float>();
    float *m = job->first.data_ptr<float>();
    float *v = job->second.defined() ? job->second.data_ptr<float>() : nullptr;
    at::parallel_for(0, job->grads.numel(), 65536, [&](int64_t begin, int64_t end) {
        auto n = static_cast<size_t>(end - begin);
        if (v)
            adam_step(a, w + begin, g + begin, m + begin, v + begin, n);
        else
            sgd_step(a, w + begin, g + begin, m + begin, n);
    });
}

// The same formulas by tensor operations, for devices.
static void update_device(tsh_job *job, const StepArgs &a) {
    c10::NoGradGuard no_grad;
    at::Tensor w = job->net->weights, g = job->grads.mul_(a.grad_scale);
    at::Tensor m = job->first, v = job->second;
    if (a.weight_decay > 0 && !a.decoupled)
        g.add_(w, a.weight_decay);
    if (!v.defined()) {
        if (a.momentum > 0) {
            m.mul_(a.first ? 0 : a.momentum).add_(g);
            g = a.nesterov ? g.add_(m, a.momentum) : m;
        }
        w.add_(g, -a.lr);
        return;
    }
    if (a.decoupled)
        w.mul_(1 - a.lr * a.weight_decay);
    m.mul_(a.beta1).add_(g, 1 - a.beta1);
    v.mul_(a.beta2).addcmul_(g, g, 1 - a.beta2);
    w.addcdiv_(m, v.sqrt().div_(a.correction2).add_(a.eps), -a.lr / a.correction1);
}

static void train_step(tsh_job *job) {
    size_t n = next_batch(job);
    gradient(job, n);
    job->last_lr = train_spec_lr(&job->spec, job->step, job->steps_per_epoch);
    StepArgs a = step_args(job);
    if (job->grads.device().is_cpu())
        update_cpu(job, a);
    else
        update_device(job, a);
    job->step++;
}

// Smaller is better for every value returned.
static double watched_value(const tsh_job *job) {
    switch (job->spec.early_stopping.metric) {
    case STOP_VAL_ACCURACY:
        return -job->last_val.accuracy;
    case STOP_VAL_RMSE:
        return job->last_val.rmse;
    case STOP_VAL_MAE:
        return job->last_val.mae;
    default:
        return job->last_val.loss;
    }
}

static void keep_best(tsh_job *job) {
    job->best.copy_(job->net->weights);
    job->best_buffers.copy_(job->net->buffers);
    job->best_epoch = job->epoch;
}

static void end_epoch(tsh_job *job) {
    bool validated = job->val && !job->val->rows.empty();
    tsh_metrics metrics = {};
    if (validated)
        evaluate(job->net, job->val, &job->cancelled, &metrics, nullptr);
    job->last_val = metrics;
    job->epoch++;
    if (!validated)
        return keep_best(job);
    double value = watched_value(job);
    bool better =
        job->best_epoch == 0 || value < job->best_value - job->spec.early_stopping.min_delta;
    job->bad_epochs = better ? 0 : job->bad_epochs + 1;
    if (better || value < job->best_value) {
        keep_best(job);
        job->best_value = value;
    }
    job->early_stopped = job->spec.early_stopping.metric != STOP_NONE &&
                         job->bad_epochs >= job->spec.early_stopping.patience;
}

static void report(tsh_job *job, bool epoch_ended, tsh_progress *ret) {
    if (job->window_d.defined()) {
        at::Tensor sums = job->window_d.to(at::kCPU);
        job->window_loss = sums.data_ptr<double>()[0];
        job->window_correct = sums.data_ptr<double>()[1];
        job->window_d.zero_();
    }
    double n = static_cast<double>(std::max<int64_t>(job->window_samples, 1));
    if (!std::isfinite(job->window_loss))
        fail(TSH_ENAN,
             "the loss is no longer a finite number at step %lld; try a lower learning rate",
             static_cast<long long>(job->step));
    tsh_progress p = {};
    p.step = job->step;
    p.steps_total = job->steps_per_epoch * job->spec.epochs;
    p.epoch = job->epoch;
    p.epochs_total = job->spec.epochs;
    p.epoch_fraction = static_cast<double>(job->step) / static_cast<double>(job->steps_per_epoch);
    p.lr = job->last_lr;
    p.loss = job->window_loss / n;
    p.accuracy = job->window_correct / n;
    p.samples = job->window_samples;
    p.epoch_ended = epoch_ended;
    p.val = job->last_val;
    p.best_epoch = job->best_epoch;
    p.finished = job->finished();
    p.early_stopped = job->early_stopped;
    job->window_loss = job->window_correct = 0;
    job->window_samples = 0;
    *ret = p;
}

static void run_slice(tsh_job *job, const tsh_slice *slice, tsh_progress *ret) {
    using clock = std::chrono::steady_clock;
    auto start = clock::now();
    bool epoch_ended = false;
    int64_t last = slice->steps > 0 ? job->step + slice->steps : INT64_MAX;
    while (!epoch_ended && !job->finished() && job->step < last) {
        if (job->cancelled.load(std::memory_order_relaxed))
            fail(TSH_ECANCEL, "the job was cancelled");
        train_step(job);
        epoch_ended = job->step == (job->epoch + 1) * job->steps_per_epoch;
        if (epoch_ended)
            end_epoch(job);
        double seconds = std::chrono::duration<double>(clock::now() - start).count();
        if (slice->seconds > 0 && seconds >= slice->seconds)
            break;
    }
    report(job, epoch_ended, ret);
}

static void prepare(tsh_job *job) {
    const auto rows = static_cast<int64_t>(job->train->rows.size());
    job->steps_per_epoch = steps_in_epoch(rows, job->spec.batch_size);
    if (rows < 2)
        fail(TSH_EARG, "the train split has %lld rows; two are needed",
             static_cast<long long>(rows));
    bool watches = job->spec.early_stopping.metric != STOP_NONE;
    if (watches && (!job->val || job->val->rows.empty()))
        throw Failure{TSH_ESPEC, "early stopping needs a validation split", "early_stopping"};
    check_data(job->net, job->train);
    if (job->val)
        check_data(job->net, job->val);
    at::Tensor &weights = job->net->weights;
    job->grads = at::zeros_like(weights);
    job->first = at::zeros_like(weights);
    if (job->spec.optimizer.type != OPTIMIZER_SGD)
        job->second = at::zeros_like(weights);
    job->best = weights.clone();
    job->best_buffers = job->net->buffers.clone();
    if (!job->net->ctx->device.is_cpu())
        job->window_d = at::zeros({2}, weights.options().dtype(at::kDouble));
    if (job->net->ctx->fast_path && Mlp::fits(job->net))
        job->mlp = std::make_unique<Mlp>(job->net, job->grads);
}

// ---- checkpoints
// ----------------------------------------------------------------------------------

// A checkpoint of another job must not be resumed: what would differ is part of its identity.
static std::string identity(const tsh_job *job) {
    const train_spec &s = job->spec;
    char text[256];
    std::snprintf(text, sizeof text, "|%d|%lld|%lld|%lld|%zu", static_cast<int>(s.optimizer.type),
                  static_cast<long long>(s.batch_size), static_cast<long long>(s.epochs),
                  static_cast<long long>(s.seed), job->train->rows.size());
    return job->net->model_text + text;
}

struct Part {
    const char *name;
    at::Tensor tensor;
};

static std::vector<Part> parts(const tsh_job *job) {
    std::vector<Part> all = {{"weights", job->net->weights},
                             {"buffers", job->net->buffers},
                             {"first", job->first},
                             {"best", job->best},
                             {"best_buffers", job->best_buffers}};
    if (job->second.defined())
        all.push_back({"second", job->second});
    return all;
}

static json_t *state_json(const tsh_job *job) {
    const tsh_metrics &v = job->last_val;
    return json_pack("{s:I, s:I, s:I, s:I, s:f, s:b, s:[I, f, f, f, f]}", "step",
                     static_cast<json_int_t>(job->step), "epoch",
                     static_cast<json_int_t>(job->epoch), "best_epoch",
                     static_cast<json_int_t>(job->best_epoch), "bad_epochs",
                     static_cast<json_int_t>(job->bad_epochs), "best_value", job->best_value,
                     "early_stopped", static_cast<int>(job->early_stopped), "val",
                     static_cast<json_int_t>(v.rows), v.loss, v.accuracy, v.rmse, v.mae);
}

static void write_checkpoint(const tsh_job *job, int fd) {
    std::vector<at::Tensor> held;
    std::vector<safetensor> out;
    for (const Part &part : parts(job)) {
        held.push_back(part.tensor.to(at::kCPU));
        safetensor s = {part.name, {TSH_F32, 1, {part.tensor.numel()}, {}, held.back().nbytes()}};
        s.view.data = held.back().data_ptr<float>();
        out.push_back(s);
    }
    JsonOwner state(state_json(job));
    char *text = state.value ? json_dumps(state.value, JSON_COMPACT) : nullptr;
    if (!text)
        fail(TSH_ENAN, "the job's state is not finite");
    JsonOwner metadata(
        json_pack("{s:s, s:s}", "slipway.job", identity(job).c_str(), "slipway.state", text));
    std::free(text);
    if (!safetensors_write(fd, out.data(), out.size(), metadata.value))
        fail(TSH_EIO, "could not write the checkpoint: %s", std::strerror(errno));
}

static void check_part(const safetensors &file, const Part &part) {
    const safetensor *from = safetensors_find(&file, part.name);
    if (!from || from->view.dtype != TSH_F32 || from->view.ndim != 1 ||
        from->view.shape[0] != part.tensor.numel())
        fail(TSH_EIO, "the checkpoint has no tensor \"%s\" of the job's size", part.name);
}

struct State {
    json_int_t step, epoch, best_epoch, bad_epochs, rows;
    double best_value;
    int early_stopped;
    tsh_metrics val;
};

static State read_state(const tsh_job *job, const safetensors &file) {
    const char *whose = json_string_value(json_object_get(file.metadata, "slipway.job"));
    const char *text = json_string_value(json_object_get(file.metadata, "slipway.state"));
    if (!whose || !text || identity(job) != whose)
        fail(TSH_EIO, "the checkpoint belongs to another job");
    JsonOwner json(parse_json(text, "checkpoint's state"));
    State s = {};
    if (json_unpack(json.value, "{s:I, s:I, s:I, s:I, s:F, s:b, s:[I, F, F, F, F]}", "step",
                    &s.step, "epoch", &s.epoch, "best_epoch", &s.best_epoch, "bad_epochs",
                    &s.bad_epochs, "best_value", &s.best_value, "early_stopped", &s.early_stopped,
                    "val", &s.rows, &s.val.loss, &s.val.accuracy, &s.val.rmse, &s.val.mae) != 0)
        fail(TSH_EIO, "the checkpoint's state is incomplete");
    json_int_t first = s.epoch * job->steps_per_epoch;
    if (s.epoch < 0 || s.epoch > job->spec.epochs || s.step < first ||
        s.step >= first + job->steps_per_epoch || s.best_epoch < 0 || s.best_epoch > s.epoch)
        fail(TSH_EIO, "the checkpoint's position is impossible");
    return s;
}

static void read_checkpoint(tsh_job *job, int fd) {
    safetensors file = {};
    char why[SAFETENSORS_ERROR_BYTES];
    if (!safetensors_open(fd, &file, why))
        fail(TSH_EIO, "the checkpoint cannot be read: %s", why);
    std::unique_ptr<safetensors, void (*)(safetensors *)> owner(&file, safetensors_done);
    State s = read_state(job, file);
    std::vector<Part> all = parts(job);
    for (const Part &part : all)
        check_part(file, part);
    c10::NoGradGuard no_grad;
    for (const Part &part : all) {
        const tsh_view &from = safetensors_find(&file, part.name)->view;
        part.tensor.copy_(at::from_blob(const_cast<void *>(from.data), part.tensor.sizes()));
    }
    job->step = s.step;
    job->epoch = s.epoch;
    job->best_epoch = s.best_epoch;
    job->bad_epochs = s.bad_epochs;
    job->best_value = s.best_value;
    job->early_stopped = s.early_stopped != 0;
    job->last_val = s.val;
    job->last_val.rows = s.rows;
}

} // namespace slipway

TSH_API tsh_code tsh_job_new(tsh_net *net, const tsh_data *train, const tsh_data *val,
                             const char *spec, tsh_job **ret, tsh_error *err) {
    return guard(err, [&] {
        net->ctx->use_threads();
        auto job = std::make_unique<tsh_job>(parse_json(spec, "spec"));
        tsh_error why = {};
        if (!train_spec_read(job->json.value, &job->spec, &why))
            throw Failure{why.code, why.message, why.field};
        job->net = net;
        job->train = train;
        job->val = val;
        prepare(job.get());
        *ret = job.release();
    });
}

TSH_API void tsh_job_free(tsh_job *job) {
    delete job;
}

TSH_API tsh_code tsh_job_run(tsh_job *job, const tsh_slice *slice, tsh_progress *ret,
                             tsh_error *err) {
    return guard(err, [&] {
        job->net->ctx->use_threads();
        run_slice(job, slice, ret);
    });
}

TSH_API void tsh_job_cancel(tsh_job *job) {
    job->cancelled.store(true, std::memory_order_relaxed);
}

TSH_API tsh_code tsh_job_checkpoint(const tsh_job *job, int fd, tsh_error *err) {
    return guard(err, [&] { write_checkpoint(job, fd); });
}

TSH_API tsh_code tsh_job_resume(tsh_job *job, int fd, tsh_error *err) {
    return guard(err, [&] { read_checkpoint(job, fd); });
}

TSH_API tsh_code tsh_job_take_best(tsh_job *job, tsh_error *err) {
    return guard(err, [&] {
        if (job->best_epoch == 0)
            fail(TSH_EARG, "no epoch has ended yet");
        c10::NoGradGuard no_grad;
        job->net->weights.copy_(job->best);
        job->net->buffers.copy_(job->best_buffers);
    });
}
