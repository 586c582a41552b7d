/* What the files of this folder share. */
#pragma once

#include "webhooks/webhooks.h"

extern const struct shape WEBHOOK, WEBHOOK_ROW;

struct delivery {
    const char *id, *event, *body;
    int state; /* enum delivery_state */
    int64_t attempts, next_attempt_at;
    json_t *log; /* array: {at, status, duration_ms, error} an attempt */
    int64_t created_at, finished_at;
};

/* The body of a delivery: MLflow's frame around what it is about. data's reference is taken. */
const char *webhook_body(struct ctx *cx, const char *event, json_t *data);
/* What an event looks like; a new reference. */
json_t *webhook_sample(const char *event);
bool webhook_event_exists(const char *event);

/* For the system: the hook is off, what waits for it fails, and the audit log says why. */
MUST_USE enum err webhook_switch_off(struct ctx *cx, const char *team_id, const char *id,
                                     const char *name, const char *reason);

/* --- sending: delivery.c --- */

/* "v1," and the base64 of HMAC-SHA256(secret, "id.timestamp.body"). */
const char *webhook_signature(struct ctx *cx, const char *secret, const char *id,
                              const char *timestamp, const char *body);
#define DELIVERY_ATTEMPTS 9
/* Seconds until the next attempt after so many, between 75 and 125 per cent of 5 s · 4^(n - 1),
 * which is 6 hours at most; no sooner than the other side asked for. chance is 0…1. */
double delivery_pause_s(int64_t attempts, int64_t retry_after_s, double chance);

struct shipment {
    const char *id, *team_id, *webhook_id, *webhook_name, *url, *secret_sealed, *body;
    int64_t attempts; /* before this one */
};
/* Posts it; a failure is an answer here. *ret_pause_s < 0 = there is no sense in trying again,
 * whatever came of it. */
void shipment_send(struct ctx *cx, const struct shipment *shipment, struct webhook_test *ret,
                   double *ret_pause_s);
/* Claims the next one that is due. System mode. */
MUST_USE enum err shipment_claim(struct ctx *cx, struct shipment *ret, bool *ret_found);
/* Sends it and writes down what came of it. */
MUST_USE enum err shipment_deliver(struct ctx *cx, const struct shipment *shipment);
