/* See audit.h. PostgreSQL checks the chain: it made the hashes, and a million rows stay where they
 * are. */
#include "auth/audit.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/csv.h"
#include "http/page.h"
#include "sql/auth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { EXPORT_ROWS = 1000 };

static const struct field AUDIT_EVENT_FIELDS[] = {
    FIELD(INT, struct audit_event, seq, .doc = "its place in the team's chain, from 1"),
    FIELD(TIME, struct audit_event, at),
    FIELD(STRING, struct audit_event, actor_kind),
    FIELD(STRING, struct audit_event, actor_name),
    FIELD(STRING, struct audit_event, action),
    FIELD(STRING, struct audit_event, object),
    FIELD(STRING, struct audit_event, refusal, .flags = FIELD_NULLABLE,
          .doc = "code of the refusal; null = it was done"),
    FIELD(STRING, struct audit_event, remote),
    FIELD(STRING, struct audit_event, request_id),
};
SHAPE(AUDIT_EVENT, "AuditEvent", struct audit_event, AUDIT_EVENT_FIELDS);

/* --- pages --- */

static enum err before_seq(struct ctx *cx, const struct page_query *page, const char **ret) {
    TRY(page_after(cx, page, ret));
    if (!*ret)
        *ret = db_int(cx, INT64_MAX);
    return OK;
}

enum err audit_list(struct ctx *cx, const struct audit_query *query, struct list *ret) {
    const char *before;
    TRY(before_seq(cx, &query->page, &before));
    return db_many(cx, &SQL_audit_list,
                   ARGS(cx->who.team_id, before, query->actor, query->action, query->object,
                        db_bool(query->refused), db_time(cx, query->from), db_time(cx, query->to),
                        page_rows(cx, &query->page)),
                   &AUDIT_EVENT, ret);
}

/* --- the proof --- */

static const struct field AUDIT_VERIFICATION_FIELDS[] = {
    FIELD(BOOL, struct audit_verification, ok),
    FIELD(INT, struct audit_verification, events),
    FIELD(INT, struct audit_verification, first_bad_seq, .flags = FIELD_NULLABLE),
    FIELD(INT, struct audit_verification, last_seq),
    FIELD(STRING, struct audit_verification, last_hash,
          .doc = "of the newest event: kept elsewhere, it shows later that none was cut off"),
    FIELD(STRING, struct audit_verification, message),
};
SHAPE(AUDIT_VERIFICATION, "AuditVerification", struct audit_verification,
      AUDIT_VERIFICATION_FIELDS);

struct verdict {
    int64_t events, first_bad_seq, last_seq;
    const char *fault, *last_hash;
};
static const struct field VERDICT_FIELDS[] = {
    FIELD(INT, struct verdict, events),
    FIELD(INT, struct verdict, first_bad_seq, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct verdict, fault, .flags = FIELD_NULLABLE),
    FIELD(INT, struct verdict, last_seq),
    FIELD(STRING, struct verdict, last_hash),
};
static SHAPE(VERDICT, "AuditVerdict", struct verdict, VERDICT_FIELDS);

static const char *verdict_message(struct ctx *cx, const struct verdict *v) {
    if (!v->fault)
        return arena_printf(cx->arena, "%" PRId64 " events, each as it was written", v->events);
    if (strcmp(v->fault, "missing") == 0)
        return arena_printf(cx->arena, "event %" PRId64 " is missing", v->first_bad_seq);
    if (strcmp(v->fault, "changed") == 0)
        return arena_printf(cx->arena, "event %" PRId64 " was changed", v->first_bad_seq);
    return arena_printf(cx->arena, "event %" PRId64 " does not belong to the one before it",
                        v->first_bad_seq);
}

enum err audit_verify(struct ctx *cx, const char *team_id, struct audit_verification *ret) {
    struct verdict v;
    TRY(db_one(cx, &SQL_audit_verify, ARGS(team_id), &VERDICT, &v));
    *ret = (struct audit_verification){.ok = !v.fault,
                                       .events = v.events,
                                       .first_bad_seq = v.first_bad_seq,
                                       .last_seq = v.last_seq,
                                       .last_hash = v.last_hash,
                                       .message = verdict_message(cx, &v)};
    return OK;
}

