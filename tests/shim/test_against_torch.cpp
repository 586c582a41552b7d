// What the shim computes by itself, beside libtorch's own: the optimisers, max pooling, dropout's
// mask on a device. The only test that looks behind the header.
extern "C" {
#include "tests/support/cmocka_all.h"
}

#undef fail // cmocka's; the shim has its own

#include "shim/internal.h"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

using namespace slipway;

static void assert_close(const at::Tensor &a, const at::Tensor &b, double tolerance,
                         const char *what) {
    double apart = (a - b).abs().max().item<double>();
    double largest = b.abs().max().item<double>();
    if (!(apart <= tolerance * std::max(largest, 1e-6)))
        fail_msg("%s: %g apart of %g", what, apart, largest);
}

struct Case {
    const char *name, *optimizer;
    std::function<std::unique_ptr<torch::optim::Optimizer>(std::vector<at::Tensor>)> make;
};

static const Case CASES[] = {
    {"sgd", "{\"type\":\"sgd\",\"lr\":0.1,\"momentum\":0}",
     [](auto p) { return std::make_unique<torch::optim::SGD>(p, torch::optim::SGDOptions(0.1)); }},
    {"sgd with momentum and decay",
     "{\"type\":\"sgd\",\"lr\":0.1,\"momentum\":0.9,\"weight_decay\":0.05}",
     [](auto p) {
         return std::make_unique<torch::optim::SGD>(
             p, torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(0.05));
     }},
    {"nesterov", "{\"type\":\"sgd\",\"lr\":0.1,\"momentum\":0.8,\"nesterov\":true}",
     [](auto p) {
         return std::make_unique<torch::optim::SGD>(
             p, torch::optim::SGDOptions(0.1).momentum(0.8).nesterov(true));
     }},
    {"adam", "{\"type\":\"adam\",\"lr\":0.02,\"betas\":[0.8,0.95],\"weight_decay\":0.1}",
     [](auto p) {
         return std::make_unique<torch::optim::Adam>(
             p, torch::optim::AdamOptions(0.02).betas({0.8, 0.95}).weight_decay(0.1));
     }},
    {"adamw", "{\"type\":\"adamw\",\"lr\":0.02,\"weight_decay\":0.2}",
     [](auto p) {
         return std::make_unique<torch::optim::AdamW>(
             p, torch::optim::AdamWOptions(0.02).weight_decay(0.2));
     }},
};

// Full batches, so that the order of the samples changes nothing but rounding.
static void assert_steps_like_torch(const Case &c, bool no_fast_path) {
    tsh_error err;
    tsh_ctx_options options = {"cpu", 1, no_fast_path};
    tsh_ctx *ctx = nullptr;
    tsh_net *net = nullptr;
    tsh_data *data = nullptr;
    tsh_job *job = nullptr;
    std::vector<float> x(40 * 6);
    std::vector<int32_t> y(40);
    rng_uniform(1, 2, x.data(), x.size());
    for (size_t i = 0; i < y.size(); i++)
        y[i] = static_cast<int32_t>(rng_bits(2, i) % 4);
    tsh_data_options d = {};
    d.x = {TSH_F32, 2, {40, 6}, x.data(), x.size() * sizeof(float)};
    d.y = {TSH_I32, 1, {40}, y.data(), y.size() * sizeof(int32_t)};
    const char *model =
        "{\"input\":[6],\"loss\":\"cross_entropy\",\"layers\":[{\"type\":\"linear\","
        "\"out\":5},{\"type\":\"relu\"},{\"type\":\"linear\",\"out\":4}]}";
    std::string spec = std::string("{\"model\":{},\"epochs\":6,\"batch_size\":40,\"optimizer\":") +
                       c.optimizer + "}";
    assert_int_equal(TSH_OK, tsh_ctx_new(&options, &ctx, &err));
    assert_int_equal(TSH_OK, tsh_data_new(ctx, &d, &data, &err));
    assert_int_equal(TSH_OK, tsh_net_new(ctx, model, 3, &net, &err));

    std::vector<at::Tensor> mine;
    for (const at::Tensor &leaf : net->leaves)
        mine.push_back(leaf.detach().clone().requires_grad_(true));
    auto optimizer = c.make(mine);
    at::Tensor xt = at::from_blob(x.data(), {40, 6}), yt = at::tensor(y).to(at::kLong);
    for (int i = 0; i < 6; i++) {
        optimizer->zero_grad();
        at::Tensor h = at::relu(at::linear(xt, mine[0], mine[1]));
        at::cross_entropy_loss(at::linear(h, mine[2], mine[3]), yt).backward();
        optimizer->step();
    }

    assert_int_equal(TSH_OK, tsh_job_new(net, data, nullptr, spec.c_str(), &job, &err));
    tsh_progress progress = {};
    tsh_slice slice = {};
    while (!progress.finished)
        assert_int_equal(TSH_OK, tsh_job_run(job, &slice, &progress, &err));
    for (size_t i = 0; i < mine.size(); i++)
        assert_close(net->leaves[i].detach(), mine[i].detach(), 2e-5, c.name);
    tsh_job_free(job);
    tsh_net_free(net);
    tsh_data_free(data);
    tsh_ctx_free(ctx);
}

