/* otlp.c: see otlp.h. A cursor over the message's bytes hands out members; a member that is a
 * message is a cursor of its own, so an inner length can never reach beyond the outer end. Spans
 * are counted first, so that their array is made once. */
#include "traces/otlp.h"

#include "base/ident.h"
#include "base/jsonwrite.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct cursor {
    const unsigned char *at, *end;
};

struct member {
    uint64_t number;
    enum wire wire;
    uint64_t value;      /* VARINT, 64, 32 */
    struct cursor bytes; /* BYTES */
};

struct decoder {
    struct arena *arena;
    struct err_info *err;
    struct otlp_span *spans;
    size_t count;
    struct buf *json, *attributes;
    size_t written; /* bytes of JSON until now */
};

/* What a value is when it is one: text, or a number or boolean as text. */
struct scalar {
    struct cursor text;
    char word[40];
};

static enum err wrong(struct decoder *d, const char *what) {
    d->err->code = ERR_INVALID;
    snprintf(d->err->message, sizeof(d->err->message), "Invalid OpenTelemetry protobuf format: %s",
             what);
    return ERR_INVALID;
}

static enum err too_much(struct decoder *d, const char *what) {
    d->err->code = ERR_UNPROCESSABLE;
    snprintf(d->err->message, sizeof(d->err->message), "%s", what);
    return ERR_UNPROCESSABLE;
}

/* --- reading --- */

static size_t left(const struct cursor *c) {
    return (size_t)(c->end - c->at);
}