enum err audit_contains(struct ctx *cx, const char *team_id, int64_t seq, const char *hash,
                        bool *ret) {
    const char *there;
    TRY(db_value(cx, &SQL_audit_contains, ARGS(team_id, db_int(cx, seq), hash), &there));
    *ret = strcmp(there, "t") == 0;
    return OK;
}

static const struct field CHAIN_FIELDS[] = {
    FIELD(UUID, struct audit_chain, id, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct audit_chain, slug),
};
static SHAPE(CHAIN, "AuditChain", struct audit_chain, CHAIN_FIELDS);

enum err audit_chain_list(struct ctx *cx, struct list *ret) {
    return db_many(cx, &SQL_audit_chains, NO_ARGS, &CHAIN, ret);
}

/* --- copies --- */

static void put_jsonl(struct buf *out, const struct audit_event *event) {
    auto_json *json = field_encode(&AUDIT_EVENT, event);
    auto_free char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (!text)
        abort();
    buf_text(out, text);
    buf_text(out, "\n");
}

/* As the shape says it: the columns, their order and their text are those of JSON. */
static void put_csv(struct buf *out, const struct audit_event *event) {
    auto_json *json = field_encode(&AUDIT_EVENT, event);
    for (size_t i = 0; i < AUDIT_EVENT.field_count; i++) {
        const json_t *value = json_object_get(json, AUDIT_EVENT.fields[i].name);
        if (json_is_integer(value))
            buf_printf(out, "%" PRId64, (int64_t)json_integer_value(value));
        else
            csv_text(out, json_is_string(value) ? json_string_value(value) : "");
        buf_text(out, i + 1 < AUDIT_EVENT.field_count ? "," : "\r\n");
    }
}

static void put_csv_head(struct buf *out) {
    for (size_t i = 0; i < AUDIT_EVENT.field_count; i++)
        buf_printf(out, "%s%s", AUDIT_EVENT.fields[i].name,
                   i + 1 < AUDIT_EVENT.field_count ? "," : "\r\n");
}

struct export {
    const char *team_id;
    const struct audit_sink *sink;
    int64_t seq, newest;
    bool is_read; /* somebody still takes what is written */
};

static enum err export_rows(struct ctx *cx, struct export *e) {
    auto_buf out = {0};
    struct list rows;
    TRY(db_many(
        cx, &SQL_audit_after,
        ARGS(e->team_id, db_int(cx, e->seq), db_int(cx, e->newest), db_int(cx, EXPORT_ROWS)),
        &AUDIT_EVENT, &rows));
    TRY(db_commit(cx));
    const struct audit_event *events = rows.items;
    for (size_t i = 0; i < rows.count; i++)
        (e->sink->format == AUDIT_CSV ? put_csv : put_jsonl)(&out, &events[i]);
    e->seq = rows.count ? events[rows.count - 1].seq : e->newest;
    e->is_read = out.size == 0 || e->sink->write(e->sink->arg, out.data, out.size);
    return OK;
}

/* Each part with memory of its own: the log may be larger than the machine. */
static enum err export_part(struct ctx *cx, struct export *e) {
    struct ctx part;
    ctx_init(&part, cx->app);
    part.who = cx->who;
    enum err err = export_rows(&part, e);
    cx->err = part.err;
    ctx_done(&part);
    return err;
}

enum err audit_export(struct ctx *cx, const char *team_id, const struct audit_sink *sink) {
    struct export e = {.team_id = team_id, .sink = sink, .is_read = true};
    const char *newest;
    auto_buf head = {0};
    TRY(db_value(cx, &SQL_audit_newest, ARGS(team_id), &newest));
    TRY(db_commit(cx));
    e.newest = strtoll(newest, NULL, 10);
    if (sink->format == AUDIT_CSV) {
        put_csv_head(&head);
        e.is_read = sink->write(sink->arg, head.data, head.size);
    }
    while (e.is_read && e.seq < e.newest)
        TRY(export_part(cx, &e));
    return OK;
}
