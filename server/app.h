/* The process: every part of slipwayd put together, in one order, and taken apart in reverse. The
 * only place that knows all domains. */
#pragma once

#include "config/config.h"
#include "ctx.h"
#include "http/http.h"

/* How much of it: each is what stands before it and more. */
enum app_extent {
    APP_DATABASE, /* for commands */
    APP_SERVICE,  /* everything that answers requests, but no socket: tests dispatch into it */
    APP_SERVER    /* slipwayd serve */
};

/* Starts the parts in order, the listener last. On failure what was started is stopped again and
 * *err names the part. config must outlive the app. */
MUST_USE enum err app_new(const struct config *config, enum app_extent extent, struct app **ret,
                          struct err_info *err);
/* The orderly end: /readyz says no, streams end, requests in flight finish (30 s at most), then the
 * parts stop. NULL is fine. */
void app_free(struct app *app);

/* All route tables; for printing them and for tests. */
struct http_registry *app_registry(void);
