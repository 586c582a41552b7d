/* The audit log over HTTP; see audit.h. */
#include "auth/audit.h"

#include <string.h>

static const struct field AUDIT_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct audit_query),
    FIELD(STRING, struct audit_query, actor, .min = 1, .max = 200, .doc = "part of who it was"),
    FIELD(STRING, struct audit_query, action, .min = 1, .max = 100,
          .doc = "what was done, or how it begins: token. or token.create"),
    FIELD(STRING, struct audit_query, object, .min = 1, .max = 300,
          .doc = "part of what it was done to"),
    FIELD(BOOL, struct audit_query, refused, .doc = "only what was refused"),
    FIELD(TIME, struct audit_query, from),
    FIELD(TIME, struct audit_query, to, .doc = "before this time"),
};
static SHAPE(AUDIT_QUERY, "AuditQuery", struct audit_query, AUDIT_QUERY_FIELDS);

static const char *const FORMATS[] = {"jsonl", "csv", NULL};
struct export_query {
    int format; /* enum audit_format */
};
static const struct field EXPORT_QUERY_FIELDS[] = {
    FIELD(ENUM, struct export_query, format, .flags = FIELD_REQUIRED, .names = FORMATS),
};
static SHAPE(EXPORT_QUERY, "AuditExportQuery", struct export_query, EXPORT_QUERY_FIELDS);

static enum err get_audit(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct audit_query *query = rq->query;
    size_t limit = (size_t)page_limit(&query->page);
    const char *next = NULL;
    struct list events;
    TRY(audit_list(cx, query, &events));
    if (events.count > limit) {
        const struct audit_event *last = (const struct audit_event *)events.items + limit - 1;
        events.count = limit;
        next = cursor_encode(cx, ARGS(db_int(cx, last->seq)), 1);
    }
    reply_page(rp, events, next);
    return OK;
}

static bool write_out(void *io, const void *data, size_t size) {
    return http_io_write(io, data, size);
}

static enum err run_export(struct ctx *cx, struct http_io *io, void *arg) {
    const struct export_query *query = arg;
    const struct audit_sink sink = {(enum audit_format)query->format, write_out, io};
    return audit_export(cx, cx->who.team_id, &sink);
}

static enum err get_export(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct export_query *query = rq->query;
    bool csv = query->format == AUDIT_CSV;
    reply_header(cx, rp, "Content-Disposition",
                 csv ? "attachment; filename=\"audit.csv\""
                     : "attachment; filename=\"audit.jsonl\"");
    reply_stream(rp,
                 &(struct reply_stream){csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
                                        run_export, (void *)(uintptr_t)query});
    return OK;
}

static enum err get_verification(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    struct audit_verification *verification =
        arena_new_struct(cx->arena, struct audit_verification);
    TRY(audit_verify(cx, cx->who.team_id, verification));
    reply_object(rp, verification);
    return OK;
}

const struct route AUDIT_ROUTES[] = {
    {GET, "/api/v1/audit", SCOPE_TEAM_ADMIN, .query = &AUDIT_QUERY, .reply = &AUDIT_EVENT,
     .handle = get_audit, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "Who did what, newest first."},
    {GET, "/api/v1/audit/export", SCOPE_TEAM_ADMIN, .query = &EXPORT_QUERY, .handle = get_export,
     .rate = RATE_STREAM, .audit = "audit.export",
     .doc = "The whole log, oldest first, as JSON Lines or CSV."},
    {GET, "/api/v1/audit/verify", SCOPE_TEAM_ADMIN, .reply = &AUDIT_VERIFICATION,
     .handle = get_verification, .rate = RATE_SEARCH,
     .doc = "Whether an event was changed or taken out since it was written."},
};
const size_t AUDIT_ROUTE_COUNT = ROUTES_COUNT(AUDIT_ROUTES);
