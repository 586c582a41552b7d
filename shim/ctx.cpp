// ctx.cpp: the border (exceptions to codes), contexts, and data sets as batches.
#include "internal.h"

#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace slipway {

void fail(tsh_code code, const char *fmt, ...) {
    char text[sizeof tsh_error::message];
    va_list args;
    va_start(args, fmt);
    std::vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    throw Failure{code, text, ""};
}

static tsh_code describe(tsh_error *err, tsh_code code, const char *message, const char *field) {
    err->code = code;
    std::snprintf(err->message, sizeof err->message, "%s", message);
    std::snprintf(err->field, sizeof err->field, "%s", field);
    // libtorch explains over several lines; the first is the sentence.
    if (char *end = std::strchr(err->message, '\n'))
        *end = '\0';
    return code;
}

tsh_code translate_exception(tsh_error *err) noexcept {
    constexpr const char *MEMORY = "memory is short for this model and batch size";
    try {
        throw;
    } catch (const Failure &e) {
        return describe(err, e.code, e.message.c_str(), e.field.c_str());
    } catch (const c10::Error &e) {
        if (is_out_of_memory(e))
            return describe(err, TSH_EOOM, MEMORY, "");
        return describe(err, TSH_EINTERNAL, e.what_without_backtrace(), "");
    } catch (const std::bad_alloc &) {
        return describe(err, TSH_EOOM, MEMORY, "");
    } catch (const std::exception &e) {
        return describe(err, TSH_EINTERNAL, e.what(), "");
    } catch (...) {
        return describe(err, TSH_EINTERNAL, "an unknown exception was thrown", "");
    }
}

json_t *parse_json(const char *text, const char *what) {
    json_error_t why;
    json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, &why) : nullptr;
    if (!json)
        fail(TSH_EARG, "the %s is not valid JSON: %s", what, text ? why.text : "it is missing");
    return json;
}

static at::Device pick_device(const char *name) {
    bool wants_cuda = name && std::strcmp(name, "cuda") == 0;
    bool automatic = !name || std::strcmp(name, "auto") == 0;
    if (!wants_cuda && !automatic && std::strcmp(name, "cpu") != 0)
        fail(TSH_EARG, "device must be auto, cpu or cuda");
    if (wants_cuda && !torch::cuda::is_available())
        fail(TSH_EUNSUP, "device \"cuda\" was asked for, and this machine or build has no CUDA");
    bool cuda = wants_cuda || (automatic && torch::cuda::is_available());
    return cuda ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU);
}

// Bytes a view must have; fails on anything that does not describe itself truthfully.
static size_t view_bytes(const tsh_view &view, size_t element) {
    size_t bytes = element;
    if (view.ndim < 0 || view.ndim > 8)
        fail(TSH_EARG, "a view has %d dimensions", view.ndim);
    for (int i = 0; i < view.ndim; i++)
        if (view.shape[i] < 0 ||
            __builtin_mul_overflow(bytes, static_cast<size_t>(view.shape[i]), &bytes))
            fail(TSH_EARG, "a view has an impossible shape");
    if (bytes != view.size_bytes || (bytes > 0 && !view.data))
        fail(TSH_EARG, "a view has %zu bytes where its shape needs %zu", view.size_bytes, bytes);
    return bytes;
}

static at::Tensor borrow(const tsh_view &view, at::ScalarType type) {
    view_bytes(view, c10::elementSize(type));
    return at::from_blob(const_cast<void *>(view.data),
                         at::IntArrayRef(view.shape, static_cast<size_t>(view.ndim)),
                         at::TensorOptions().dtype(type));
}

static at::Tensor borrow_x(const tsh_view &x) {
    if (x.ndim < 2 || (x.dtype != TSH_U8 && x.dtype != TSH_F32))
        fail(TSH_EARG, "samples must be uint8 or float32 [N, …]");
    return borrow(x, x.dtype == TSH_U8 ? at::kByte : at::kFloat);
}

static at::Tensor borrow_y(const tsh_view &y, int64_t n) {
    if (y.ndim != 1 || y.shape[0] != n || (y.dtype != TSH_I32 && y.dtype != TSH_F32))
        fail(TSH_EARG, "targets must be int32 or float32 [%lld]", static_cast<long long>(n));
    at::Tensor t = borrow(y, y.dtype == TSH_I32 ? at::kInt : at::kFloat);
    return y.dtype == TSH_I32 ? t.to(at::kLong) : t;
}

static void take_rows(const tsh_data_options &options, int64_t n, std::vector<int64_t> &ret) {
    if (n > UINT32_MAX)
        fail(TSH_EARG, "a data set has at most 2^32 - 1 rows");
    if (!options.rows) {
        ret.resize(static_cast<size_t>(n));
        for (size_t i = 0; i < ret.size(); i++)
            ret[i] = static_cast<int64_t>(i);
        return;
    }
    ret.assign(options.rows, options.rows + options.n_rows);
    for (int64_t row : ret)
        if (row < 0 || row >= n)
            fail(TSH_EARG, "row %lld is outside of 0 … %lld", static_cast<long long>(row),
                 static_cast<long long>(n - 1));
}

} // namespace slipway

using namespace slipway;

void tsh_ctx::use_threads() const {
    thread_local int current = 0;
    if (current != threads) {
        at::set_num_threads(threads);
        current = threads;
    }
}

