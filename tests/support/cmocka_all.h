/* cmocka with the headers that it wants included first. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail /* ours is in ctx.h; tests say fail_msg() */

/* The message of *err in the failure, instead of two numbers. */
#define assert_ok(call, err_info)                                                                  \
    do {                                                                                           \
        enum err assert_ok_ = (call);                                                              \
        if (assert_ok_ != OK)                                                                      \
            fail_msg("%s: %s (%s%s%s)", #call, err_to_string(assert_ok_), (err_info)->message,     \
                     (err_info)->detail[0] ? "; " : "", (err_info)->detail);                       \
    } while (0)
#define assert_err(code, call) assert_string_equal(err_to_string(code), err_to_string(call))
