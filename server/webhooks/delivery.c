/* One delivery on its way: signed, posted, and what came of it written down.
 *
 * Whoever sends holds no transaction. The claim is a lease, longer than a request may take: a
 * process that dies between the claim and the mark leaves the delivery to the next one, so that it
 * may come twice, never not at all. */
#include "webhooks/internal.h"

#include "auth/seal.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ident.h"
#include "http/outbound.h"
#include "sql/webhooks.h"

#include <inttypes.h>
#include <math.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
    AT_ONCE_A_HOOK = 2, /* a slow one leaves the other threads to the others */
    AT_ONCE_A_TEAM = 4, /* and so does a team of slow ones */
    LEASE_S = 30,
    ANSWER_MAX = 2000, /* bytes of a test's answer that are shown */
    PAUSE_MAX_S = 6 * 3600,
    FAILURES_MAX = 10, /* in a row, over HOURS_MAX: it is switched off */
    HOURS_MAX = 24,
    GONE = 410
};

const char *webhook_signature(struct ctx *cx, const char *secret, const char *id,
                              const char *timestamp, const char *body) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    char text[EVP_MAX_MD_SIZE * 2];
    unsigned size = 0;
    const char *content = arena_printf(cx->arena, "%s.%s.%s", id, timestamp, body);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)content, strlen(content),
         mac, &size);
    EVP_EncodeBlock((unsigned char *)text, mac, (int)size);
    return arena_printf(cx->arena, "v1,%s", text);
}

double delivery_pause_s(int64_t attempts, int64_t retry_after_s, double chance) {
    double pause = fmin(5.0 * pow(4, (double)(attempts - 1)), PAUSE_MAX_S);
    pause *= 0.75 + chance / 2;
    return fmax(pause, fmin((double)retry_after_s, PAUSE_MAX_S));
}

static double chance(void) {
    uint32_t bits;
    random_bytes(&bits, sizeof(bits));
    return bits / (double)UINT32_MAX;
}

/* NULL when it is not signed. */
static enum err signature_header(struct ctx *cx, const struct shipment *s, const char *timestamp,
                                 const char **ret) {
    char secret[SEAL_MAX + 1];
    size_t size;
    *ret = NULL;
    if (!s->secret_sealed)
        return OK;
    TRY(unseal(cx, s->webhook_id, s->secret_sealed, secret, SEAL_MAX, &size));
    secret[size] = '\0';
    *ret = arena_printf(cx->arena, "X-MLflow-Signature: %s",
                        webhook_signature(cx, secret, s->id, timestamp, s->body));
    explicit_bzero(secret, sizeof(secret));
    return OK;
}

static enum err post(struct ctx *cx, const struct shipment *s, struct outbound_reply *ret) {
    const char *timestamp = arena_printf(cx->arena, "%" PRId64, clock_now_us() / 1000000);
    const char *headers[4] = {arena_printf(cx->arena, "X-MLflow-Delivery-Id: %s", s->id),
                              arena_printf(cx->arena, "X-MLflow-Timestamp: %s", timestamp)};
    TRY(signature_header(cx, s, timestamp, &headers[2]));
    return outbound_send(
        cx,
        &(struct outbound_request){
            .url = s->url, .json = s->body, .headers = headers, .excerpt = ANSWER_MAX},
        ret);
}

static bool is_worth_another(int status) {
    return status == 429 || status >= 500;
}

static const char *status_error(struct ctx *cx, int status) {
    if (status >= 300 && status < 400)
        return arena_printf(cx->arena, "it answered %d: redirects are not followed", status);
    return arena_printf(cx->arena, "it answered %d", status);
}

/* A body cut in the middle of a character loses that character. */
static const char *readable(struct ctx *cx, const struct outbound_reply *reply) {
    size_t size = reply->size;
    for (int cut = 0; cut < 4 && size > 0; cut++, size--)
        if (utf8_is_valid(reply->body, size))
            return arena_strndup(cx->arena, reply->body, size);
    return size == 0 ? "" : NULL;
}

void shipment_send(struct ctx *cx, const struct shipment *shipment, struct webhook_test *ret,
                   double *ret_pause_s) {
    struct outbound_reply reply = {0};
    int64_t started_at = clock_mono_us();
    enum err err = post(cx, shipment, &reply);
    *ret = (struct webhook_test){.ok = err == OK && reply.status >= 200 && reply.status < 300,
                                 .status = err == OK ? reply.status : FIELD_NO_INT,
                                 .duration_ms = (clock_mono_us() - started_at) / 1000};
    if (err != OK)
        ret->error = arena_strdup(cx->arena, cx->err.message);
    else if (!ret->ok)
        ret->error = status_error(cx, reply.status);
    ret->answer = err == OK ? readable(cx, &reply) : NULL;
    bool again = err == ERR_UNAVAILABLE || (err == OK && is_worth_another(reply.status));
    int64_t attempts = shipment->attempts + 1;
    *ret_pause_s = !ret->ok && again && attempts < DELIVERY_ATTEMPTS
                       ? delivery_pause_s(attempts, reply.retry_after_s, chance())
                       : -1;
}

