/* One's own sessions: on which device, since when, and ending them; see access.h. */

#include "auth/access.h"
#include "auth/auth.h"
#include "auth/auth_private.h"
#include "base/ident.h"
#include "db/db.h"
#include "http/page.h"
#include "sql/auth.h"

#include <string.h>

static const struct field BROWSER_SESSION_FIELDS[] = {
    FIELD(UUID, struct browser_session, id),
    FIELD(STRING, struct browser_session, device, .doc = "browser and system, as it says itself"),
    FIELD(STRING, struct browser_session, remote, .doc = "address it signed in from"),
    FIELD(TIME, struct browser_session, created_at),
    FIELD(TIME, struct browser_session, last_used_at, .doc = "to the life of an access token"),
    FIELD(TIME, struct browser_session, expires_at, .doc = "if it is not used before"),
    FIELD(BOOL, struct browser_session, current, .doc = "the one that asks"),
};
SHAPE(BROWSER_SESSION, "BrowserSession", struct browser_session, BROWSER_SESSION_FIELDS);

/* The first word found wins: Edge and Opera call themselves Chrome too, and Chrome Safari. */
static const struct {
    const char *word, *name;
} BROWSERS[] = {{"Edg", "Edge"},           {"OPR/", "Opera"},     {"Firefox/", "Firefox"},
                {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"},
                {"curl/", "curl"}},
  SYSTEMS[] = {{"Android", "Android"}, {"iPhone", "iPhone"},  {"iPad", "iPad"},
               {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}};

const char *device_name(struct ctx *cx, const char *user_agent) {
    const char *browser = NULL, *system = NULL;
    for (size_t i = 0; !browser && i < sizeof(BROWSERS) / sizeof(BROWSERS[0]); i++)
        if (strstr(user_agent, BROWSERS[i].word))
            browser = BROWSERS[i].name;
    for (size_t i = 0; !system && i < sizeof(SYSTEMS) / sizeof(SYSTEMS[0]); i++)
        if (strstr(user_agent, SYSTEMS[i].word))
            system = SYSTEMS[i].name;
    if (browser && system)
        return arena_printf(cx->arena, "%s on %s", browser, system);
    return browser ? browser : system ? system : user_agent;
}

struct request {
    struct principal who; /* cx->who is the system meanwhile */
    const char *id;       /* of the session to end, or to start the page behind */
    const char *rows;
    struct list sessions;
    int64_t changed;
};

static enum err list(struct ctx *cx, void *arg) {
    struct request *r = arg;
    return db_many(cx, &SQL_browser_session_list,
                   ARGS(r->who.user_id, r->who.session_id, r->id, r->rows), &BROWSER_SESSION,
                   &r->sessions);
}

enum err browser_session_list(struct ctx *cx, const struct page_query *page, struct list *ret) {
    struct request r = {.who = cx->who, .rows = page_rows(cx, page)};
    TRY(page_after(cx, page, &r.id));
    TRY(as_system(cx, list, &r));
    struct browser_session *sessions = r.sessions.items;
    for (size_t i = 0; i < r.sessions.count; i++)
        sessions[i].device = device_name(cx, sessions[i].device);
    *ret = r.sessions;
    return OK;
}

static enum err end(struct ctx *cx, void *arg) {
    struct request *r = arg;
    return db_exec(cx, &SQL_browser_session_end, ARGS(r->who.user_id, r->id), &r->changed);
}

enum err browser_session_end(struct ctx *cx, const char *id) {
    struct request r = {.who = cx->who, .id = id};
    if (uuid_is_valid(id))
        TRY(as_system(cx, end, &r));
    if (!r.changed)
        return fail(cx, ERR_NOT_FOUND, "there is no such session");
    principals_forget(cx->app->auth->principals, id);
    return OK;
}

static enum err end_others(struct ctx *cx, void *arg) {
    struct request *r = arg;
    return db_exec(cx, &SQL_browser_session_end_others, ARGS(r->who.user_id, r->who.session_id),
                   NULL);
}

enum err browser_session_end_others(struct ctx *cx) {
    struct request r = {.who = cx->who};
    TRY(as_system(cx, end_others, &r));
    principals_forget(cx->app->auth->principals, cx->who.user_id);
    return OK;
}

/* --- routes --- */

struct sessions_query {
    struct page_query page;
};
static const struct field SESSIONS_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct sessions_query)};
static SHAPE(SESSIONS_QUERY, "BrowserSessionQuery", struct sessions_query, SESSIONS_QUERY_FIELDS);

static enum err get_sessions(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct sessions_query *query = rq->query;
    struct list sessions;
    TRY(browser_session_list(cx, &query->page, &sessions));
    reply_page_by_id(cx, rq, rp, &query->page, sessions);
    return OK;
}

static enum err delete_session(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    return browser_session_end(cx, req_param(rq, "session"));
}

static enum err post_end_others(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    (void)rp;
    return browser_session_end_others(cx);
}

const struct route SESSIONS_ROUTES[] = {
    {GET, "/api/v1/sessions", SCOPE_SESSION_ONLY, .query = &SESSIONS_QUERY,
     .reply = &BROWSER_SESSION, .handle = get_sessions, .flags = ROUTE_LIST,
     .doc = "One's own open browser sessions, in all teams."},
    {DELETE, "/api/v1/sessions/{session}", SCOPE_SESSION_ONLY, .handle = delete_session,
     .audit = "session.end", .doc = "End one of one's own sessions."},
    {POST, "/api/v1/sessions/end-others", SCOPE_SESSION_ONLY, .handle = post_end_others,
     .audit = "session.end_others", .doc = "End all of one's own sessions but this one."},
};
const size_t SESSIONS_ROUTE_COUNT = ROUTES_COUNT(SESSIONS_ROUTES);
