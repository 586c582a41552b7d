/* The audit log as people read it: pages, copies of the whole, and the proof that nothing was
 * changed. Rows come from auth_audit() (auth.h); nobody can change one.
 *
 * Each team's rows are a chain: a row's hash covers what it says and the hash before it. A row that
 * was changed, or taken out between others, shows; that the newest were cut off shows against the
 * end of an earlier verification. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

struct audit_event {
    int64_t seq, at;
    const char *actor_kind, *actor_name, *action, *object;
    const char *refusal; /* the code of a refused request; NULL = it succeeded */
    const char *remote, *request_id;
};
extern const struct shape AUDIT_EVENT;

struct audit_query {
    struct page_query page;
    const char *actor, *action, *object; /* part of the name, start of the action, part */
    bool refused;
    int64_t from, to;
};
/* One row more than the page shows. */
MUST_USE enum err audit_list(struct ctx *cx, const struct audit_query *query, struct list *ret);

struct audit_verification {
    bool ok;
    int64_t events;
    int64_t first_bad_seq; /* FIELD_NO_INT = none */
    int64_t last_seq;      /* 0 = no events */
    const char *last_hash; /* hex; what to keep elsewhere: a later log must still have it */
    const char *message;
};
extern const struct shape AUDIT_VERIFICATION;
/* team_id NULL = the chain of what belongs to no team, for the system only. */
MUST_USE enum err audit_verify(struct ctx *cx, const char *team_id, struct audit_verification *ret);

/* Whether the chain still has the event that an earlier verification ended with. */
MUST_USE enum err audit_contains(struct ctx *cx, const char *team_id, int64_t seq, const char *hash,
                                 bool *ret);

enum audit_format { AUDIT_JSONL, AUDIT_CSV };
struct audit_sink {
    enum audit_format format;
    bool (*write)(void *arg, const void *data, size_t size); /* false = nobody reads any more */
    void *arg;
};
/* The team's rows up to now, oldest first, a thousand at a time in memory. Holds no transaction
 * while it writes. */
MUST_USE enum err audit_export(struct ctx *cx, const char *team_id, const struct audit_sink *sink);

/* Every chain there is, for the system: struct audit_chain. */
struct audit_chain {
    const char *id;   /* NULL = of no team */
    const char *slug; /* "" = of no team; the id when the team is gone */
};
MUST_USE enum err audit_chain_list(struct ctx *cx, struct list *ret);

extern const struct route AUDIT_ROUTES[];
extern const size_t AUDIT_ROUTE_COUNT;
