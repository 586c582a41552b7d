// kernels.h: the few loops that are worth writing by hand, on plain pointers and without libtorch,
// and the random numbers. Each loop is one pass where libtorch would take two to five.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace slipway {

// ---- random numbers: functions of (key, counter), no state -------------------------------------

enum class Purpose : uint64_t { init = 1, order = 2, dropout = 3 };

// A key for one use of the seed: (purpose, a, b) are for example (dropout, step, layer).
uint64_t rng_key(uint64_t seed, Purpose purpose, uint64_t a, uint64_t b);

// 64 well mixed bits (splitmix64 of key and counter).
uint64_t rng_bits(uint64_t key, uint64_t counter);

// ret[i] uniform in ±bound.
void rng_uniform(uint64_t key, float bound, float *ret, size_t n);

// 0 … n-1 in an order that depends on key only (Fisher-Yates).
void rng_permutation(uint64_t key, std::vector<int64_t> &ret, size_t n);

// A 32-bit hash of an index under a 64-bit key: enough for dropout, and simple enough to be done
// with tensor operations on a GPU with the same result (dropout_mask in net.cpp).
constexpr uint32_t MASK_A = 0x21f0aaadU, MASK_B = 0x735a2d97U;
void dropout_mask_cpu(uint64_t key, double p, size_t first, size_t n, float *ret);

// ---- batches ------------------------------------------------------------------------------------

// A sample is channels x area numbers; ret = x * scale[c] + shift[c]. Null scale: as it is.
struct Gather {
    const int64_t *rows; // of x, n of them
    size_t n, channels, area;
    const float *scale, *shift;
};
void gather_u8(const Gather &g, const uint8_t *x, float *ret);
void gather_f32(const Gather &g, const float *x, float *ret);

// ---- max pooling with stride = kernel and no padding
// ------------------------------------------------

// Planes [height, width] → [height / kernel, width / kernel], one after the other. Keeps working
// memory between planes, so one object belongs to one thread.
class PlanePool {
  public:
    static constexpr size_t KERNEL_MAX = 8; // positions in a window fit a byte
    PlanePool(size_t height, size_t width, size_t kernel);
    // picks: position in its window (row * kernel + column) of each maximum.
    void forward(const float *x, float *y, uint8_t *picks);
    // dx is written whole.
    void backward(const float *dy, const uint8_t *picks, float *dx);

  private:
    size_t height_, width_, kernel_, rows_, columns_;
    std::vector<float> tall_;
    std::vector<int32_t> lower_, wide_;
};

// ---- the hand-written network -------------------------------------------------------------------

// y: float32 [n, d] += bias [d], then max(0, ·) when relu.
void bias_act(float *y, const float *bias, size_t n, size_t d, bool relu);

struct BatchScore {
    double loss; // summed over samples
    int64_t correct;
};

// logits: float32 [n, d]; becomes d(mean loss)/d(logits). Softmax cross-entropy with smoothing.
BatchScore softmax_ce(float *logits, const int64_t *y, size_t n, size_t d, double smoothing);

// dy: float32 [n, d] *= (act > 0) when act is given; ret [d] = column sums of dy.
void relu_grad_colsum(float *dy, const float *act, float *ret, size_t n, size_t d);

int64_t count_correct(const float *logits, const int64_t *y, size_t n, size_t d);

// ---- optimisers: PyTorch's formulas, one pass over all parameters
// --------------------------------

struct StepArgs {
    float lr, grad_scale, weight_decay;
    float momentum;                 // SGD
    bool nesterov, first;           // SGD: the first step copies the gradient into the buffer
    float beta1, beta2, eps;        // Adam
    float correction1, correction2; // 1 - beta1^t, sqrt(1 - beta2^t)
    bool decoupled;                 // AdamW
};
void sgd_step(const StepArgs &a, float *w, const float *g, float *m, size_t n);
void adam_step(const StepArgs &a, float *w, const float *g, float *m, float *v, size_t n);

// Sum of squares, in double, in an order that does not depend on threads.
double sum_squares(const float *g, size_t n);

} // namespace slipway