static void batch_cpu(const tsh_data *data, const int64_t *rows, size_t n, at::Tensor &x) {
    // Each thread gathers its own samples; a row is written by one thread only.
    float *to = x.data_ptr<float>();
    size_t sample = data->channels * data->area;
    int64_t grain = static_cast<int64_t>(1 + 65536 / (sample + 1));
    at::parallel_for(0, static_cast<int64_t>(n), grain, [&](int64_t begin, int64_t end) {
        Gather g = {rows + begin,
                    static_cast<size_t>(end - begin),
                    data->channels,
                    data->area,
                    data->scale.empty() ? nullptr : data->scale.data(),
                    data->shift.data()};
        float *at = to + static_cast<size_t>(begin) * sample;
        if (data->x.scalar_type() == at::kByte)
            gather_u8(g, data->x.data_ptr<uint8_t>(), at);
        else
            gather_f32(g, data->x.data_ptr<float>(), at);
    });
}

static at::Tensor batch_device(const tsh_data *data, const at::Tensor &index) {
    at::Tensor x = data->x.index_select(0, index).to(at::kFloat);
    if (data->scale.empty())
        return x;
    std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
    shape[1] = static_cast<int64_t>(data->channels);
    auto column = [&](const std::vector<float> &v) {
        return at::tensor(v).to(x.device()).view(shape);
    };
    return x.mul_(column(data->scale)).add_(column(data->shift));
}

void tsh_data::batch(const int64_t *picks, size_t n, at::Tensor &x_out, at::Tensor &y_out) const {
    std::vector<int64_t> index(n);
    for (size_t i = 0; i < n; i++)
        index[i] = rows[static_cast<size_t>(picks[i])];
    if (!ctx->device.is_cpu()) {
        at::Tensor d = at::tensor(index).to(ctx->device);
        x_out = batch_device(this, d);
        y_out = y.index_select(0, d);
        return;
    }
    std::vector<int64_t> shape(sample);
    shape.insert(shape.begin(), static_cast<int64_t>(n));
    if (!x_out.defined() || x_out.size(0) != shape[0])
        x_out = at::empty(shape, at::kFloat);
    batch_cpu(this, index.data(), n, x_out);
    if (!y_out.defined() || y_out.size(0) != shape[0])
        y_out = at::empty({shape[0]}, y.options());
    for (size_t i = 0; i < n; i++) {
        size_t row = static_cast<size_t>(index[i]);
        if (y.scalar_type() == at::kLong)
            y_out.data_ptr<int64_t>()[i] = y.data_ptr<int64_t>()[row];
        else
            y_out.data_ptr<float>()[i] = y.data_ptr<float>()[row];
    }
}

TSH_API int tsh_abi(void) {
    return TSH_ABI;
}

TSH_API tsh_code tsh_ctx_new(const tsh_ctx_options *options, tsh_ctx **ret, tsh_error *err) {
    return guard(err, [&] {
        int threads = options->threads > 0 ? options->threads : 1;
        auto ctx = std::unique_ptr<tsh_ctx>(
            new tsh_ctx{pick_device(options->device), threads, options->no_fast_path == 0});
        ctx->use_threads();
        *ret = ctx.release();
    });
}

TSH_API void tsh_ctx_free(tsh_ctx *ctx) {
    delete ctx;
}

TSH_API void tsh_device_get(const tsh_ctx *ctx, tsh_device *ret) {
    *ret = tsh_device{};
    std::snprintf(ret->torch, sizeof ret->torch, "%s", TORCH_VERSION);
    std::snprintf(ret->device, sizeof ret->device, "%s", ctx->device.is_cpu() ? "cpu" : "cuda");
    ret->threads = ctx->threads;
    ret->cuda_devices =
        torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
}

TSH_API tsh_code tsh_gemm_gflops(tsh_ctx *ctx, double *ret, tsh_error *err) {
    return guard(err, [&] {
        c10::InferenceMode inference;
        ctx->use_threads();
        constexpr int64_t N = 512;
        auto options = at::TensorOptions().dtype(at::kFloat).device(ctx->device);
        at::Tensor a = at::ones({N, N}, options), b = at::ones({N, N}, options);
        at::Tensor c = at::mm(a, b); // the first call starts threads and picks kernels
        using clock = std::chrono::steady_clock;
        auto start = clock::now();
        double seconds = 0, done = 0;
        while (seconds < 0.05) {
            at::mm_out(c, a, b);
            if (!ctx->device.is_cpu())
                torch::cuda::synchronize();
            seconds = std::chrono::duration<double>(clock::now() - start).count();
            done += 2.0 * N * N * N;
        }
        *ret = done / seconds * 1e-9;
    });
}

TSH_API tsh_code tsh_data_new(tsh_ctx *ctx, const tsh_data_options *options, tsh_data **ret,
                              tsh_error *err) {
    return guard(err, [&] {
        auto data = std::make_unique<tsh_data>();
        data->ctx = ctx;
        at::Tensor x = borrow_x(options->x);
        at::Tensor y = borrow_y(options->y, x.size(0));
        take_rows(*options, x.size(0), data->rows);
        data->sample = x.sizes().slice(1).vec();
        data->channels = static_cast<size_t>(x.size(1));
        data->area = x.size(0) > 0 && x.size(1) > 0
                         ? static_cast<size_t>(x.numel() / x.size(0) / x.size(1))
                         : 0;
        if (options->scale) {
            data->scale.assign(options->scale, options->scale + data->channels);
            data->shift.assign(options->shift, options->shift + data->channels);
        }
        data->x = x.to(ctx->device);
        data->y = y.to(ctx->device);
        *ret = data.release();
    });
}

TSH_API void tsh_data_free(tsh_data *data) {
    delete data;
}