static void test_optimisers__step_like_torch(void **) {
    for (const Case &c : CASES) {
        assert_steps_like_torch(c, false);
        assert_steps_like_torch(c, true);
    }
}

static void test_max_pool__is_libtorchs(void **) {
    const int64_t sizes[][3] = {{2, 6, 6}, {2, 7, 9}, {3, 9, 8}, {2, 24, 24}, {8, 17, 16}};
    for (const auto &[kernel, height, width] : sizes) {
        at::Tensor x = at::rand({2, 3, height, width}).requires_grad_(true);
        at::Tensor wanted = at::max_pool2d(x, kernel);
        at::Tensor weight = at::rand_like(wanted);
        (wanted * weight).sum().backward();
        at::Tensor y = at::empty_like(wanted), dx = at::empty_like(x);
        at::Tensor picks = at::empty(wanted.sizes(), at::kByte);
        auto k = static_cast<size_t>(kernel);
        PlanePool pool(static_cast<size_t>(height), static_cast<size_t>(width), k);
        for (int64_t i = 0; i < 6; i++) {
            int64_t out = wanted.size(2) * wanted.size(3);
            uint8_t *pick = picks.data_ptr<uint8_t>() + i * out;
            pool.forward(x.data_ptr<float>() + i * height * width, y.data_ptr<float>() + i * out,
                         pick);
            pool.backward(weight.data_ptr<float>() + i * out, pick,
                          dx.data_ptr<float>() + i * height * width);
        }
        assert_true(y.equal(wanted.detach()));
        assert_true(dx.equal(x.grad()));
    }
}

static void test_max_pool__lets_no_nan_vanish(void **) {
    for (size_t kernel : {size_t{2}, size_t{3}})
        for (size_t at = 0; at < kernel * kernel; at++) {
            std::vector<float> x(kernel * kernel, 1.0F);
            x[at] = NAN;
            float y = 0;
            uint8_t pick = 0;
            PlanePool(kernel, kernel, kernel).forward(x.data(), &y, &pick);
            assert_true(std::isnan(y));
        }
}

static void test_dropout__has_one_mask_for_every_device(void **) {
    uint64_t key = rng_key(7, Purpose::dropout, 3, 1);
    std::vector<float> mask(5000);
    dropout_mask_cpu(key, 0.3, 0, mask.size(), mask.data());
    at::Tensor by_tensors = dropout_mask_tensor(key, 0.3, 5000, at::kCPU);
    at::Tensor by_loop = at::from_blob(mask.data(), {5000});
    assert_true(by_tensors.equal(by_loop));
    double kept = by_loop.gt(0).to(at::kFloat).mean().item<double>();
    assert_true(kept > 0.67 && kept < 0.73);
    dropout_mask_cpu(key, 0.3, 1000, 100, mask.data());
    assert_true(at::from_blob(mask.data(), {100}).equal(by_tensors.narrow(0, 1000, 100)));
}

static void test_permutation__holds_each_once_and_differs_by_key(void **) {
    std::vector<int64_t> a, b;
    rng_permutation(1, a, 1000);
    rng_permutation(2, b, 1000);
    assert_true(a != b);
    std::sort(a.begin(), a.end());
    for (size_t i = 0; i < a.size(); i++)
        assert_int_equal(i, a[i]);
}

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_optimisers__step_like_torch),
        cmocka_unit_test(test_max_pool__is_libtorchs),
        cmocka_unit_test(test_max_pool__lets_no_nan_vanish),
        cmocka_unit_test(test_dropout__has_one_mask_for_every_device),
        cmocka_unit_test(test_permutation__holds_each_once_and_differs_by_key),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
