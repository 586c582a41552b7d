// kernels.cpp: see kernels.h. The loops are written so that gcc and clang vectorise them; where the
// compiler can, three versions are built and the loader picks one for the machine, because a
// distribution's baseline (SSE2) is four times narrower than what most machines have.
#include "kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(SLIPWAY_SANITIZED)
#define MANY_WIDTHS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define MANY_WIDTHS
#endif

namespace slipway {

static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

constexpr uint64_t GOLDEN = 0x9e3779b97f4a7c15ULL;

uint64_t rng_bits(uint64_t key, uint64_t counter) {
    return mix(key + (counter + 1) * GOLDEN);
}

uint64_t rng_key(uint64_t seed, Purpose purpose, uint64_t a, uint64_t b) {
    uint64_t key = rng_bits(seed, static_cast<uint64_t>(purpose));
    return rng_bits(rng_bits(key, a), b);
}

void rng_uniform(uint64_t key, float bound, float *ret, size_t n) {
    for (size_t i = 0; i < n; i++) {
        double unit = static_cast<double>(rng_bits(key, i) >> 11) * 0x1p-53;
        ret[i] = static_cast<float>((2 * unit - 1) * bound);
    }
}

void rng_permutation(uint64_t key, std::vector<int64_t> &ret, size_t n) {
    ret.resize(n);
    for (size_t i = 0; i < n; i++)
        ret[i] = static_cast<int64_t>(i);
    for (size_t i = n; i > 1; i--) {
        uint64_t high = rng_bits(key, i) >> 32;
        std::swap(ret[i - 1], ret[(high * i) >> 32]); // n < 2^32: see tsh_data_new
    }
}

MANY_WIDTHS void dropout_mask_cpu(uint64_t key, double p, size_t first, size_t n, float *ret) {
    uint32_t k1 = static_cast<uint32_t>(key), k2 = static_cast<uint32_t>(key >> 32);
    uint32_t threshold = static_cast<uint32_t>(p * 0x1p32);
    float kept = static_cast<float>(1 / (1 - p));
    for (size_t i = 0; i < n; i++) {
        uint32_t x = static_cast<uint32_t>(first + i) + k1;
        for (int round = 0; round < 2; round++) {
            x = (x ^ (x >> 16)) * MASK_A;
            x = (x ^ (x >> 15)) * MASK_B;
            x = x ^ (x >> 15);
            x = round == 0 ? x ^ k2 : x;
        }
        ret[i] = x >= threshold ? kept : 0.0F;
    }
}

template <typename T> static inline void gather_rows(const Gather &g, const T *x, float *ret) {
    size_t sample = g.channels * g.area;
    for (size_t i = 0; i < g.n; i++) {
        const T *from = x + static_cast<size_t>(g.rows[i]) * sample;
        float *to = ret + i * sample;
        for (size_t c = 0; c < g.channels; c++) {
            float scale = g.scale ? g.scale[c] : 1, shift = g.scale ? g.shift[c] : 0;
            for (size_t k = 0; k < g.area; k++)
                to[c * g.area + k] = static_cast<float>(from[c * g.area + k]) * scale + shift;
        }
    }
}

MANY_WIDTHS void gather_u8(const Gather &g, const uint8_t *x, float *ret) {
    gather_rows(g, x, ret);
}

MANY_WIDTHS void gather_f32(const Gather &g, const float *x, float *ret) {
    size_t sample = g.channels * g.area;
    if (g.scale)
        return gather_rows(g, x, ret);
    for (size_t i = 0; i < g.n; i++)
        std::memcpy(ret + i * sample, x + static_cast<size_t>(g.rows[i]) * sample,
                    sample * sizeof *ret);
}

MANY_WIDTHS void bias_act(float *y, const float *bias, size_t n, size_t d, bool relu) {
    float floor = relu ? 0.0F : -INFINITY;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < d; k++) {
            float v = y[i * d + k] + bias[k];
            y[i * d + k] = v > floor || v != v ? v : floor; // a NaN must stay one to be noticed
        }
}

