/* What the files of this folder share. */
#pragma once

#include "traces/traces.h"

extern const struct shape TRACE_SPAN_SHAPE; /* struct trace_span with its JSON */

/* struct trace_span with JSON, or without it beyond TRACE_SHOWN_MAX: a tree is many times its text.
 */
MUST_USE enum err trace_spans_show(struct ctx *cx, const char *id, struct list *ret);

/* An object that the request owns from here on. */
json_t *trace_keep(struct ctx *cx, json_t *json);
