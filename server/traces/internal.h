/* What the files of this folder share. */
#pragma once

#include "traces/traces.h"

extern const struct shape TRACE_SPAN_SHAPE; /* struct trace_span with its JSON */

/* struct trace_span with JSON, or without it beyond TRACE_SHOWN_MAX: a tree is many times its text.
 */
MUST_USE enum err trace_spans_show(struct ctx *cx, const char *id, struct list *ret);
/* One of them, without JSON beyond TRACE_SPAN_SHOWN_MAX; ERR_NOT_FOUND names the span. */
MUST_USE enum err trace_span_show(struct ctx *cx, const char *id, const char *span_id,
                                  struct trace_span *ret);
/* traces_load() with previews of at most that many characters. */
MUST_USE enum err traces_load_cut(struct ctx *cx, const struct list *ids, int64_t preview_max,
                                  struct list *ret);

/* An object that the request owns from here on. */
json_t *trace_keep(struct ctx *cx, json_t *json);