void webhook_test(struct ctx *cx, const struct webhook *hook, const char *event,
                  struct webhook_test *ret) {
    char id[UUID_TEXT_SIZE];
    double pause_s;
    uuid_new(id);
    if (!event)
        event = *(const char *const *)hook->events.items;
    const struct shipment shipment = {.id = id,
                                      .webhook_id = hook->id,
                                      .url = hook->url,
                                      .secret_sealed = hook->secret_sealed,
                                      .body = webhook_body(cx, event, webhook_sample(event))};
    shipment_send(cx, &shipment, ret, &pause_s);
}

/* --- the outbox --- */

static const struct field SHIPMENT_FIELDS[] = {
    FIELD(UUID, struct shipment, id),
    FIELD(UUID, struct shipment, team_id),
    FIELD(UUID, struct shipment, webhook_id),
    FIELD(STRING, struct shipment, webhook_name),
    FIELD(STRING, struct shipment, url),
    FIELD(STRING, struct shipment, secret_sealed, .flags = FIELD_NULLABLE | FIELD_SECRET),
    FIELD(STRING, struct shipment, body),
    FIELD(INT, struct shipment, attempts),
};
static SHAPE(SHIPMENT, "WebhookShipment", struct shipment, SHIPMENT_FIELDS);

enum err shipment_claim(struct ctx *cx, struct shipment *ret, bool *ret_found) {
    TRY(db_opt(cx, &SQL_delivery_claim,
               ARGS(db_int(cx, AT_ONCE_A_HOOK), db_int(cx, AT_ONCE_A_TEAM), db_int(cx, LEASE_S)),
               &SHIPMENT, ret, ret_found));
    return db_commit(cx);
}

static enum err mark(struct ctx *cx, const struct shipment *s, const struct webhook_test *result,
                     double pause_s) {
    char at[TIME_TEXT_SIZE];
    time_to_string(clock_now_us(), at);
    enum delivery_state state = result->ok    ? DELIVERY_DELIVERED
                                : pause_s < 0 ? DELIVERY_FAILED
                                              : DELIVERY_WAITING;
    auto_json *status = result->status == FIELD_NO_INT ? json_null() : json_integer(result->status);
    auto_json *row = json_pack("[{s:s, s:O, s:I, s:s?}]", "at", at, "status", status, "duration_ms",
                               (json_int_t)result->duration_ms, "error", result->error);
    return db_exec(cx, &SQL_delivery_mark,
                   ARGS(s->team_id, s->id, DELIVERY_STATE_NAMES[state],
                        pause_s < 0 ? NULL : db_real(cx, pause_s), db_json(cx, row)),
                   NULL);
}

/* 410 says: do not come back. */
static enum err count_failure(struct ctx *cx, const struct shipment *s,
                              const struct webhook_test *result) {
    const char *is_hopeless = NULL;
    TRY(db_value(cx, &SQL_webhook_failed,
                 ARGS(s->team_id, s->webhook_id, db_int(cx, FAILURES_MAX), db_int(cx, HOURS_MAX)),
                 &is_hopeless));
    if (!is_hopeless || (strcmp(is_hopeless, "t") != 0 && result->status != GONE))
        return OK;
    return webhook_switch_off(cx, s->team_id, s->webhook_id, s->webhook_name,
                              result->status == GONE
                                  ? "it answered 410: nobody is there any more"
                                  : arena_printf(cx->arena,
                                                 "nothing but failures for a day; the last: %.300s",
                                                 result->error));
}

enum err shipment_deliver(struct ctx *cx, const struct shipment *shipment) {
    struct webhook_test result;
    double pause_s;
    shipment_send(cx, shipment, &result, &pause_s);
    TRY(db_act_as_team(cx, shipment->team_id));
    TRY(mark(cx, shipment, &result, pause_s));
    if (result.ok)
        TRY(db_exec(cx, &SQL_webhook_succeeded, ARGS(shipment->team_id, shipment->webhook_id),
                    NULL));
    else
        TRY(count_failure(cx, shipment, &result));
    return db_commit(cx);
}
