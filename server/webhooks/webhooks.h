/* Webhooks: addresses outside that are told what happens in a project, over HTTPS, signed.
 *
 * An event is written where it happens: webhook_emit() puts a row for each hook that wants it into
 * the outbox, in the transaction of the change itself. So nothing is told of what was rolled back,
 * and nothing that was committed is forgotten. The threads of sender.c, in every process, claim
 * rows and send them; each delivery comes at least once, always with the same id.
 *
 *     waiting ──2xx──► delivered
 *        │  ▲ └─429, 5xx, no answer: again later, up to 9 times within a day
 *        │  └──────── sent again by hand
 *        └──any other answer, or nothing after the last try──► failed
 *
 * A hook that answers nothing but failures for a day is switched off, and says why. The events and
 * the form of what is sent are MLflow's; when you add an event, also change its sample. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

#define WEBHOOKS_MAX 20 /* of a project */

enum webhook_status { WEBHOOK_ACTIVE, WEBHOOK_DISABLED };
extern const char *const WEBHOOK_STATUS_NAMES[];
enum delivery_state { DELIVERY_WAITING, DELIVERY_DELIVERED, DELIVERY_FAILED };
extern const char *const DELIVERY_STATE_NAMES[];
/* "registered_model.created", …; NULL-terminated. */
extern const char *const WEBHOOK_EVENT_NAMES[];

struct webhook {
    const char *id, *project_id, *name, *description, *url;
    struct list events;          /* const char *: of WEBHOOK_EVENT_NAMES, as they were given */
    bool has_secret;             /* what is sent is signed */
    const char *secret_sealed;   /* or NULL; never told */
    int status;                  /* enum webhook_status */
    const char *disabled_reason; /* "" unless the server switched it off */
    int64_t failing_since;       /* 0 = the last delivery worked, or there was none */
    int64_t failures;            /* attempts since then */
    const char *created_by;
    int64_t created_at, updated_at;
    int last_state;  /* of the newest delivery; FIELD_NO_ENUM = there is none */
    int64_t last_at; /* 0 = there is none */
};

/* --- telling --- */

/* Whether the team has any hook at all. Ask before making a payload that costs statements: most
 * teams have none. */
MUST_USE enum err webhooks_wanted(struct ctx *cx, bool *ret);
/* Tells the project's hooks that want this event, once the transaction is committed. data is what
 * it is about; the reference is taken. */
MUST_USE enum err webhook_emit(struct ctx *cx, const char *project_id, const char *event,
                               json_t *data);

/* --- hooks; all of one project, for its admins --- */

struct webhook_change {
    const char *name, *description, *url;
    struct list events;
    const char *secret; /* "" = none; NULL = as it is */
    int status;         /* enum webhook_status */
};
/* ERR_INVALID names the field: an address may be none of ours, not even by its numbers; names are
 * looked up when something is sent. ERR_CONFLICT when the project has WEBHOOKS_MAX. */
MUST_USE enum err webhook_create(struct ctx *cx, const char *project_id,
                                 const struct webhook_change *change, struct webhook *ret);
MUST_USE enum err webhook_get(struct ctx *cx, const char *project_id, const char *id,
                              struct webhook *ret);
/* Newest first, those before an id (or NULL): struct webhook. */
MUST_USE enum err webhook_list(struct ctx *cx, const char *project_id, const char *before,
                               int64_t limit, struct list *ret);
/* All of the change counts, but a secret of NULL. hook is as it was, and is then as it is. What
 * waits for a hook that is switched off fails. */
MUST_USE enum err webhook_update(struct ctx *cx, struct webhook *hook,
                                 const struct webhook_change *change);
MUST_USE enum err webhook_delete(struct ctx *cx, const struct webhook *hook);

struct webhook_test {
    bool ok;
    int64_t status;     /* of the answer; FIELD_NO_INT = there was none */
    const char *answer; /* its beginning; NULL when there was none, or no text */
    const char *error;  /* a sentence; NULL when all is well */
    int64_t duration_ms;
};
/* Sends a sample of the event (NULL = the hook's first) at once; commits, and waits up to 10 s. */
void webhook_test(struct ctx *cx, const struct webhook *hook, const char *event,
                  struct webhook_test *ret);

/* --- the process's part --- */

struct webhooks;
struct webhooks *webhooks_new(void);
void webhooks_free(struct webhooks *webhooks);
/* Starts and ends the threads that send; a request in flight is waited for. */
MUST_USE enum err webhooks_start(struct app *app, struct err_info *err);
void webhooks_stop(struct webhooks *webhooks);
/* Sends the next delivery that is due, as the threads do; for tests. */
MUST_USE enum err webhooks_send_one(struct app *app, bool *ret_found, struct err_info *err);
/* Switches off hooks that are told far more than they take, and forgets old deliveries. As
 * PRINCIPAL_SYSTEM. */
MUST_USE enum err webhooks_sweep(struct ctx *cx);

extern const struct route WEBHOOK_ROUTES[];
extern const size_t WEBHOOK_ROUTE_COUNT;
extern const struct db_constraint WEBHOOK_CONSTRAINTS[];
extern const size_t WEBHOOK_CONSTRAINT_COUNT;
