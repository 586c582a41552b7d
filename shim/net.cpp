// net.cpp: a checked model becomes tensors and a forward pass; loading, saving, predicting and
// evaluating it.
//
// All trained numbers lie in one flat tensor, layer by layer, and each weight is a leaf that shares
// that storage: an optimiser step, a checkpoint and "keep the best epoch" are then one pass or one
// copy over one array, whatever the network.
#include "internal.h"

#include "safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace slipway {

static int64_t buffer_count(const layer *layers, size_t n) {
    int64_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (layers[i].type == LAYER_BATCHNORM)
            count += 2 * layers[i].in.dim[0];
        count += buffer_count(layers[i].inner, layers[i].n_inner);
    }
    return count;
}

// Hands out pieces of the two flat tensors while the nodes are built.
class Builder {
  public:
    Builder(tsh_net *net, uint64_t seed) : net_(net), seed_(seed) {
    }

    std::vector<Node> build(const layer *layers, size_t n, const std::string &prefix) {
        std::vector<Node> nodes;
        for (size_t i = 0; i < n; i++)
            nodes.push_back(node(&layers[i], prefix + "layers." + std::to_string(i) + "."));
        // The larger of two relus is the relu of the larger: pooled first, relu has a quarter to
        // do.
        for (size_t i = 0; i + 1 < n; i++)
            if (layers[i].type == LAYER_RELU && layers[i + 1].type == LAYER_MAXPOOL2D)
                std::swap(nodes[i], nodes[i + 1]);
        return nodes;
    }

  private:
    Node node(const layer *spec, const std::string &prefix) {
        Node node{spec, next_index_++, {}, {}, {}, {}, {}};
        switch (spec->type) {
        case LAYER_LINEAR:
            affine(node, prefix, {spec->out, spec->in.dim[0]}, spec->in.dim[0]);
            break;
        case LAYER_CONV2D:
            affine(node, prefix, {spec->out, spec->in.dim[0], spec->kernel, spec->kernel},
                   spec->in.dim[0] * spec->kernel * spec->kernel);
            break;
        case LAYER_BATCHNORM:
            norm(node, prefix, {spec->in.dim[0]});
            node.running_mean = buffer(prefix + "running_mean", spec->in.dim[0], 0);
            node.running_var = buffer(prefix + "running_var", spec->in.dim[0], 1);
            break;
        case LAYER_LAYERNORM:
            norm(node, prefix, at::IntArrayRef(spec->in.dim, static_cast<size_t>(spec->in.ndim)));
            break;
        default:
            node.inner = build(spec->inner, spec->n_inner, prefix);
        }
        return node;
    }

    // Weight and bias drawn as torch.nn does.
    void affine(Node &node, const std::string &prefix, at::IntArrayRef shape, int64_t fan_in) {
        float bound = 1 / std::sqrt(static_cast<float>(fan_in));
        node.weight = leaf(prefix + "weight", shape);
        draw(node.weight, bound);
        if (!node.spec->bias)
            return;
        node.bias = leaf(prefix + "bias", {node.spec->out});
        draw(node.bias, bound);
    }

    void norm(Node &node, const std::string &prefix, at::IntArrayRef shape) {
        c10::NoGradGuard no_grad;
        node.weight = leaf(prefix + "weight", shape);
        node.weight.fill_(1);
        node.bias = leaf(prefix + "bias", shape);
        node.bias.zero_();
    }

    at::Tensor leaf(const std::string &name, at::IntArrayRef shape) {
        int64_t count = c10::multiply_integers(shape);
        at::Tensor t = net_->weights.narrow(0, used_, count).view(shape).detach();
        used_ += count;
        t.requires_grad_(true);
        net_->tensors.push_back({name, t});
        net_->leaves.push_back(t);
        return t;
    }

    at::Tensor buffer(const std::string &name, int64_t count, float value) {
        at::Tensor t = net_->buffers.narrow(0, buffers_used_, count).detach();
        buffers_used_ += count;
        t.fill_(value);
        net_->tensors.push_back({name, t});
        return t;
    }

    void draw(at::Tensor &t, float bound) {
        c10::NoGradGuard no_grad;
        std::vector<float> values(static_cast<size_t>(t.numel()));
        rng_uniform(rng_key(seed_, Purpose::init, net_->leaves.size(), 0), bound, values.data(),
                    values.size());
        t.copy_(at::tensor(values).view(t.sizes()));
    }

    tsh_net *net_;
    uint64_t seed_, next_index_ = 0;
    int64_t used_ = 0, buffers_used_ = 0;
};

