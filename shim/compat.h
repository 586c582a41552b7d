// compat.h: what differs between libtorch 1.13 and 2.x, and nothing else. Every other unit includes
// libtorch through this file, so a new release is bridged here or not at all.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/cuda.h>
#include <torch/version.h>

namespace slipway {

// 2.x raises its own class when memory is short; 1.13's CPU allocator raises the general one.
inline bool is_out_of_memory(const c10::Error &e) {
    if (dynamic_cast<const c10::OutOfMemoryError *>(&e))
        return true;
    return std::string(e.what_without_backtrace()).find("allocate memory") != std::string::npos;
}

} // namespace slipway
