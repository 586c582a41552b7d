// internal.h: the structs behind the handles, and the guard every entry runs in.
//
// A failure is thrown as Failure where it happens and becomes a tsh_error at the border; libtorch's
// own exceptions are translated there too. Nothing below the border returns codes.
#pragma once

#include "compat.h"
#include "kernels.h"
#include "slipway_torch.h"
#include "spec.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#define TSH_API __attribute__((visibility("default")))

namespace slipway {

struct Failure {
    tsh_code code;
    std::string message;
    std::string field;
};

[[noreturn]] void fail(tsh_code code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

// Writes err from the exception being handled.
tsh_code translate_exception(tsh_error *err) noexcept;

template <typename F> tsh_code guard(tsh_error *err, F &&body) noexcept {
    try {
        body();
        *err = tsh_error{};
        return TSH_OK;
    } catch (...) {
        return translate_exception(err);
    }
}

// Frees what a C function filled when the scope ends.
struct ModelOwner {
    model value = {};
    ModelOwner() = default;
    ModelOwner(const ModelOwner &) = delete;
    ModelOwner &operator=(const ModelOwner &) = delete;
    ~ModelOwner() {
        model_done(&value);
    }
};

struct JsonOwner {
    json_t *value;
    explicit JsonOwner(json_t *v) : value(v) {
    }
    JsonOwner(const JsonOwner &) = delete;
    JsonOwner &operator=(const JsonOwner &) = delete;
    ~JsonOwner() {
        json_decref(value);
    }
};

json_t *parse_json(const char *text, const char *what);

// A layer with its tensors. Weights are leaves that share the net's flat storage.
struct Node {
    const layer *spec;
    uint64_t index; // counts nodes depth first: names dropout's random stream
    at::Tensor weight, bias;
    at::Tensor running_mean, running_var;
    std::vector<Node> inner;
};

struct NamedTensor {
    std::string name;
    at::Tensor tensor;
};

// What forward needs to know besides the samples.
struct Pass {
    bool train;
    uint64_t seed, step; // of dropout
};

} // namespace slipway

struct tsh_ctx {
    at::Device device;
    int threads;
    bool fast_path;

    // OpenMP's count belongs to the calling thread, so every entry that computes asks for it.
    void use_threads() const;
};

struct tsh_data {
    tsh_ctx *ctx;
    at::Tensor x, y; // all N rows; y is int64 or float32; both on the device
    std::vector<int64_t> rows;
    std::vector<int64_t> sample; // shape of one
    std::vector<float> scale, shift;
    size_t channels, area;

    // rows[picks[0..n)] as float32 [n, …sample] in x and their targets in y.
    void batch(const int64_t *picks, size_t n, at::Tensor &x_out, at::Tensor &y_out) const;
};

struct tsh_net {
    tsh_ctx *ctx;
    slipway::ModelOwner model;
    std::string model_text;           // canonical JSON: a checkpoint of another net is refused
    at::Tensor weights;               // float32 [parameters]: every trained number
    at::Tensor buffers;               // float32 [k]: batch norm's running statistics
    std::vector<slipway::Node> nodes; // in order; views into the two above
    std::vector<slipway::NamedTensor> tensors;
    std::vector<at::Tensor> leaves;

    at::Tensor forward(const at::Tensor &x, const slipway::Pass &pass) const;
};

namespace slipway {

at::Tensor loss_of(const tsh_net *net, const at::Tensor &out, const at::Tensor &y,
                   double smoothing);

// Dropout's mask by tensor operations, the same numbers as dropout_mask_cpu.
at::Tensor dropout_mask_tensor(uint64_t key, double p, int64_t n, at::Device device);

// Fails unless the data's samples and targets are what the net takes.
void check_data(const tsh_net *net, const tsh_data *data);

// cancel may be null; checked between batches.
void evaluate(const tsh_net *net, const tsh_data *data, const std::atomic<bool> *cancel,
              tsh_metrics *ret, int64_t *ret_confusion);

// The hand-written path for plain multi-layer perceptrons under cross-entropy, mlp.cpp.
class Mlp {
  public:
    static bool fits(const tsh_net *net);
    Mlp(const tsh_net *net, at::Tensor grads);
    // Forward, loss and gradients of one batch into the flat gradient.
    BatchScore run(const at::Tensor &x, const at::Tensor &y, double smoothing);

  private:
    struct Layer {
        at::Tensor weight, weight_t, grad_weight;
        float *bias, *grad_bias; // null without a bias
        int64_t in, out;
        bool relu;
        at::Tensor act, delta; // [n, out]
    };
    void resize(int64_t n);
    void backward(const at::Tensor &input, size_t n);
    at::Tensor &delta_of(size_t i);
    std::vector<Layer> layers_;
    std::vector<float> zeros_;       // the bias of layers without one
    std::vector<float> column_sums_; // their bias' gradient, thrown away
    int64_t batch_ = 0;
};

} // namespace slipway