at::Tensor dropout_mask_tensor(uint64_t key, double p, int64_t n, at::Device device) {
    constexpr int64_t LOW = 0xffffffff;
    auto k1 = static_cast<int64_t>(key & 0xffffffffU), k2 = static_cast<int64_t>(key >> 32);
    at::Tensor x = at::arange(n, at::TensorOptions().dtype(at::kLong).device(device));
    x = (x + k1).bitwise_and(LOW);
    auto shift_xor = [](const at::Tensor &v, int64_t bits) {
        return v.bitwise_xor(at::div(v, int64_t{1} << bits, "floor"));
    };
    for (int round = 0; round < 2; round++) {
        x = (shift_xor(x, 16) * static_cast<int64_t>(MASK_A)).bitwise_and(LOW);
        x = (shift_xor(x, 15) * static_cast<int64_t>(MASK_B)).bitwise_and(LOW);
        x = shift_xor(x, 15);
        x = round == 0 ? x.bitwise_xor(k2) : x;
    }
    auto threshold = static_cast<int64_t>(static_cast<uint32_t>(p * 0x1p32));
    return x.ge(threshold).to(at::kFloat).mul_(1 / (1 - p));
}

static at::Tensor dropout(const Node &node, const at::Tensor &x, const Pass &pass) {
    double p = node.spec->p;
    if (!pass.train || p <= 0)
        return x;
    uint64_t key = rng_key(pass.seed, Purpose::dropout, pass.step, node.index);
    if (!x.device().is_cpu())
        return x * dropout_mask_tensor(key, p, x.numel(), x.device()).view(x.sizes());
    at::Tensor mask = at::empty(x.sizes(), at::kFloat);
    float *to = mask.data_ptr<float>();
    at::parallel_for(0, x.numel(), 65536, [&](int64_t begin, int64_t end) {
        dropout_mask_cpu(key, p, static_cast<size_t>(begin), static_cast<size_t>(end - begin),
                         to + begin);
    });
    return x * mask;
}

// Max pooling of [N, C, H, W] by PlanePool: libtorch's own took a third of a small CNN's step.
class MaxPool : public torch::autograd::Function<MaxPool> {
  public:
    static at::Tensor forward(torch::autograd::AutogradContext *ctx, const at::Tensor &input,
                              int64_t kernel) {
        at::Tensor x = input.contiguous();
        std::vector<int64_t> shape = {x.size(0), x.size(1), x.size(2) / kernel, x.size(3) / kernel};
        at::Tensor y = at::empty(shape, x.options());
        at::Tensor picks = at::empty(shape, at::kByte);
        const float *from = x.data_ptr<float>();
        float *to = y.data_ptr<float>();
        uint8_t *to_picks = picks.data_ptr<uint8_t>();
        each_plane(x, kernel, [&](PlanePool &pool, size_t i, size_t in, size_t out) {
            pool.forward(from + i * in, to + i * out, to_picks + i * out);
        });
        ctx->save_for_backward({picks});
        ctx->saved_data["shape"] = x.sizes().vec();
        ctx->saved_data["kernel"] = kernel;
        return y;
    }

    static torch::autograd::variable_list backward(torch::autograd::AutogradContext *ctx,
                                                   torch::autograd::variable_list grads) {
        at::Tensor dy = grads[0].contiguous(), picks = ctx->get_saved_variables()[0];
        at::Tensor dx = at::empty(ctx->saved_data["shape"].toIntVector(), dy.options());
        const float *from = dy.data_ptr<float>();
        const uint8_t *from_picks = picks.data_ptr<uint8_t>();
        float *to = dx.data_ptr<float>();
        each_plane(dx, ctx->saved_data["kernel"].toInt(),
                   [&](PlanePool &pool, size_t i, size_t in, size_t out) {
                       pool.backward(from + i * out, from_picks + i * out, to + i * in);
                   });
        return {dx, at::Tensor()};
    }

  private:
    // f(pool, plane, numbers of an input plane, numbers of an output plane), in parallel.
    template <typename F> static void each_plane(const at::Tensor &in, int64_t kernel, F &&f) {
        auto height = static_cast<size_t>(in.size(2)), width = static_cast<size_t>(in.size(3));
        auto k = static_cast<size_t>(kernel);
        size_t in_plane = height * width, out_plane = (height / k) * (width / k);
        int64_t grain = static_cast<int64_t>(1 + 65536 / in_plane);
        at::parallel_for(0, in.size(0) * in.size(1), grain, [&](int64_t begin, int64_t end) {
            PlanePool pool(height, width, k);
            for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); i++)
                f(pool, i, in_plane, out_plane);
        });
    }
};

