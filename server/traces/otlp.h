/* OTLP's ExportTraceServiceRequest (protocol buffers) taken apart without any library.
 *
 * What comes out is in the arena: each span with the few values that are asked for apart, and whole
 * as JSON in the words of the protocol's own JSON form. Members nobody knows are skipped; resources
 * and scopes are, too. Nothing is read beyond the end, and nesting and numbers are bounded: the
 * message may be anything (tests/fuzz/fuzz_otlp.c). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/field.h"

#include <stddef.h>

#define OTLP_DEPTH_MAX 8                 /* of values in values: each is three levels of JSON */
#define OTLP_ATTRIBUTES_MAX 100          /* of a span that are kept apart */
#define OTLP_ATTRIBUTE_MAX 1000          /* bytes of such a value; longer ones are cut */
#define OTLP_JSON_MAX ((size_t)16 << 20) /* bytes of JSON that one message may become */

enum otlp_status { OTLP_UNSET, OTLP_OK, OTLP_ERROR };

struct otlp_span {
    char trace_id[33], span_id[17], parent_id[17]; /* hex; parent_id may be "" */
    const char *name;
    const char *type, *inputs, *outputs; /* mlflow.spanType …: JSON texts; or NULL */
    enum otlp_status status;
    int64_t started_ns, ended_ns;
    const char *json;
    /* A JSON object of texts: its attributes but inputs, outputs and those of several values. */
    const char *attributes;
};

/* ret: struct otlp_span. At most spans_max: more are ERR_UNPROCESSABLE; ERR_INVALID for what is no
 * such message. */
MUST_USE enum err otlp_decode(struct arena *arena, const void *data, size_t size, size_t spans_max,
                              struct list *ret, struct err_info *err);
