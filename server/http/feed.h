/* What changed, for pages that are open: a row per change, written in the transaction that made it,
 * read by server-sent events and resumable by its position.
 *
 * A row says only that something changed ("run:<id>", "metrics"), never what: the page asks the
 * ordinary routes, with the ordinary permissions. Rows live one hour. A feed row is never written
 * per metric point; callers post once per accepted batch. */
#pragma once

#include "http/http.h"

struct feed *feed_new(void);
void feed_free(struct feed *feed);

/* topic "run:<uuid>", kind "metrics" | "logs" | "progress" | "state" | "created". */
MUST_USE enum err feed_post(struct ctx *cx, const char *topic_kind, const char *topic_id,
                            const char *kind);
/* The same of many objects of one kind at once. */
MUST_USE enum err feed_post_all(struct ctx *cx, const char *topic_kind,
                                const char *const *topic_ids, size_t count, const char *kind);
void feed_wake(struct feed *feed); /* after a commit: open streams look at once */

/* Deletes what nobody reads any more: old feed rows, old idempotency keys. As PRINCIPAL_SYSTEM. */
MUST_USE enum err feed_sweep(struct ctx *cx);

extern const struct route FEED_ROUTES[];
extern const size_t FEED_ROUTE_COUNT;