static at::Tensor max_pool2d(const layer &spec, const at::Tensor &x) {
    bool tiles = spec.stride == spec.kernel && spec.padding == 0 &&
                 spec.kernel <= static_cast<int64_t>(PlanePool::KERNEL_MAX);
    if (tiles && x.device().is_cpu())
        return MaxPool::apply(x, spec.kernel);
    return at::max_pool2d(x, spec.kernel, spec.stride, spec.padding);
}

static at::Tensor run(const std::vector<Node> &nodes, at::Tensor x, const Pass &pass);

static at::Tensor apply(const Node &node, const at::Tensor &x, const Pass &pass) {
    const layer &spec = *node.spec;
    switch (spec.type) {
    case LAYER_LINEAR:
        return at::linear(x, node.weight, node.bias);
    case LAYER_CONV2D:
        return at::conv2d(x, node.weight, node.bias, spec.stride, spec.padding);
    case LAYER_MAXPOOL2D:
        return max_pool2d(spec, x);
    case LAYER_AVGPOOL2D:
        return at::avg_pool2d(x, spec.kernel, spec.stride, spec.padding);
    case LAYER_GLOBAL_AVGPOOL2D:
        return x.mean({2, 3});
    case LAYER_BATCHNORM:
        return at::batch_norm(x, node.weight, node.bias, node.running_mean, node.running_var,
                              pass.train, 0.1, 1e-5, true);
    case LAYER_LAYERNORM:
        return at::layer_norm(x, node.weight.sizes(), node.weight, node.bias);
    case LAYER_RELU:
        return at::relu(x);
    case LAYER_GELU:
        return at::gelu(x);
    case LAYER_SILU:
        return at::silu(x);
    case LAYER_TANH:
        return at::tanh(x);
    case LAYER_SIGMOID:
        return at::sigmoid(x);
    case LAYER_DROPOUT:
        return dropout(node, x, pass);
    case LAYER_FLATTEN:
        return x.flatten(1);
    case LAYER_RESIDUAL:
        return x + run(node.inner, x, pass);
    }
    fail(TSH_EINTERNAL, "layer type %d has no forward pass", static_cast<int>(spec.type));
}

static at::Tensor run(const std::vector<Node> &nodes, at::Tensor x, const Pass &pass) {
    for (const Node &node : nodes)
        x = apply(node, x, pass);
    return x;
}

at::Tensor loss_of(const tsh_net *net, const at::Tensor &out, const at::Tensor &y,
                   double smoothing) {
    if (net->model.value.loss == LOSS_MSE)
        return at::mse_loss(out.squeeze(1), y);
    return at::cross_entropy_loss(out, y, {}, at::Reduction::Mean, -100, smoothing);
}

// Samples a batch may have so that its largest layer stays within 64 MiB.
static size_t evaluation_batch(const model &m) {
    int64_t largest = shape_count(&m.input);
    for (size_t i = 0; i < m.n_layers; i++)
        largest = std::max(largest, shape_count(&m.layers[i].result));
    return static_cast<size_t>(std::clamp<int64_t>((int64_t{1} << 24) / largest, 1, 1024));
}

// Sums over batches; turned into means at the end.
struct Sums {
    double loss = 0, correct = 0, squared = 0, absolute = 0;
};

static void count_classes(const at::Tensor &out, const at::Tensor &y, Sums &sums,
                          int64_t *confusion) {
    at::Tensor picked = out.argmax(1).to(at::kCPU), truth = y.to(at::kCPU);
    const int64_t *p = picked.data_ptr<int64_t>(), *t = truth.data_ptr<int64_t>();
    int64_t classes = out.size(1);
    for (int64_t i = 0; i < picked.numel(); i++) {
        sums.correct += p[i] == t[i];
        if (confusion)
            confusion[t[i] * classes + p[i]]++;
    }
}

static void add_batch(const tsh_net *net, const at::Tensor &out, const at::Tensor &y, Sums &sums,
                      int64_t *confusion) {
    auto n = static_cast<double>(out.size(0));
    sums.loss += loss_of(net, out, y, 0).item<double>() * n;
    if (net->model.value.loss == LOSS_CROSS_ENTROPY)
        return count_classes(out, y, sums, confusion);
    at::Tensor difference = (out.squeeze(1) - y).to(at::kDouble);
    sums.squared += difference.square().sum().item<double>();
    sums.absolute += difference.abs().sum().item<double>();
}

