/* The hooks themselves, and the events they are told; see webhooks.h. */
#include "webhooks/internal.h"

#include "auth/auth.h"
#include "auth/seal.h"
#include "base/clock.h"
#include "base/ident.h"
#include "http/outbound.h"
#include "sql/webhooks.h"

#include <stdlib.h>
#include <string.h>

enum { WAITING_MAX = 10000, KEPT_DAYS = 30, KEPT_DELIVERIES = 500 };

const char *const WEBHOOK_STATUS_NAMES[] = {"active", "disabled", NULL};
const char *const DELIVERY_STATE_NAMES[] = {"waiting", "delivered", "failed", NULL};

#define WEBHOOK_ROW_FIELDS_COMMON                                                                  \
    FIELD(UUID, struct webhook, id), FIELD(UUID, struct webhook, project_id),                      \
        FIELD(STRING, struct webhook, name), FIELD(STRING, struct webhook, description),           \
        FIELD(STRING, struct webhook, url), FIELD(STRINGS, struct webhook, events),                \
        FIELD(BOOL, struct webhook, has_secret, .doc = "what is sent is signed with it"),          \
        FIELD(ENUM, struct webhook, status, .names = WEBHOOK_STATUS_NAMES),                        \
        FIELD(STRING, struct webhook, disabled_reason,                                             \
              .doc = "why the server switched it off; empty = it did not"),                        \
        FIELD(TIME, struct webhook, failing_since, .flags = FIELD_NULLABLE),                       \
        FIELD(INT, struct webhook, failures, .doc = "attempts in a row that failed"),              \
        FIELD(STRING, struct webhook, created_by), FIELD(TIME, struct webhook, created_at),        \
        FIELD(TIME, struct webhook, updated_at),                                                   \
        FIELD(ENUM, struct webhook, last_state, .flags = FIELD_NULLABLE,                           \
              .names = DELIVERY_STATE_NAMES, .doc = "of the newest delivery"),                     \
        FIELD(TIME, struct webhook, last_at, .flags = FIELD_NULLABLE)

static const struct field WEBHOOK_FIELDS[] = {WEBHOOK_ROW_FIELDS_COMMON};
SHAPE(WEBHOOK, "Webhook", struct webhook, WEBHOOK_FIELDS);
static const struct field WEBHOOK_ROW_FIELDS[] = {
    WEBHOOK_ROW_FIELDS_COMMON,
    FIELD(STRING, struct webhook, secret_sealed, .flags = FIELD_NULLABLE | FIELD_SECRET),
};
SHAPE(WEBHOOK_ROW, "WebhookRow", struct webhook, WEBHOOK_ROW_FIELDS);

const struct db_constraint WEBHOOK_CONSTRAINTS[] = {
    {"webhooks_name_form", ERR_INVALID, "name",
     "a webhook's name has 1 to 63 letters, digits, dots, hyphens and underscores, and begins and "
     "ends with a letter or digit"},
    {"webhooks_description_length", ERR_INVALID, "description",
     "a description has at most 1,000 characters"},
    {"webhooks_url_length", ERR_INVALID, "url", "an address has 1 to 2,000 bytes"},
    {"webhooks_events_some", ERR_INVALID, "events", "a webhook wants 1 to 50 events"},
};
const size_t WEBHOOK_CONSTRAINT_COUNT =
    sizeof(WEBHOOK_CONSTRAINTS) / sizeof(WEBHOOK_CONSTRAINTS[0]);

/* --- telling --- */

enum err webhooks_wanted(struct ctx *cx, bool *ret) {
    const char *wanted;
    TRY(db_value(cx, &SQL_webhook_wanted, ARGS(cx->who.team_id), &wanted));
    *ret = strcmp(wanted, "t") == 0;
    return OK;
}

enum err webhook_emit(struct ctx *cx, const char *project_id, const char *event, json_t *data) {
    const char *body = webhook_body(cx, event, data);
    return db_exec(cx, &SQL_webhook_emit, ARGS(cx->who.team_id, project_id, event, body), NULL);
}

/* --- reading --- */

enum err webhook_list(struct ctx *cx, const char *project_id, const char *before, int64_t limit,
                      struct list *ret) {
    return db_many(cx, &SQL_webhook_list,
                   ARGS(cx->who.team_id, project_id, NULL, before, db_int(cx, limit)), &WEBHOOK_ROW,
                   ret);
}

enum err webhook_get(struct ctx *cx, const char *project_id, const char *id, struct webhook *ret) {
    struct list found = {NULL, 0};
    if (uuid_is_valid(id))
        TRY(db_many(cx, &SQL_webhook_list, ARGS(cx->who.team_id, project_id, id, NULL, "1"),
                    &WEBHOOK_ROW, &found));
    if (found.count == 0)
        return fail(cx, ERR_NOT_FOUND, "webhook \"%.100s\" does not exist", id);
    *ret = *(const struct webhook *)found.items;
    return OK;
}

/* --- changing --- */

