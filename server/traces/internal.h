/* What the files of this folder share. */
#pragma once

#include "traces/traces.h"

/* Members of a shape for one value of a row. */
extern const struct shape TRACE_SPAN_SHAPE; /* struct trace_span with its JSON */

/* An object that the request owns from here on. */
json_t *trace_keep(struct ctx *cx, json_t *json);