void evaluate(const tsh_net *net, const tsh_data *data, const std::atomic<bool> *cancel,
              tsh_metrics *ret, int64_t *ret_confusion) {
    c10::InferenceMode inference;
    size_t total = data->rows.size(), most = evaluation_batch(net->model.value);
    std::vector<int64_t> picks(most);
    at::Tensor x, y;
    Sums sums;
    for (size_t first = 0; first < total; first += most) {
        if (cancel && cancel->load(std::memory_order_relaxed))
            fail(TSH_ECANCEL, "the job was cancelled");
        size_t n = std::min(most, total - first);
        for (size_t i = 0; i < n; i++)
            picks[i] = static_cast<int64_t>(first + i);
        data->batch(picks.data(), n, x, y);
        add_batch(net, net->forward(x, {false, 0, 0}), y, sums, ret_confusion);
    }
    auto n = static_cast<double>(std::max<size_t>(total, 1));
    bool mse = net->model.value.loss == LOSS_MSE;
    *ret = {static_cast<int64_t>(total), sums.loss / n, mse ? 0 : sums.correct / n,
            std::sqrt(sums.squared / n), sums.absolute / n};
}

// A class outside the model's would be written past the end of a row of logits.
static void check_classes(const tsh_net *net, const tsh_data *data) {
    at::Tensor y = data->y.to(at::kCPU);
    const int64_t *classes = y.data_ptr<int64_t>();
    for (int64_t row : data->rows)
        if (classes[row] < 0 || classes[row] >= net->model.value.outputs)
            fail(TSH_EARG, "row %lld is of class %lld, the model knows 0 to %lld",
                 static_cast<long long>(row), static_cast<long long>(classes[row]),
                 static_cast<long long>(net->model.value.outputs - 1));
}

void check_data(const tsh_net *net, const tsh_data *data) {
    const shape &in = net->model.value.input;
    shape given = {static_cast<int>(data->sample.size()), {0, 0, 0}};
    for (size_t i = 0; i < data->sample.size() && i < 3; i++)
        given.dim[i] = data->sample[i];
    char have[SHAPE_TEXT_BYTES], want[SHAPE_TEXT_BYTES];
    if (data->sample.size() > 3 || !shape_equal(&in, &given))
        fail(TSH_ESHAPE, "the samples have shape %s, the model takes %s",
             shape_to_string(&given, have), shape_to_string(&in, want));
    bool classes = net->model.value.loss == LOSS_CROSS_ENTROPY;
    if (classes != (data->y.scalar_type() == at::kLong))
        fail(TSH_EARG, "the targets do not fit the loss");
    if (classes)
        check_classes(net, data);
}

} // namespace slipway

using namespace slipway;

at::Tensor tsh_net::forward(const at::Tensor &x, const Pass &pass) const {
    return run(nodes, x, pass);
}

TSH_API tsh_code tsh_net_new(tsh_ctx *ctx, const char *model, uint64_t seed, tsh_net **ret,
                             tsh_error *err) {
    return guard(err, [&] {
        auto net = std::make_unique<tsh_net>();
        net->ctx = ctx;
        JsonOwner json(parse_json(model, "model"));
        tsh_error why = {};
        if (!model_read_resolved(json.value, &net->model.value, &why))
            throw Failure{why.code, why.message, why.field};
        JsonOwner canonical(model_to_json(&net->model.value));
        char *text = json_dumps(canonical.value, JSON_COMPACT | JSON_SORT_KEYS);
        net->model_text = text ? text : "";
        std::free(text);
        auto options = at::TensorOptions().dtype(at::kFloat).device(ctx->device);
        const struct model &m = net->model.value;
        net->weights = at::zeros({m.parameters}, options);
        net->buffers = at::zeros({buffer_count(m.layers, m.n_layers)}, options);
        net->nodes = Builder(net.get(), seed).build(m.layers, m.n_layers, "");
        *ret = net.release();
    });
}

TSH_API void tsh_net_free(tsh_net *net) {
    delete net;
}

TSH_API void tsh_net_get(const tsh_net *net, tsh_net_facts *ret) {
    bool by_hand = net->ctx->fast_path && Mlp::fits(net);
    *ret = tsh_net_facts{net->model.value.parameters, net->model.value.outputs, {}};
    std::snprintf(ret->path, sizeof ret->path, "%s", by_hand ? "mlp" : "autograd");
}

