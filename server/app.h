/* The process: every part of slipwayd put together, in one order, and taken apart in reverse. The
 * only place that knows all domains. */
#pragma once

#include "config/config.h"
#include "ctx.h"
#include "http/http.h"

/* Starts everything in config, the listener last. On failure what was started is stopped again and
 * *err names the part. config must outlive the app. */
MUST_USE enum err app_new(const struct config *config, struct app **ret, struct err_info *err);
/* The orderly end: /readyz says no, streams end, requests in flight finish (30 s at most), then the
 * parts stop. NULL is fine. */
void app_free(struct app *app);

/* The database alone, for commands. */
MUST_USE enum err app_new_offline(const struct config *config, struct app **ret,
                                  struct err_info *err);

/* All route tables; for printing them and for tests. */
struct http_registry *app_registry(void);
