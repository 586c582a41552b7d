/* trace_spans.c: storing what OTLP brings, and reading it back. */
#include "traces/internal.h"

#include "base/ident.h"
#include "sql/traces.h"
#include "traces/gunzip.h"
#include "traces/otlp.h"

#include <string.h>

#define SPAN_FIELDS                                                                                \
    FIELD(UUID, struct trace_span, trace), FIELD(STRING, struct trace_span, span_id),              \
        FIELD(STRING, struct trace_span, parent_id, .flags = FIELD_NULLABLE),                      \
        FIELD(STRING, struct trace_span, name), FIELD(STRING, struct trace_span, type),            \
        FIELD(STRING, struct trace_span, status, .doc = "UNSET, OK or ERROR"),                     \
        FIELD(INT, struct trace_span, started_ns), FIELD(INT, struct trace_span, ended_ns)

static const struct field ROW_FIELDS[] = {
    SPAN_FIELDS,
    FIELD(STRING, struct trace_span, body),
};
static SHAPE(ROW, "TraceSpanRow", struct trace_span, ROW_FIELDS);

static const struct field TRACE_SPAN_FIELDS[] = {
    SPAN_FIELDS,
    {.name = "body",
     .type = FIELD_TYPE_JSON,
     .offset = offsetof(struct trace_span, json),
     .flags = FIELD_NULLABLE,
     .typescript = "Record<string, unknown>",
     .doc = "the whole span in the words of OTLP's JSON; null when it, or the trace, is large"},
};
SHAPE(TRACE_SPAN_SHAPE, "TraceSpan", struct trace_span, TRACE_SPAN_FIELDS);

struct size {
    int64_t spans, largest, total;
};
static const struct field SIZE_FIELDS[] = {
    FIELD(INT, struct size, spans),
    FIELD(INT, struct size, largest),
    FIELD(INT, struct size, total),
};
static SHAPE(SIZE, "SpansSize", struct size, SIZE_FIELDS);

/* Of these traces' spans; ids is an array. */
static enum err size_of(struct ctx *cx, const char *ids, struct size *ret) {
    return db_one(cx, &SQL_trace_spans_size, ARGS(cx->who.team_id, ids), &SIZE, ret);
}

enum err trace_spans_load(struct ctx *cx, const struct list *ids, struct list *ret) {
    const char *array = db_text_array(cx, ids->items, ids->count);
    struct size size;
    TRY(size_of(cx, array, &size));
    if (size.total > TRACE_REPLY_MAX)
        return fail(cx, ERR_UNPROCESSABLE,
                    "the spans of these traces are too large for one reply: ask for fewer traces");
    return db_many(cx, &SQL_trace_spans_of, ARGS(cx->who.team_id, array, db_bool(true)), &ROW, ret);
}

enum err trace_spans_show(struct ctx *cx, const char *id, struct list *ret) {
    const char *array = db_text_array(cx, &id, 1);
    struct size size;
    TRY(size_of(cx, array, &size));
    return db_many(cx, &SQL_trace_spans_of,
                   ARGS(cx->who.team_id, array, db_bool(size.total <= TRACE_SHOWN_MAX)),
                   &TRACE_SPAN_SHAPE, ret);
}