static bool take_varint(struct cursor *c, uint64_t *ret) {
    *ret = 0;
    for (unsigned shift = 0; shift < 64 && c->at < c->end; shift += 7) {
        uint64_t byte = *c->at++;
        *ret |= (byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

/* Least significant byte first. */
static bool take_fixed(struct cursor *c, size_t size, uint64_t *ret) {
    *ret = 0;
    if (left(c) < size)
        return false;
    for (size_t i = 0; i < size; i++)
        *ret |= (uint64_t)*c->at++ << (8 * i);
    return true;
}

static bool take_bytes(struct cursor *c, struct cursor *ret) {
    uint64_t size;
    if (!take_varint(c, &size) || size > left(c))
        return false;
    *ret = (struct cursor){c->at, c->at + size};
    c->at += size;
    return true;
}

static bool take_value(struct cursor *c, struct member *m) {
    switch (m->wire) {
    case WIRE_VARINT:
        return take_varint(c, &m->value);
    case WIRE_64:
        return take_fixed(c, 8, &m->value);
    case WIRE_32:
        return take_fixed(c, 4, &m->value);
    case WIRE_BYTES:
        return take_bytes(c, &m->bytes);
    }
    return false;
}

/* The next member; *ret_more is false at the end. */
static enum err next(struct decoder *d, struct cursor *c, struct member *m, bool *ret_more) {
    uint64_t key;
    *ret_more = c->at < c->end;
    *m = (struct member){0};
    if (!*ret_more)
        return OK;
    if (!take_varint(c, &key) || key >> 3 == 0)
        return wrong(d, "a member has no number");
    m->number = key >> 3;
    m->wire = (enum wire)(key & 7);
    return take_value(c, m) ? OK : wrong(d, "a member reaches beyond its message");
}

#define FOR_EACH(d, cursor, m)                                                                     \
    for (bool more_ = true; more_;)                                                                \
        if (next((d), (cursor), (m), &more_) != OK)                                                \
            return ERR_INVALID;                                                                    \
        else if (more_)

/* Whether the member is this number, written as its type is. */
static bool is(const struct member *m, uint64_t number, enum wire wire) {
    return m->number == number && m->wire == wire;
}

/* Text as JSON and C take it: a NUL becomes a space, what is no UTF-8 loses its foreign letters. */
static const char *text_of(struct decoder *d, struct cursor c) {
    size_t size = left(&c);
    char *text = arena_alloc(d->arena, size + 1);
    for (size_t i = 0; i < size; i++)
        text[i] = c.at[i] ? (char)c.at[i] : ' ';
    if (!utf8_is_valid(text, size))
        for (size_t i = 0; i < size; i++)
            text[i] = (text[i] & 0x80) ? '?' : text[i];
    return text;
}

static const char *base64_of(struct decoder *d, struct cursor c) {
    size_t size = left(&c);
    char *text = arena_alloc(d->arena, (size + 2) / 3 * 4 + 1);
    EVP_EncodeBlock((unsigned char *)text, c.at, (int)size);
    return text;
}

static double real_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* --- values --- */

static enum err write_key_value(struct decoder *d, struct json_writer *w, struct cursor c,
                                int depth, const char **ret_key, struct scalar *ret_scalar);

/* ArrayValue and KeyValueList: both have their items as member 1. */
static enum err write_items(struct decoder *d, struct json_writer *w, struct cursor c, int depth,
                            bool pairs);

/* AnyValue. */
static enum err write_value(struct decoder *d, struct json_writer *w, struct cursor c, int depth,
                            struct scalar *ret) {
    struct member m, last = {0};
    FOR_EACH(d, &c, &m) {
        if (m.number <= 7)
            last = m;
    }
    jw_begin(w, '{');
    if (is(&last, 1, WIRE_BYTES)) {
        ret->text = last.bytes;
        jw_member_text(w, "string_value", text_of(d, last.bytes));
    } else if (is(&last, 2, WIRE_VARINT)) {
        jw_name(w, "bool_value");
        jw_bool(w, last.value != 0);
        snprintf(ret->word, sizeof(ret->word), "%s", last.value ? "true" : "false");
    } else if (is(&last, 3, WIRE_VARINT)) {
        jw_member_int(w, "int_value", (int64_t)last.value);
        snprintf(ret->word, sizeof(ret->word), "%lld", (long long)last.value);
    } else if (is(&last, 4, WIRE_64)) {
        jw_name(w, "double_value");
        jw_real(w, real_of(last.value));
        snprintf(ret->word, sizeof(ret->word), "%.15g", real_of(last.value));
    } else if (is(&last, 5, WIRE_BYTES) || is(&last, 6, WIRE_BYTES)) {
        jw_name(w, last.number == 5 ? "array_value" : "kvlist_value");
        TRY(write_items(d, w, last.bytes, depth + 1, last.number == 6));
    } else if (is(&last, 7, WIRE_BYTES)) {
        jw_member_text(w, "bytes_value", base64_of(d, last.bytes));
    }
    jw_end(w, '}');
    return OK;
}

static enum err write_items(struct decoder *d, struct json_writer *w, struct cursor c, int depth,
                            bool pairs) {
    struct scalar ignored;
    struct member m;
    const char *key;
    if (depth > OTLP_DEPTH_MAX)
        return too_much(d, "a span's attribute is nested too deeply");
    jw_begin(w, '{');
    jw_member_begin(w, "values", '[');
    FOR_EACH(d, &c, &m) {
        if (!is(&m, 1, WIRE_BYTES))
            continue;
        if (pairs)
            TRY(write_key_value(d, w, m.bytes, depth, &key, &ignored));
        else
            TRY(write_value(d, w, m.bytes, depth, &ignored));
    }
    jw_end(w, ']');
    jw_end(w, '}');
    return OK;
}

static enum err write_key_value(struct decoder *d, struct json_writer *w, struct cursor c,
                                int depth, const char **ret_key, struct scalar *ret_scalar) {
    struct cursor key = {0}, value = {0};
    struct member m;
    FOR_EACH(d, &c, &m) {
        if (is(&m, 1, WIRE_BYTES))
            key = m.bytes;
        else if (is(&m, 2, WIRE_BYTES))
            value = m.bytes;
    }
    *ret_key = text_of(d, key);
    *ret_scalar = (struct scalar){0};
    jw_begin(w, '{');
    jw_member_text(w, "key", *ret_key);
    jw_name(w, "value");
    TRY(write_value(d, w, value, depth, ret_scalar));
    jw_end(w, '}');
    return OK;
}

/* --- spans --- */

/* "\"größe\"" → "größe": what MLflow's clients say is JSON in a text. */
static const char *plain_of(struct decoder *d, const char *text) {
    json_t *json = *text == '"' ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    const char *inner = json_string_value(json);
    if (inner)
        text = arena_strdup(d->arena, inner);
    json_decref(json);
    return text;
}

static void keep_attribute(struct decoder *d, struct json_writer *w, const char *key,
                           const struct scalar *value) {
    const char *text = value->text.at ? plain_of(d, text_of(d, value->text)) : value->word;
    size_t length = strlen(text), most = length > OTLP_ATTRIBUTE_MAX ? OTLP_ATTRIBUTE_MAX : length;
    while (most > 0 && !utf8_is_valid(text, most))
        most--;
    jw_member_text(w, key, arena_strndup(d->arena, text, most));
}

/* All attributes of a message, which are its member `number`. span: whose well-known ones are taken
 * out and whose others are kept apart, or NULL. */
static enum err write_attributes(struct decoder *d, struct json_writer *w, struct cursor c,
                                 uint64_t number, struct otlp_span *span) {
    struct json_writer kept = {.out = d->attributes};
    struct scalar value;
    struct member m;
    const char *key;
    int count = 0;
    jw_member_begin(w, "attributes", '[');
    FOR_EACH(d, &c, &m) {
        if (!is(&m, number, WIRE_BYTES))
            continue;
        TRY(write_key_value(d, w, m.bytes, 0, &key, &value));
        if (!span || (!value.text.at && !*value.word))
            continue;
        if (value.text.at && strcmp(key, "mlflow.spanType") == 0)
            span->type = text_of(d, value.text);
        else if (value.text.at && strcmp(key, "mlflow.spanInputs") == 0)
            span->inputs = text_of(d, value.text);
        else if (value.text.at && strcmp(key, "mlflow.spanOutputs") == 0)
            span->outputs = text_of(d, value.text);
        else if (count++ < OTLP_ATTRIBUTES_MAX)
            keep_attribute(d, &kept, key, &value);
    }
    jw_end(w, ']');
    return OK;
}

/* Of 64 bits, as far as a signed number goes. */
static int64_t nanoseconds(uint64_t value) {
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

static enum err write_event(struct decoder *d, struct json_writer *w, struct cursor c) {
    struct cursor all = c, name = {0};
    struct member m;
    int64_t at = 0;
    FOR_EACH(d, &c, &m) {
        if (is(&m, 1, WIRE_64))
            at = nanoseconds(m.value);
        else if (is(&m, 2, WIRE_BYTES))
            name = m.bytes;
    }
    jw_begin(w, '{');
    jw_member_int(w, "time_unix_nano", at);
    jw_member_text(w, "name", text_of(d, name));
    TRY(write_attributes(d, w, all, 3, NULL));
    jw_end(w, '}');
    return OK;
}

static enum err write_link(struct decoder *d, struct json_writer *w, struct cursor c) {
    struct cursor all = c, trace = {0}, span = {0};
    struct member m;
    FOR_EACH(d, &c, &m) {
        if (is(&m, 1, WIRE_BYTES))
            trace = m.bytes;
        else if (is(&m, 2, WIRE_BYTES))
            span = m.bytes;
    }
    jw_begin(w, '{');
    jw_member_text(w, "trace_id", base64_of(d, trace));
    jw_member_text(w, "span_id", base64_of(d, span));
    TRY(write_attributes(d, w, all, 4, NULL));
    jw_end(w, '}');
    return OK;
}

/* The messages that are member `number` of a span. */
static enum err write_list(struct decoder *d, struct json_writer *w, struct cursor c,
                           const char *name, uint64_t number,
                           enum err (*write)(struct decoder *, struct json_writer *,
                                             struct cursor)) {
    struct member m;
    jw_member_begin(w, name, '[');
    FOR_EACH(d, &c, &m) {
        if (is(&m, number, WIRE_BYTES))
            TRY(write(d, w, m.bytes));
    }
    jw_end(w, ']');
    return OK;
}

static enum err write_status(struct decoder *d, struct json_writer *w, struct cursor c,
                             struct otlp_span *span) {
    static const char *const CODES[] = {"STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"};
    struct cursor message = {0};
    struct member m;
    FOR_EACH(d, &c, &m) {
        if (is(&m, 2, WIRE_BYTES))
            message = m.bytes;
        else if (is(&m, 3, WIRE_VARINT) && m.value <= OTLP_ERROR)
            span->status = (enum otlp_status)m.value;
    }
    jw_member_begin(w, "status", '{');
    jw_member_text(w, "message", text_of(d, message));
    jw_member_text(w, "code", CODES[span->status]);
    jw_end(w, '}');
    return OK;
}

struct parts { /* of a span */
    struct cursor trace_id, span_id, parent_id, name, status;
    uint64_t kind;
};

static enum err take_parts(struct decoder *d, struct cursor c, struct parts *p,
                           struct otlp_span *span) {
    struct member m;
    FOR_EACH(d, &c, &m) {
        if (is(&m, 1, WIRE_BYTES))
            p->trace_id = m.bytes;
        else if (is(&m, 2, WIRE_BYTES))
            p->span_id = m.bytes;
        else if (is(&m, 4, WIRE_BYTES))
            p->parent_id = m.bytes;
        else if (is(&m, 5, WIRE_BYTES))
            p->name = m.bytes;
        else if (is(&m, 6, WIRE_VARINT))
            p->kind = m.value <= 5 ? m.value : 0;
        else if (is(&m, 7, WIRE_64))
            span->started_ns = nanoseconds(m.value);
        else if (is(&m, 8, WIRE_64))
            span->ended_ns = nanoseconds(m.value);
        else if (is(&m, 15, WIRE_BYTES))
            p->status = m.bytes;
    }
    return OK;
}

static enum err take_ids(struct decoder *d, const struct parts *p, struct otlp_span *span) {
    size_t parent = left(&p->parent_id);
    if (left(&p->trace_id) != 16 || left(&p->span_id) != 8 || (parent != 0 && parent != 8))
        return wrong(d, "a span has no trace_id of 16 bytes, span_id of 8 and parent of 8 or none");
    hex_encode(p->trace_id.at, 16, span->trace_id);
    hex_encode(p->span_id.at, 8, span->span_id);
    if (parent)
        hex_encode(p->parent_id.at, 8, span->parent_id);
    return OK;
}

static enum err write_span(struct decoder *d, struct json_writer *w, struct cursor c,
                           const struct parts *p, struct otlp_span *span) {
    jw_begin(w, '{');
    jw_member_text(w, "trace_id", base64_of(d, p->trace_id));
    jw_member_text(w, "span_id", base64_of(d, p->span_id));
    if (span->parent_id[0])
        jw_member_text(w, "parent_span_id", base64_of(d, p->parent_id));
    jw_member_text(w, "name", span->name);
    jw_member_int(w, "kind", (int64_t)p->kind);
    jw_member_int(w, "start_time_unix_nano", span->started_ns);
    jw_member_int(w, "end_time_unix_nano", span->ended_ns);
    TRY(write_attributes(d, w, c, 9, span));
    TRY(write_list(d, w, c, "events", 11, write_event));
    TRY(write_list(d, w, c, "links", 13, write_link));
    TRY(write_status(d, w, p->status, span));
    jw_end(w, '}');
    return OK;
}

static enum err decode_span(struct decoder *d, struct cursor c) {
    struct otlp_span *span = &d->spans[d->count++];
    struct parts parts = {0};
    struct json_writer w = {.out = d->json};
    TRY(take_parts(d, c, &parts, span));
    TRY(take_ids(d, &parts, span));
    span->name = text_of(d, parts.name);
    d->json->size = 0;
    d->attributes->size = 0;
    TRY(write_span(d, &w, c, &parts, span));
    d->written += d->json->size;
    if (d->written > OTLP_JSON_MAX)
        return too_much(d, "the spans of this request are too large");
    span->json = arena_strndup(d->arena, d->json->data, d->json->size);
    span->attributes = arena_printf(d->arena, "{%.*s}", (int)d->attributes->size,
                                    d->attributes->data ? d->attributes->data : "");
    return OK;
}

/* ResourceSpans in the request, ScopeSpans in those, spans in these; all are members 2 but the
 * outermost. fn sees each span. */
static enum err each_span(struct decoder *d, struct cursor c, int level,
                          enum err (*fn)(struct decoder *, struct cursor)) {
    struct member m;
    FOR_EACH(d, &c, &m) {
        if (!is(&m, level == 0 ? 1 : 2, WIRE_BYTES))
            continue;
        if (level == 2)
            TRY(fn(d, m.bytes));
        else
            TRY(each_span(d, m.bytes, level + 1, fn));
    }
    return OK;
}

static enum err count_span(struct decoder *d, struct cursor c) {
    (void)c;
    d->count++;
    return OK;
}

enum err otlp_decode(struct arena *arena, const void *data, size_t size, size_t spans_max,
                     struct list *ret, struct err_info *err) {
    auto_buf json = {0}, attributes = {0};
    struct decoder d = {.arena = arena, .err = err, .json = &json, .attributes = &attributes};
    const unsigned char *bytes = size ? data : (const unsigned char *)"";
    const struct cursor all = {bytes, bytes + size};
    TRY(each_span(&d, all, 0, count_span));
    if (d.count > spans_max)
        return too_much(&d, arena_printf(arena, "a request has %zu spans at most", spans_max));
    d.spans = arena_new_array(arena, struct otlp_span, d.count + 1);
    d.count = 0;
    TRY(each_span(&d, all, 0, decode_span));
    *ret = (struct list){d.spans, d.count};
    return OK;
}
