/* A browser for tests: keeps the cookies it is given and sends what our pages send. Header-only:
 * several test programs use it. */
#pragma once

#include "auth/auth.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "tests/support/test_service.h"

#include <string.h>

#define PASSWORD "another horse battery staple"

struct browser {
    struct app *app;
    struct arena *arena;
    char access[2100], refresh[128]; /* cookie values; "" = none */
};

static inline struct browser browser_new(struct test_service *t) {
    return (struct browser){.app = t->app, .arena = t->arena};
}

static inline void keep_cookie(const char *head, const char *name, char *ret, size_t cap) {
    const char *at = strstr(head, name);
    if (!at)
        return;
    at += strlen(name);
    size_t length = strcspn(at, ";\r\n");
    assert_true(length < cap);
    memcpy(ret, at, length);
    ret[length] = '\0';
}

/* json NULL = no body. */
static inline struct test_reply *browse(struct browser *b, const char *method, const char *path,
                                        const char *json) {
    const char *cookies =
        arena_printf(b->arena, "%s%s%s%s%s", b->access[0] ? "__Host-slipway=" : "", b->access,
                     b->access[0] && b->refresh[0] ? "; " : "",
                     b->refresh[0] ? "__Host-slipway_refresh=" : "", b->refresh);
    struct test_request rq = {.method = method,
                              .path = path,
                              .json = json,
                              .headers = {{"Sec-Fetch-Site", "same-origin"},
                                          {"X-Slipway-Request", "1"},
                                          {cookies[0] ? "Cookie" : "X-None", cookies}}};
    struct test_reply *reply = test_send(b->app, b->arena, &rq);
    keep_cookie(reply->head, "Set-Cookie: __Host-slipway=", b->access, sizeof(b->access));
    keep_cookie(reply->head, "Set-Cookie: __Host-slipway_refresh=", b->refresh, sizeof(b->refresh));
    return reply;
}

static inline int browse_status(struct browser *b, const char *method, const char *path,
                                const char *json) {
    return browse(b, method, path, json)->status;
}

static inline int sign_in(struct browser *b, const char *email, const char *password) {
    const char *body =
        arena_printf(b->arena, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password);
    return browse_status(b, "POST", "/api/v1/session", body);
}

static inline int whoami(struct browser *b) {
    return browse_status(b, "GET", "/api/v1/session", NULL);
}

/* As `slipwayd user create` does it; the password is PASSWORD. */
static inline void person_create(struct test_service *t, const char *email, const char *team,
                                 enum role role) {
    struct ctx cx;
    const char *password;
    ctx_init(&cx, t->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(auth_user_create(&cx,
                               &(struct auth_user_create){.email = email,
                                                          .name = "Some Body",
                                                          .team_slug = team,
                                                          .role = role,
                                                          .password = PASSWORD},
                               &password),
              &cx.err);
    ctx_done(&cx);
}

/* Five seconds from now, for everything that is remembered. */
static inline void forget_principals(void) {
    clock_freeze(clock_now_us(), clock_mono_us() + INT64_C(5000001));
}
