/* Routes of one's own second factor; see access.h. */

#include "auth/access.h"
#include "auth/auth.h"

static const struct field TOTP_SETUP_FIELDS[] = {
    FIELD(STRING, struct totp_setup, secret, .flags = FIELD_SECRET, .doc = "base32, to type in"),
    FIELD(STRING, struct totp_setup, uri, .flags = FIELD_SECRET),
    FIELD(STRING, struct totp_setup, qr_svg, .flags = FIELD_SECRET, .max = 262144,
          .doc = "the URI as a QR code"),
};
static SHAPE(TOTP_SETUP, "TotpSetup", struct totp_setup, TOTP_SETUP_FIELDS);

static const struct field RECOVERY_CODES_FIELDS[] = {
    FIELD(STRINGS, struct recovery_codes, codes, .flags = FIELD_SECRET,
          .doc = "each good once; shown this once"),
};
static SHAPE(RECOVERY_CODES, "RecoveryCodes", struct recovery_codes, RECOVERY_CODES_FIELDS);

struct code_body {
    const char *code;
};
static const struct field CODE_FIELDS[] = {
    FIELD(STRING, struct code_body, code, .flags = FIELD_REQUIRED | FIELD_SECRET, .min = 1,
          .max = 40),
};
static SHAPE(CODE, "SecondFactorCode", struct code_body, CODE_FIELDS);

static const char *code_of(const struct req *rq) {
    return ((const struct code_body *)rq->body)->code;
}

static enum err post_totp(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    struct totp_setup *setup = arena_new_struct(cx->arena, struct totp_setup);
    TRY(second_factor_create(cx, setup));
    reply_object(rp, setup);
    return OK;
}

static enum err post_confirm(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct recovery_codes *codes = arena_new_struct(cx->arena, struct recovery_codes);
    TRY(second_factor_confirm(cx, code_of(rq), codes));
    reply_object(rp, codes);
    return OK;
}

static enum err delete_totp(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    return second_factor_delete(cx, code_of(rq));
}

static enum err post_recovery_codes(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct recovery_codes *codes = arena_new_struct(cx->arena, struct recovery_codes);
    TRY(second_factor_renew_codes(cx, code_of(rq), codes));
    reply_object(rp, codes);
    return OK;
}

const struct route TOTP_ROUTES[] = {
    {POST, "/api/v1/me/totp", SCOPE_SESSION_ONLY, .reply = &TOTP_SETUP, .handle = post_totp,
     .audit = "user.totp_begin",
     .doc = "Begin setting up a second factor; it is asked for once a code confirms it."},
    {POST, "/api/v1/me/totp/confirm", SCOPE_SESSION_ONLY, .body = &CODE, .reply = &RECOVERY_CODES,
     .handle = post_confirm, .rate = RATE_LOGIN, .audit = "user.totp_confirm",
     .doc = "Put the second factor in force; the reply has ten recovery codes."},
    {DELETE, "/api/v1/me/totp", SCOPE_SESSION_ONLY, .body = &CODE, .handle = delete_totp,
     .rate = RATE_LOGIN, .audit = "user.totp_delete",
     .doc = "Remove one's second factor, with a code of it or a recovery code."},
    {POST, "/api/v1/me/recovery-codes", SCOPE_SESSION_ONLY, .body = &CODE, .reply = &RECOVERY_CODES,
     .handle = post_recovery_codes, .rate = RATE_LOGIN, .audit = "user.recovery_codes",
     .doc = "Ten new recovery codes; the old ones are good for nothing."},
};
const size_t TOTP_ROUTE_COUNT = ROUTES_COUNT(TOTP_ROUTES);
