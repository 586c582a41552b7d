/* cmocka with the headers that it wants included first. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* fail() is ours, of ctx.h; cmocka's fail_msg() is built on its own. */
#undef fail
#undef fail_msg
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        print_error("ERROR: " __VA_ARGS__);                                                        \
        print_error("\n");                                                                         \
        _fail(__FILE__, __LINE__);                                                                 \
    } while (0)

/* The message of *err in the failure, instead of two numbers. */
#define assert_ok(call, err_info)                                                                  \
    do {                                                                                           \
        enum err assert_ok_ = (call);                                                              \
        if (assert_ok_ != OK)                                                                      \
            fail_msg("%s: %s (%s%s%s)", #call, err_to_string(assert_ok_), (err_info)->message,     \
                     (err_info)->detail[0] ? "; " : "", (err_info)->detail);                       \
    } while (0)
#define assert_err(code, call) assert_string_equal(err_to_string(code), err_to_string(call))