static enum err check_url(struct ctx *cx, const char *url) {
    if (outbound_check(cx, url) == OK)
        return OK;
    const char *why = arena_strdup(cx->arena, cx->err.message);
    return fail_field(cx, ERR_INVALID, "url", "%s", why);
}

/* As they were given, each once. */
static enum err check_events(struct ctx *cx, const struct list *events, const char **ret) {
    const char *const *items = events->items;
    const char **kept = arena_new_array(cx->arena, const char *, events->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < events->count; i++) {
        size_t same = 0;
        if (!webhook_event_exists(items[i]))
            return fail_field(cx, ERR_INVALID, "events", "there is no event \"%.100s\"", items[i]);
        while (same < count && strcmp(kept[same], items[i]) != 0)
            same++;
        if (same == count)
            kept[count++] = items[i];
    }
    *ret = db_text_array(cx, kept, count);
    return OK;
}

/* sealed is the secret as it stands. */
static enum err seal_secret(struct ctx *cx, const char *id, const char *secret,
                            const char **sealed) {
    if (!secret)
        return OK;
    *sealed = NULL;
    return *secret ? seal(cx, id, secret, strlen(secret), sealed) : OK;
}

enum err webhook_create(struct ctx *cx, const char *project_id, const struct webhook_change *change,
                        struct webhook *ret) {
    char id[UUID_TEXT_SIZE];
    const char *count, *events, *sealed = NULL;
    uuid_new(id);
    TRY(check_url(cx, change->url));
    TRY(check_events(cx, &change->events, &events));
    TRY(seal_secret(cx, id, change->secret, &sealed));
    TRY(db_value(cx, &SQL_webhook_count, ARGS(cx->who.team_id, project_id), &count));
    if (atoll(count) >= WEBHOOKS_MAX)
        return fail(cx, ERR_CONFLICT, "a project has at most %d webhooks", WEBHOOKS_MAX);
    TRY(db_exec(cx, &SQL_webhook_create,
                ARGS(cx->who.team_id, project_id, id, change->name,
                     change->description ? change->description : "", change->url, events, sealed,
                     WEBHOOK_STATUS_NAMES[change->status], cx->who.name),
                NULL));
    return webhook_get(cx, project_id, id, ret);
}

enum err webhook_update(struct ctx *cx, struct webhook *hook, const struct webhook_change *change) {
    const char *events, *sealed = hook->secret_sealed, *team = cx->who.team_id;
    TRY(check_url(cx, change->url));
    TRY(check_events(cx, &change->events, &events));
    TRY(seal_secret(cx, hook->id, change->secret, &sealed));
    TRY(db_exec(cx, &SQL_webhook_update,
                ARGS(team, hook->id, change->name, change->description, change->url, events, sealed,
                     WEBHOOK_STATUS_NAMES[change->status]),
                NULL));
    if (change->status == WEBHOOK_DISABLED)
        TRY(db_exec(cx, &SQL_delivery_give_up_all, ARGS(team, hook->id), NULL));
    return webhook_get(cx, hook->project_id, hook->id, hook);
}

enum err webhook_delete(struct ctx *cx, const struct webhook *hook) {
    return db_exec(cx, &SQL_webhook_delete, ARGS(cx->who.team_id, hook->id), NULL);
}

enum err webhook_switch_off(struct ctx *cx, const char *team_id, const char *id, const char *name,
                            const char *reason) {
    int64_t was_on;
    TRY(db_act_as_team(cx, team_id));
    TRY(db_exec(cx, &SQL_webhook_switch_off, ARGS(team_id, id, reason), &was_on));
    if (!was_on)
        return OK;
    TRY(db_exec(cx, &SQL_delivery_give_up_all, ARGS(team_id, id), NULL));
    return auth_audit(cx, "webhook.switched_off", arena_printf(cx->arena, "%s: %s", name, reason),
                      OK);
}

/* --- the sweep --- */

struct overfull {
    const char *id, *team_id, *name;
};
static const struct field OVERFULL_FIELDS[] = {
    FIELD(UUID, struct overfull, id),
    FIELD(UUID, struct overfull, team_id),
    FIELD(STRING, struct overfull, name),
};
static SHAPE(OVERFULL, "OverfullWebhook", struct overfull, OVERFULL_FIELDS);

enum err webhooks_sweep(struct ctx *cx) {
    struct list hooks;
    TRY(db_many(cx, &SQL_webhook_overfull, ARGS(db_int(cx, WAITING_MAX)), &OVERFULL, &hooks));
    const struct overfull *items = hooks.items;
    for (size_t i = 0; i < hooks.count; i++)
        TRY(webhook_switch_off(cx, items[i].team_id, items[i].id, items[i].name,
                               "more than 10,000 deliveries waited for it"));
    TRY(db_act_as_team(cx, NULL));
    return db_exec(cx, &SQL_delivery_sweep,
                   ARGS(db_int(cx, KEPT_DAYS), db_int(cx, KEPT_DELIVERIES)), NULL);
}