TSH_API tsh_code tsh_net_load(tsh_net *net, int fd, tsh_error *err) {
    return guard(err, [&] {
        safetensors file = {};
        char why[SAFETENSORS_ERROR_BYTES];
        if (!safetensors_open(fd, &file, why))
            fail(TSH_EIO, "the weights cannot be read: %s", why);
        std::unique_ptr<safetensors, void (*)(safetensors *)> owner(&file, safetensors_done);
        if (file.count != net->tensors.size())
            fail(TSH_EIO, "the weights hold %zu tensors, the model has %zu", file.count,
                 net->tensors.size());
        c10::NoGradGuard no_grad;
        for (NamedTensor &t : net->tensors) {
            const safetensor *from = safetensors_find(&file, t.name.c_str());
            if (!from || from->view.dtype != TSH_F32 || from->view.ndim != t.tensor.dim() ||
                !std::equal(t.tensor.sizes().begin(), t.tensor.sizes().end(), from->view.shape))
                fail(TSH_EIO, "the weights have no float32 tensor \"%s\" of the model's shape",
                     t.name.c_str());
            t.tensor.copy_(at::from_blob(const_cast<void *>(from->view.data), t.tensor.sizes()));
        }
    });
}

TSH_API tsh_code tsh_net_save(const tsh_net *net, int fd, tsh_error *err) {
    return guard(err, [&] {
        std::vector<at::Tensor> held; // host copies of what lies on a device
        std::vector<safetensor> out;
        for (const NamedTensor &t : net->tensors) {
            held.push_back(t.tensor.detach().to(at::kCPU).contiguous());
            safetensor s = {t.name.c_str(),
                            {TSH_F32, static_cast<int>(t.tensor.dim()), {}, {}, {}}};
            std::copy(t.tensor.sizes().begin(), t.tensor.sizes().end(), s.view.shape);
            s.view.data = held.back().data_ptr<float>();
            s.view.size_bytes = held.back().nbytes();
            out.push_back(s);
        }
        if (!safetensors_write(fd, out.data(), out.size(), nullptr))
            fail(TSH_EIO, "could not write the weights: %s", std::strerror(errno));
    });
}

static at::Tensor predict_input(const tsh_net *net, const tsh_view *x, size_t ret_count) {
    const shape &in = net->model.value.input;
    bool fits = x->dtype == TSH_F32 && x->ndim == in.ndim + 1 && x->shape[0] >= 0 &&
                std::equal(in.dim, in.dim + in.ndim, x->shape + 1);
    size_t n = fits ? static_cast<size_t>(x->shape[0]) : 0;
    if (!fits || x->size_bytes != n * static_cast<size_t>(shape_count(&in)) * sizeof(float))
        fail(TSH_ESHAPE, "the samples do not have the model's shape");
    if (ret_count != n * static_cast<size_t>(net->model.value.outputs))
        fail(TSH_EARG, "the result needs room for %zu numbers",
             n * static_cast<size_t>(net->model.value.outputs));
    return at::from_blob(const_cast<void *>(x->data),
                         at::IntArrayRef(x->shape, static_cast<size_t>(x->ndim)));
}

TSH_API tsh_code tsh_predict(tsh_net *net, const tsh_view *x, float *ret, size_t ret_count,
                             tsh_error *err) {
    return guard(err, [&] {
        c10::InferenceMode inference;
        net->ctx->use_threads();
        at::Tensor samples = predict_input(net, x, ret_count).to(net->ctx->device);
        auto most = static_cast<int64_t>(evaluation_batch(net->model.value));
        int64_t outputs = net->model.value.outputs;
        for (int64_t first = 0; first < samples.size(0); first += most) {
            int64_t n = std::min(most, samples.size(0) - first);
            at::Tensor out = net->forward(samples.narrow(0, first, n), {false, 0, 0});
            if (net->model.value.loss == LOSS_CROSS_ENTROPY)
                out = at::softmax(out, 1);
            at::from_blob(ret + first * outputs, {n, outputs}).copy_(out);
        }
    });
}

TSH_API tsh_code tsh_evaluate(tsh_net *net, const tsh_data *data, tsh_metrics *ret,
                              int64_t *ret_confusion, tsh_error *err) {
    return guard(err, [&] {
        net->ctx->use_threads();
        check_data(net, data);
        tsh_metrics metrics;
        auto cells = static_cast<size_t>(net->model.value.outputs * net->model.value.outputs);
        std::vector<int64_t> confusion(ret_confusion ? cells : 0);
        evaluate(net, data, nullptr, &metrics, ret_confusion ? confusion.data() : nullptr);
        *ret = metrics;
        if (ret_confusion)
            std::copy(confusion.begin(), confusion.end(), ret_confusion);
    });
}
