/* Quotas of a team. Rows are counted by triggers (migrations/0012_quotas.sql), in the transaction
 * that adds one; requests a minute in this process's memory, by the limit that came with the
 * principal. Thread-safe. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

struct request_counts;
struct request_counts *request_counts_new(void);
void request_counts_free(struct request_counts *counts);

/* Hook: counts one request of the caller's team; ERR_RATE_LIMITED with Retry-After beyond its limit
 * of the minute. */
MUST_USE enum err quota_count_request(struct ctx *cx);

extern const struct route QUOTAS_ROUTES[];
extern const size_t QUOTAS_ROUTE_COUNT;
extern const struct db_constraint QUOTAS_CONSTRAINTS[];
extern const size_t QUOTAS_CONSTRAINT_COUNT;
