// kernels.cpp: see kernels.h. The loops are written so that gcc and clang vectorise them; where the
// compiler can, three versions are built and the loader picks one for the machine, because a
// distribution's baseline (SSE2) is four times narrower than what most machines have.
#include "kernels.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(SLIPWAY_SANITIZED)
#define MANY_WIDTHS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
// For rows of a dozen numbers: sixteen at a time would leave all of them to the scalar rest.
#define SHORT_ROWS __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define MANY_WIDTHS
#define SHORT_ROWS
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

// What the loops below read; the pointers never overlap, and saying so (__restrict) is what lets
// the compiler vectorise them. Everything is 32 bits wide and free of branches for the same reason.
struct PoolShape {
    size_t width, kernel, rows, columns;
};

// The larger of two; a NaN must stay one to be noticed.
static inline bool replaces(float v, float best) {
    return (v > best) | (v != v);
}

MANY_WIDTHS static void pool_any(const PoolShape &p, const float *__restrict x, float *__restrict y,
                                 int32_t *__restrict picks) {
    for (size_t r = 0; r < p.rows; r++)
        for (size_t i = 0; i < p.columns; i++) {
            const float *window = x + r * p.kernel * p.width + i * p.kernel;
            float best = window[0];
            int32_t pick = 0;
            for (size_t k = 1; k < p.kernel * p.kernel; k++) {
                float v = window[k / p.kernel * p.width + k % p.kernel];
                pick = replaces(v, best) ? static_cast<int32_t>(k) : pick;
                best = replaces(v, best) ? v : best;
            }
            y[r * p.columns + i] = best;
            picks[r * p.columns + i] = pick;
        }
}

// 2 x 2, nine of ten pools: first the larger of two rows, then of two neighbours.
SHORT_ROWS static void pool_rows(const PoolShape &p, const float *__restrict x,
                                 float *__restrict tall, int32_t *__restrict lower) {
    size_t used = 2 * p.columns;
    for (size_t r = 0; r < p.rows; r++)
        for (size_t i = 0; i < used; i++) {
            float upper = x[2 * r * p.width + i], under = x[(2 * r + 1) * p.width + i];
            bool larger = replaces(under, upper);
            tall[r * used + i] = larger ? under : upper;
            lower[r * used + i] = larger ? 2 : 0;
        }
}

// Two loops, because gcc vectorises each and not their union.
MANY_WIDTHS static void pool_neighbours(const float *__restrict tall,
                                        const int32_t *__restrict lower, float *__restrict y,
                                        int32_t *__restrict picks, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float a = tall[2 * i], b = tall[2 * i + 1];
        bool larger = replaces(b, a);
        y[i] = larger ? b : a;
        picks[i] = larger;
    }
    for (size_t i = 0; i < n; i++) {
        int32_t left = lower[2 * i], right = lower[2 * i + 1] + 1;
        picks[i] = picks[i] ? right : left;
    }
}

MANY_WIDTHS static void narrow(const int32_t *__restrict from, uint8_t *__restrict to, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] = static_cast<uint8_t>(from[i]);
}

MANY_WIDTHS static void widen(const uint8_t *__restrict from, int32_t *__restrict to, size_t n) {
    for (size_t i = 0; i < n; i++)
        to[i] = from[i];
}

PlanePool::PlanePool(size_t height, size_t width, size_t kernel)
    : height_(height), width_(width), kernel_(kernel), rows_(height / kernel),
      columns_(width / kernel), tall_(rows_ * columns_ * 2), lower_(rows_ * columns_ * 2),
      wide_(rows_ * columns_) {
}

void PlanePool::forward(const float *x, float *y, uint8_t *picks) {
    PoolShape shape = {width_, kernel_, rows_, columns_};
    if (kernel_ == 2) {
        pool_rows(shape, x, tall_.data(), lower_.data());
        pool_neighbours(tall_.data(), lower_.data(), y, wide_.data(), rows_ * columns_);
    } else {
        pool_any(shape, x, y, wide_.data());
    }
    narrow(wide_.data(), picks, rows_ * columns_);
}

MANY_WIDTHS static void spread_any(const PoolShape &p, const float *__restrict dy,
                                   const int32_t *__restrict picks, float *__restrict dx) {
    for (size_t r = 0; r < p.rows; r++)
        for (size_t k = 0; k < p.kernel * p.kernel; k++)
            for (size_t i = 0; i < p.columns; i++) {
                size_t at = (r * p.kernel + k / p.kernel) * p.width + i * p.kernel + k % p.kernel;
                bool picked = picks[r * p.columns + i] == static_cast<int32_t>(k);
                dx[at] = picked ? dy[r * p.columns + i] : 0.0F;
            }
}

SHORT_ROWS static void spread_two(const PoolShape &p, const float *__restrict dy,
                                  const int32_t *__restrict picks, float *__restrict dx) {
    for (size_t r = 0; r < 2 * p.rows; r++) {
        const float *__restrict from = dy + r / 2 * p.columns;
        const int32_t *__restrict pick = picks + r / 2 * p.columns;
        float *__restrict to = dx + r * p.width;
        int32_t first = r % 2 ? 2 : 0; // position of the left neighbour in its window
        for (size_t i = 0; i < p.columns; i++) {
            to[2 * i] = pick[i] == first ? from[i] : 0.0F;
            to[2 * i + 1] = pick[i] == first + 1 ? from[i] : 0.0F;
        }
    }
}

void PlanePool::backward(const float *dy, const uint8_t *picks, float *dx) {
    widen(picks, wide_.data(), rows_ * columns_);
    // Windows cover all but a rim; only a rim needs zeros.
    if (height_ % kernel_ || width_ % kernel_)
        std::memset(dx, 0, height_ * width_ * sizeof *dx);
    PoolShape shape = {width_, kernel_, rows_, columns_};
    if (kernel_ == 2)
        spread_two(shape, dy, wide_.data(), dx);
    else
        spread_any(shape, dy, wide_.data(), dx);
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