static size_t argmax(const float *row, size_t d) {
    return static_cast<size_t>(std::max_element(row, row + d) - row);
}

BatchScore softmax_ce(float *logits, const int64_t *y, size_t n, size_t d, double smoothing) {
    BatchScore score = {0, 0};
    double spread = smoothing / static_cast<double>(d), rest = 1 - smoothing;
    float inverse = 1.0F / static_cast<float>(n);
    for (size_t i = 0; i < n; i++) {
        float *row = logits + i * d;
        size_t truth = static_cast<size_t>(y[i]), best = argmax(row, d);
        float top = row[best], sum = 0;
        double total = 0, at_truth = row[truth];
        score.correct += best == truth;
        for (size_t k = 0; k < d; k++) {
            total += row[k];
            row[k] = std::exp(row[k] - top);
            sum += row[k];
        }
        double log_sum = static_cast<double>(top) + std::log(static_cast<double>(sum));
        score.loss += rest * (log_sum - at_truth) + smoothing * log_sum - spread * total;
        for (size_t k = 0; k < d; k++)
            row[k] = (row[k] / sum - static_cast<float>(spread)) * inverse;
        row[truth] -= static_cast<float>(rest) * inverse;
    }
    return score;
}

MANY_WIDTHS void relu_grad_colsum(float *dy, const float *act, float *ret, size_t n, size_t d) {
    std::memset(ret, 0, d * sizeof *ret);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < d; k++) {
            float v = !act || act[i * d + k] > 0 ? dy[i * d + k] : 0.0F;
            dy[i * d + k] = v;
            ret[k] += v;
        }
}

int64_t count_correct(const float *logits, const int64_t *y, size_t n, size_t d) {
    int64_t correct = 0;
    for (size_t i = 0; i < n; i++)
        correct += argmax(logits + i * d, d) == static_cast<size_t>(y[i]);
    return correct;
}

MANY_WIDTHS void sgd_step(const StepArgs &a, float *w, const float *g, float *m, size_t n) {
    float keep = a.first ? 0.0F : a.momentum;
    for (size_t i = 0; i < n; i++) {
        float grad = g[i] * a.grad_scale + a.weight_decay * w[i];
        if (a.momentum > 0) {
            m[i] = keep * m[i] + grad;
            grad = a.nesterov ? grad + a.momentum * m[i] : m[i];
        }
        w[i] -= a.lr * grad;
    }
}

MANY_WIDTHS void adam_step(const StepArgs &a, float *w, const float *g, float *m, float *v,
                           size_t n) {
    float decay = a.decoupled ? 1 - a.lr * a.weight_decay : 1;
    float coupled = a.decoupled ? 0 : a.weight_decay;
    float size = a.lr / a.correction1;
    for (size_t i = 0; i < n; i++) {
        float grad = g[i] * a.grad_scale + coupled * w[i];
        m[i] = a.beta1 * m[i] + (1 - a.beta1) * grad;
        v[i] = a.beta2 * v[i] + (1 - a.beta2) * grad * grad;
        w[i] = w[i] * decay - size * m[i] / (std::sqrt(v[i]) / a.correction2 + a.eps);
    }
}

MANY_WIDTHS double sum_squares(const float *g, size_t n) {
    double total = 0;
    for (size_t block = 0; block < n; block += 4096) {
        size_t end = std::min(n, block + 4096);
        float lanes[16] = {0};
        size_t i = block;
        for (; i + 16 <= end; i += 16)
            for (size_t k = 0; k < 16; k++)
                lanes[k] += g[i + k] * g[i + k];
        for (float lane : lanes)
            total += static_cast<double>(lane);
        for (; i < end; i++)
            total += static_cast<double>(g[i]) * static_cast<double>(g[i]);
    }
    return total;
}

} // namespace slipway
