// mlp.cpp: forward and backward of linear/relu stacks by hand.
//
// Small networks spend most of a step on bookkeeping: recording the graph, allocating every
// intermediate, walking back. Here the buffers exist before the first step, each product goes into
// its place with an `out=` call that records nothing, and everything between two products is one
// loop. Gradients land in the flat gradient that the optimiser reads. Checked against automatic
// differentiation in tests/shim/test_train.cpp.
#include "internal.h"

namespace slipway {

// [flatten] (linear [relu])* linear, under cross-entropy, on a CPU.
bool Mlp::fits(const tsh_net *net) {
    if (!net->ctx->device.is_cpu() || net->model.value.loss != LOSS_CROSS_ENTROPY)
        return false;
    layer_type before = LAYER_FLATTEN;
    for (size_t i = 0; i < net->nodes.size(); i++) {
        layer_type type = net->nodes[i].spec->type;
        bool relu_after_linear = type == LAYER_RELU && before == LAYER_LINEAR;
        bool leading_flatten = type == LAYER_FLATTEN && i == 0;
        if (type != LAYER_LINEAR && !relu_after_linear && !leading_flatten)
            return false;
        before = type;
    }
    return before == LAYER_LINEAR;
}

Mlp::Mlp(const tsh_net *net, at::Tensor grads) {
    c10::InferenceMode inference;
    float *weights = net->weights.data_ptr<float>(), *grad = grads.data_ptr<float>();
    for (const Node &node : net->nodes) {
        if (node.spec->type == LAYER_RELU)
            layers_.back().relu = true;
        if (node.spec->type != LAYER_LINEAR)
            continue;
        int64_t out = node.spec->out, in = node.spec->in.dim[0];
        Layer l = {};
        l.in = in;
        l.out = out;
        l.weight = at::from_blob(weights, {out, in});
        l.weight_t = l.weight.t();
        l.grad_weight = at::from_blob(grad, {out, in});
        weights += out * in;
        grad += out * in;
        if (node.spec->bias) {
            l.bias = weights;
            l.grad_bias = grad;
            weights += out;
            grad += out;
        }
        layers_.push_back(std::move(l));
    }
    int64_t widest = 0;
    for (const Layer &l : layers_)
        widest = std::max(widest, l.out);
    zeros_.resize(static_cast<size_t>(widest));
    column_sums_.resize(static_cast<size_t>(widest));
}

void Mlp::resize(int64_t n) {
    if (n == batch_)
        return;
    for (Layer &l : layers_) {
        l.act = at::empty({n, l.out}, at::kFloat);
        l.delta = at::empty({n, l.out}, at::kFloat);
    }
    batch_ = n;
}

// f(first row, rows) on pieces large enough to be worth a thread.
template <typename F> static void by_rows(int64_t n, int64_t d, F &&f) {
    at::parallel_for(0, n, 1 + 65536 / (d + 1), [&](int64_t begin, int64_t end) {
        f(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
    });
}

BatchScore Mlp::run(const at::Tensor &x, const at::Tensor &y, double smoothing) {
    c10::InferenceMode inference;
    resize(x.size(0));
    auto n = static_cast<size_t>(batch_);
    at::Tensor input = x.view({batch_, -1});
    for (size_t i = 0; i < layers_.size(); i++) {
        Layer &l = layers_[i];
        at::mm_out(l.act, i ? layers_[i - 1].act : input, l.weight_t);
        auto d = static_cast<size_t>(l.out);
        float *act = l.act.data_ptr<float>();
        if (!l.bias && !l.relu)
            continue;
        const float *bias = l.bias ? l.bias : zeros_.data();
        by_rows(batch_, l.out, [&](size_t first, size_t rows) {
            bias_act(act + first * d, bias, rows, d, l.relu);
        });
    }
    Layer &last = layers_.back();
    BatchScore score = softmax_ce(last.act.data_ptr<float>(), y.data_ptr<int64_t>(), n,
                                  static_cast<size_t>(last.out), smoothing);
    backward(input, n);
    return score;
}

// softmax_ce left the gradient of the logits in the last layer's act; the others keep theirs apart,
// because relu's gradient still needs the activation.
at::Tensor &Mlp::delta_of(size_t i) {
    return i + 1 == layers_.size() ? layers_[i].act : layers_[i].delta;
}

void Mlp::backward(const at::Tensor &input, size_t n) {
    for (size_t i = layers_.size(); i-- > 0;) {
        Layer &l = layers_[i];
        at::Tensor &delta = delta_of(i);
        if (i + 1 < layers_.size())
            at::mm_out(delta, delta_of(i + 1), layers_[i + 1].weight);
        float *sums = l.grad_bias ? l.grad_bias : column_sums_.data();
        relu_grad_colsum(delta.data_ptr<float>(), l.relu ? l.act.data_ptr<float>() : nullptr, sums,
                         n, static_cast<size_t>(l.out));
        at::mm_out(l.grad_weight, delta.t(), i ? layers_[i - 1].act : input);
    }
}

} // namespace slipway
