/* Idempotency-Key: a create that is repeated because its reply was lost does its work once.
 *
 * The key belongs to team, caller and route. It is taken in the transaction that does the work, so
 * it is there if and only if the work is, and the reply stored beside it is the one that was (or
 * should have been) sent. Two at once: the second waits on the row and replays. A key repeated with
 * another request is a mistake of the client's and a conflict. Refusals are not stored: a corrected
 * request may use its key again. */
#include "http/internal.h"

#include "base/digest.h"
#include "base/ident.h"
#include "db/db.h"
#include "sql/http.h"

#include <string.h>

#define KEY_MAX 200

struct stored {
    const char *request_hash;
    int64_t status;
    const char *location;
    const char *body;
};

static const struct field STORED_FIELDS[] = {
    FIELD(STRING, struct stored, request_hash),
    FIELD(INT, struct stored, status, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct stored, location, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct stored, body, .flags = FIELD_NULLABLE),
};
static SHAPE(STORED, "StoredReply", struct stored, STORED_FIELDS);

static bool key_is_valid(const char *key) {
    size_t length = strlen(key);
    for (const char *p = key; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f)
            return false;
    return length > 0 && length <= KEY_MAX;
}

static const char *principal_of(const struct ctx *cx) {
    return cx->who.user_id[0] ? cx->who.user_id : cx->who.session_id;
}

static void hash_request(struct http_call *call) {
    const struct http_head *head = call->rq.head;
    struct sha256 *h = sha256_new();
    sha256_update(h, head->target, strlen(head->target) + 1);
    sha256_update(h, head->query ? head->query : "", head->query ? strlen(head->query) + 1 : 1);
    sha256_update(h, call->body_text ? call->body_text : "", call->body_size);
    sha256_final_hex(h, call->request_hash);
    sha256_free(h);
}

static enum err replay(struct http_call *call) {
    struct ctx *cx = call->cx;
    struct stored stored = {0};
    TRY(db_one(cx, &SQL_idempotency_get,
               ARGS(cx->who.team_id, principal_of(cx), call->rq.route->path, call->idempotency_key),
               &STORED, &stored));
    if (strcmp(stored.request_hash, call->request_hash) != 0)
        return fail_field(cx, ERR_CONFLICT, "Idempotency-Key",
                          "this key was used for another request");
    if (stored.status == FIELD_NO_INT)
        return fail(cx, ERR_CONFLICT, "a request with this key is still under way");
    reply_status(&call->reply, (int)stored.status);
    reply_header(cx, &call->reply, "Idempotency-Replayed", "true");
    if (stored.location)
        reply_location(cx, &call->reply, "%s", stored.location);
    if (stored.body)
        reply_bytes(&call->reply, "application/json; charset=utf-8", stored.body,
                    strlen(stored.body));
    return OK;
}

enum err idempotency_begin(struct http_call *call, bool *ret_replayed) {
    struct ctx *cx = call->cx;
    const char *key = http_head_get(call->rq.head, "idempotency-key");
    const char *taken = NULL;

    if (!key || !(call->rq.route->flags & ROUTE_IDEMPOTENT) || !cx->who.team_id[0])
        return OK;
    if (!key_is_valid(key))
        return fail_field(cx, ERR_INVALID, "Idempotency-Key",
                          "the key has to be 1 to %d visible ASCII characters", KEY_MAX);
    call->idempotency_key = key;
    hash_request(call);
    TRY(db_value(
        cx, &SQL_idempotency_take,
        ARGS(cx->who.team_id, principal_of(cx), call->rq.route->path, key, call->request_hash),
        &taken));
    *ret_replayed = taken == NULL;
    return taken ? OK : replay(call);
}

enum err idempotency_store(struct http_call *call) {
    struct ctx *cx = call->cx;
    const struct reply *rp = &call->reply;
    if (!call->idempotency_key)
        return OK;
    return db_exec(cx, &SQL_idempotency_store,
                   ARGS(cx->who.team_id, principal_of(cx), call->rq.route->path,
                        call->idempotency_key, db_int(cx, rp->status), rp->location,
                        rp->kind == REPLY_BYTES ? rp->data : NULL),
                   NULL);
}