enum err trace_span_show(struct ctx *cx, const char *id, const char *span_id,
                         struct trace_span *ret) {
    bool found;
    TRY(db_opt(cx, &SQL_trace_span_of,
               ARGS(cx->who.team_id, id, span_id, db_int(cx, TRACE_SPAN_SHOWN_MAX)),
               &TRACE_SPAN_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "span \"%.100s\" does not exist", span_id);
}

/* --- traces of a request --- */

/* What the spans of one trace tell of it. */
struct seen {
    const char *hex;
    char id[UUID_TEXT_SIZE]; /* a new one, and then the trace's */
    int64_t started_ns, ended_ns;
    const struct otlp_span *root; /* NULL = not in this request */
};

struct request {
    const struct otlp_span *spans;
    size_t *trace_of; /* each span's place in seen */
    size_t span_count;
    struct seen *seen;
    size_t seen_count;
};

/* Spans of a trace mostly follow one another. */
static struct seen *seen_of(struct request *r, const struct otlp_span *span) {
    for (size_t i = r->seen_count; i-- > 0;)
        if (strcmp(r->seen[i].hex, span->trace_id) == 0)
            return &r->seen[i];
    if (r->seen_count == TRACE_OF_REQUEST_MAX)
        return NULL;
    struct seen *s = &r->seen[r->seen_count++];
    *s = (struct seen){
        .hex = span->trace_id, .started_ns = span->started_ns, .ended_ns = span->started_ns};
    uuid_new(s->id);
    return s;
}

static enum err group(struct ctx *cx, const struct list *spans, struct request *r) {
    *r = (struct request){.spans = spans->items, .span_count = spans->count};
    r->seen = arena_new_array(cx->arena, struct seen, TRACE_OF_REQUEST_MAX);
    r->trace_of = arena_new_array(cx->arena, size_t, spans->count + 1);
    for (size_t i = 0; i < r->span_count; i++) {
        const struct otlp_span *span = &r->spans[i];
        struct seen *s = seen_of(r, span);
        if (!s)
            return fail(cx, ERR_UNPROCESSABLE, "a request has spans of %d traces at most",
                        TRACE_OF_REQUEST_MAX);
        r->trace_of[i] = (size_t)(s - r->seen);
        s->started_ns = span->started_ns < s->started_ns ? span->started_ns : s->started_ns;
        s->ended_ns = span->ended_ns > s->ended_ns ? span->ended_ns : s->ended_ns;
        if (!span->parent_id[0])
            s->root = span;
    }
    return OK;
}

static const char *trace_id_of(struct ctx *cx, const struct seen *s) {
    return arena_printf(cx->arena, "tr-%s", s->hex);
}

static const char *state_of(const struct seen *s) {
    if (!s->root || s->root->ended_ns == 0)
        return TRACE_STATE_NAMES[TRACE_IN_PROGRESS];
    return TRACE_STATE_NAMES[s->root->status == OTLP_ERROR ? TRACE_ERROR : TRACE_OK];
}

struct seen_columns {
    const char **ids, **trace_ids, **states, **requests, **responses, **names;
    int64_t *starts, *ends;
};

static struct seen_columns columns_of_seen(struct ctx *cx, const struct request *r) {
    size_t n = r->seen_count + 1;
    struct seen_columns c = {.ids = arena_new_array(cx->arena, const char *, n),
                             .trace_ids = arena_new_array(cx->arena, const char *, n),
                             .states = arena_new_array(cx->arena, const char *, n),
                             .requests = arena_new_array(cx->arena, const char *, n),
                             .responses = arena_new_array(cx->arena, const char *, n),
                             .names = arena_new_array(cx->arena, const char *, n),
                             .starts = arena_new_array(cx->arena, int64_t, n),
                             .ends = arena_new_array(cx->arena, int64_t, n)};
    for (size_t i = 0; i < r->seen_count; i++) {
        const struct seen *s = &r->seen[i];
        c.ids[i] = s->id;
        c.trace_ids[i] = trace_id_of(cx, s);
        c.states[i] = state_of(s);
        c.requests[i] = s->root ? s->root->inputs : NULL;
        c.responses[i] = s->root ? s->root->outputs : NULL;
        c.names[i] = s->root ? s->root->name : NULL;
        c.starts[i] = s->started_ns;
        c.ends[i] = s->ended_ns;
    }
    return c;
}

struct stored {
    const char *id, *trace_id;
};
static const struct field STORED_FIELDS[] = {
    FIELD(UUID, struct stored, id),
    FIELD(STRING, struct stored, trace_id),
};
static SHAPE(STORED, "StoredTrace", struct stored, STORED_FIELDS);

static void take_ids(struct request *r, const struct list *rows) {
    const struct stored *items = rows->items;
    for (size_t i = 0; i < rows->count; i++)
        for (size_t j = 0; j < r->seen_count; j++)
            if (strcmp(r->seen[j].hex, items[i].trace_id + strlen("tr-")) == 0)
                memcpy(r->seen[j].id, items[i].id, UUID_TEXT_SIZE);
}

/* Makes the traces that are new; seen has all ids afterwards, and *ret_ids is their array. */
static enum err store_traces(struct ctx *cx, const char *project_id, const char *experiment_id,
                             struct request *r, const char **ret_ids) {
    struct seen_columns c = columns_of_seen(cx, r);
    size_t n = r->seen_count;
    struct list rows;
    TRY(db_many(cx, &SQL_traces_seen,
                ARGS(cx->who.team_id, project_id, experiment_id, db_text_array(cx, c.ids, n),
                     db_text_array(cx, c.trace_ids, n), db_text_array(cx, c.states, n),
                     db_int_array(cx, c.starts, n), db_int_array(cx, c.ends, n),
                     db_text_array(cx, c.requests, n), db_text_array(cx, c.responses, n),
                     db_int(cx, TRACE_PREVIEW_MAX)),
                &STORED, &rows));
    take_ids(r, &rows);
    *ret_ids = db_text_array(cx, c.ids, n);
    return db_exec(
        cx, &SQL_trace_names_add,
        ARGS(cx->who.team_id, *ret_ids, db_text_array(cx, c.names, n), db_int(cx, TRACE_VALUE_MAX)),
        NULL);
}

/* --- spans of a request --- */

/* "\"LLM\"" → "LLM": the attribute is a JSON text. */
static const char *type_of(struct ctx *cx, const struct otlp_span *span) {
    size_t length = span->type ? strlen(span->type) : 0;
    if (length < 2 || span->type[0] != '"' || span->type[length - 1] != '"')
        return span->type ? span->type : "UNKNOWN";
    return arena_strndup(cx->arena, span->type + 1, length - 2);
}

struct span_columns {
    const char **traces, **ids, **parents, **names, **types, **statuses, **bodies, **attributes;
    int64_t *starts, *ends;
};

static struct span_columns columns_of_spans(struct ctx *cx, const struct request *r) {
    static const char *const STATUSES[] = {"UNSET", "OK", "ERROR"};
    size_t n = r->span_count + 1;
    struct span_columns c = {.traces = arena_new_array(cx->arena, const char *, n),
                             .ids = arena_new_array(cx->arena, const char *, n),
                             .parents = arena_new_array(cx->arena, const char *, n),
                             .names = arena_new_array(cx->arena, const char *, n),
                             .types = arena_new_array(cx->arena, const char *, n),
                             .statuses = arena_new_array(cx->arena, const char *, n),
                             .bodies = arena_new_array(cx->arena, const char *, n),
                             .attributes = arena_new_array(cx->arena, const char *, n),
                             .starts = arena_new_array(cx->arena, int64_t, n),
                             .ends = arena_new_array(cx->arena, int64_t, n)};
    for (size_t i = 0; i < r->span_count; i++) {
        const struct otlp_span *span = &r->spans[i];
        c.traces[i] = r->seen[r->trace_of[i]].id;
        c.ids[i] = span->span_id;
        c.parents[i] = span->parent_id[0] ? span->parent_id : NULL;
        c.names[i] = span->name;
        c.types[i] = type_of(cx, span);
        c.statuses[i] = STATUSES[span->status];
        c.bodies[i] = span->json;
        c.attributes[i] = span->attributes;
        c.starts[i] = span->started_ns;
        c.ends[i] = span->ended_ns;
    }
    return c;
}

static enum err store_spans(struct ctx *cx, const struct request *r) {
    struct span_columns c = columns_of_spans(cx, r);
    size_t n = r->span_count;
    return db_exec(cx, &SQL_trace_spans_add,
                   ARGS(cx->who.team_id, db_text_array(cx, c.traces, n),
                        db_text_array(cx, c.ids, n), db_text_array(cx, c.parents, n),
                        db_text_array(cx, c.names, n), db_text_array(cx, c.types, n),
                        db_text_array(cx, c.statuses, n), db_int_array(cx, c.starts, n),
                        db_int_array(cx, c.ends, n), db_text_array(cx, c.bodies, n),
                        db_text_array(cx, c.attributes, n)),
                   NULL);
}

static enum err check_size(struct ctx *cx, const char *ids) {
    struct size size;
    TRY(size_of(cx, ids, &size));
    if (size.spans > TRACE_SPANS_MAX)
        return fail(cx, ERR_UNPROCESSABLE, "a trace has %d spans at most", TRACE_SPANS_MAX);
    if (size.largest > TRACE_BYTES_MAX)
        return fail(cx, ERR_UNPROCESSABLE, "the spans of a trace have %lld bytes at most",
                    TRACE_BYTES_MAX);
    return OK;
}

static enum err unpacked(struct ctx *cx, const char **data, size_t *size, bool gzipped) {
    char *plain;
    if (!gzipped)
        return OK;
    TRY(gunzip(cx->arena, *data, *size, TRACE_REQUEST_MAX, &plain, size, &cx->err));
    *data = plain;
    return OK;
}

enum err trace_ingest(struct ctx *cx, const char *project_id, const char *experiment_id,
                      const char *data, size_t size, bool gzipped) {
    struct request request;
    struct list spans;
    const char *ids;
    TRY(unpacked(cx, &data, &size, gzipped));
    TRY(otlp_decode(cx->arena, data, size, TRACE_SPANS_MAX, &spans, &cx->err));
    if (spans.count == 0)
        return OK;
    TRY(group(cx, &spans, &request));
    TRY(store_traces(cx, project_id, experiment_id, &request, &ids));
    TRY(store_spans(cx, &request));
    return check_size(cx, ids);
}
