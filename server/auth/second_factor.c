/* The second factor: codes of an authenticator (RFC 6238) and recovery codes; see access.h.
 *
 * A code is good for its own 30 s and one step to either side, and once: the row remembers the
 * newest step taken, so neither somebody looking over a shoulder nor an older code comes after it.
 * Recovery codes carry 80 random bits, so a plain hash keeps them. */

#include "auth/access.h"
#include "auth/auth_private.h"
#include "auth/login_limit.h"
#include "base/clock.h"
#include "base/ident.h"
#include "db/db.h"
#include "sql/auth.h"

#include <ctype.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { STEP_SECONDS = 30, DIGITS = 6, CODES = 10, CODE_BYTES = 10, CODE_LENGTH = 16 };

static const char BASE32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* ret has 8 characters for 5 bytes and a NUL; size is a multiple of five. */
static void base32_encode(const unsigned char *data, size_t size, char *ret) {
    for (size_t i = 0; i < size; i += 5) {
        uint64_t bits = 0;
        for (size_t k = 0; k < 5; k++)
            bits = bits << 8 | data[i + k];
        for (int shift = 35; shift >= 0; shift -= 5)
            *ret++ = BASE32[bits >> shift & 31];
    }
    *ret = '\0';
}

void totp_at(const unsigned char *secret, size_t size, int64_t step, int digits, char *ret) {
    unsigned char counter[8], mac[EVP_MAX_MD_SIZE];
    unsigned int mac_size = sizeof(mac);
    for (int i = 0; i < 8; i++)
        counter[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
    HMAC(EVP_sha1(), secret, (int)size, counter, sizeof(counter), mac, &mac_size);
    size_t at = mac[19] & 15; /* dynamic truncation, RFC 4226 §5.3 */
    uint32_t value = (uint32_t)(mac[at] & 0x7f) << 24 | (uint32_t)mac[at + 1] << 16 |
                     (uint32_t)mac[at + 2] << 8 | mac[at + 3];
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        ret[i] = (char)('0' + value % 10);
    ret[digits] = '\0';
}

/* --- checking --- */

struct factor {
    const char *secret_sealed;
    bool confirmed;
};
static const struct field FACTOR_FIELDS[] = {
    FIELD(STRING, struct factor, secret_sealed, .flags = FIELD_SECRET),
    FIELD(BOOL, struct factor, confirmed),
};
static SHAPE(FACTOR, "SecondFactor", struct factor, FACTOR_FIELDS);

static enum err take_step(struct ctx *cx, const char *user_id, int64_t step, bool *ret_ok) {
    const char *taken;
    TRY(db_value(cx, &SQL_factor_take_step, ARGS(user_id, db_int(cx, step)), &taken));
    *ret_ok = taken != NULL;
    return OK;
}

static enum err check_totp(struct ctx *cx, const char *user_id, const char *code, bool *ret_ok) {
    struct factor factor;
    bool found;
    unsigned char secret[TOTP_SECRET_SIZE];
    size_t size;
    TRY(db_opt(cx, &SQL_factor_find, ARGS(user_id), &FACTOR, &factor, &found));
    if (!found)
        return OK;
    TRY(unseal(cx, user_id, factor.secret_sealed, secret, sizeof(secret), &size));
    int64_t now = clock_now_us() / 1000000 / STEP_SECONDS, match = 0;
    for (int64_t step = now - 1; step <= now + 1; step++) {
        char expected[DIGITS + 1];
        totp_at(secret, size, step, DIGITS, expected);
        if (equal_in_constant_time(expected, code, DIGITS))
            match = step;
    }
    explicit_bzero(secret, sizeof(secret));
    return match ? take_step(cx, user_id, match, ret_ok) : OK;
}

static void recovery_hash(struct ctx *cx, const char *user_id, const char *code,
                          char ret[SHA256_TEXT_SIZE]) {
    const char *text = arena_printf(cx->arena, "%s %s", user_id, code);
    sha256_hex_of(text, strlen(text), ret);
}

static enum err check_recovery(struct ctx *cx, const char *user_id, const char *code,
                               bool *ret_ok) {
    char hash[SHA256_TEXT_SIZE];
    const char *taken;
    recovery_hash(cx, user_id, code, hash);
    TRY(db_value(cx, &SQL_recovery_take, ARGS(user_id, hash), &taken));
    *ret_ok = taken != NULL;
    return OK;
}

/* As people type it: without spaces and dashes, in upper case. */
static void normalise(const char *code, char ret[CODE_LENGTH + 1]) {
    size_t length = 0;
    for (; *code && length < CODE_LENGTH; code++)
        if (isalnum((unsigned char)*code))
            ret[length++] = (char)toupper((unsigned char)*code);
    ret[length] = '\0';
}

enum err second_factor_check(struct ctx *cx, const char *user_id, const char *code, bool *ret_ok) {
    char text[CODE_LENGTH + 1];
    normalise(code, text);
    *ret_ok = false;
    if (strlen(text) == DIGITS)
        return check_totp(cx, user_id, text, ret_ok);
    return strlen(text) == CODE_LENGTH ? check_recovery(cx, user_id, text, ret_ok) : OK;
}

/* --- what people do with theirs --- */

struct own {
    char user_id[ID_SIZE];
    const char *code;
    const char *sealed;
    bool needs_confirmed; /* what state the factor has to be in */
    bool is_good;
    enum err (*then)(struct ctx *cx, struct own *own);
    struct recovery_codes codes;
};

static struct own own_of(const struct ctx *cx, const char *code) {
    struct own own = {.code = code, .needs_confirmed = true};
    memcpy(own.user_id, cx->who.user_id, ID_SIZE);
    return own;
}

static const char *code_format(struct ctx *cx, const char *code) {
    return arena_printf(cx->arena, "%.4s-%.4s-%.4s-%.4s", code, code + 4, code + 8, code + 12);
}

/* Ten new ones; whatever was there is good for nothing. */
static enum err renew_codes(struct ctx *cx, struct own *own) {
    const char **shown = arena_new_array(cx->arena, const char *, CODES);
    const char *hashes[CODES];
    for (int i = 0; i < CODES; i++) {
        unsigned char secret[CODE_BYTES];
        char code[CODE_LENGTH + 1], hash[SHA256_TEXT_SIZE];
        random_bytes(secret, sizeof(secret));
        base32_encode(secret, sizeof(secret), code);
        recovery_hash(cx, own->user_id, code, hash);
        shown[i] = code_format(cx, code);
        hashes[i] = arena_strdup(cx->arena, hash);
    }
    own->codes.codes = (struct list){shown, CODES};
    TRY(db_exec(cx, &SQL_recovery_delete, ARGS(own->user_id), NULL));
    return db_exec(cx, &SQL_recovery_create, ARGS(own->user_id, db_text_array(cx, hashes, CODES)),
                   NULL);
}

static enum err confirm(struct ctx *cx, struct own *own) {
    TRY(db_exec(cx, &SQL_factor_confirm, ARGS(own->user_id), NULL));
    return renew_codes(cx, own);
}

static enum err delete (struct ctx *cx, struct own *own) {
    return db_exec(cx, &SQL_factor_delete, ARGS(own->user_id), NULL);
}

static enum err check_state(struct ctx *cx, const struct own *own) {
    struct factor factor;
    bool found;
    TRY(db_opt(cx, &SQL_factor_find, ARGS(own->user_id), &FACTOR, &factor, &found));
    if (found && factor.confirmed == own->needs_confirmed)
        return OK;
    if (own->needs_confirmed)
        return fail(cx, ERR_CONFLICT, "you have no second factor");
    return fail(cx, ERR_CONFLICT,
                found ? "your second factor is in use already"
                      : "begin setting up a second factor first");
}

/* A wrong code is an answer, not a failure: what was taken back with it would be the count. */
static enum err with_code(struct ctx *cx, void *arg) {
    struct own *own = arg;
    TRY(check_state(cx, own));
    TRY(second_factor_check(cx, own->user_id, own->code, &own->is_good));
    return own->is_good ? own->then(cx, own) : OK;
}

/* Guessing counts like guessing at sign-in. */
static enum err run_with_code(struct ctx *cx, struct own *own) {
    TRY(session_require_password(cx));
    TRY(login_admit(cx, cx->who.name));
    TRY(as_system(cx, with_code, own));
    if (!own->is_good)
        return fail_field(cx, ERR_INVALID, "code", "the code is wrong or was used already");
    return login_forgive(cx, cx->who.name);
}

static enum err create(struct ctx *cx, void *arg) {
    struct own *own = arg;
    struct factor factor;
    bool found;
    TRY(db_opt(cx, &SQL_factor_find, ARGS(own->user_id), &FACTOR, &factor, &found));
    if (found && factor.confirmed)
        return fail(cx, ERR_CONFLICT, "your second factor is in use already: remove it first");
    return db_exec(cx, &SQL_factor_create, ARGS(own->user_id, own->sealed), NULL);
}

enum err second_factor_create(struct ctx *cx, struct totp_setup *ret) {
    unsigned char secret[TOTP_SECRET_SIZE];
    char text[TOTP_SECRET_SIZE / 5 * 8 + 1];
    struct own own = own_of(cx, NULL);
    TRY(session_require_password(cx));
    random_bytes(secret, sizeof(secret));
    base32_encode(secret, sizeof(secret), text);
    TRY(seal(cx, own.user_id, secret, sizeof(secret), &own.sealed));
    TRY(as_system(cx, create, &own));
    ret->secret = arena_strdup(cx->arena, text);
    ret->uri = arena_printf(cx->arena, "otpauth://totp/Slipway:%s?secret=%s&issuer=Slipway",
                            uri_escape(cx, cx->who.name), text);
    return qr_svg(cx, ret->uri, &ret->qr_svg);
}

enum err second_factor_confirm(struct ctx *cx, const char *code, struct recovery_codes *ret) {
    struct own own = own_of(cx, code);
    own.needs_confirmed = false;
    own.then = confirm;
    TRY(run_with_code(cx, &own));
    *ret = own.codes;
    return OK;
}

enum err second_factor_delete(struct ctx *cx, const char *code) {
    struct own own = own_of(cx, code);
    own.then = delete;
    return run_with_code(cx, &own);
}

enum err second_factor_renew_codes(struct ctx *cx, const char *code, struct recovery_codes *ret) {
    struct own own = own_of(cx, code);
    own.then = renew_codes;
    TRY(run_with_code(cx, &own));
    *ret = own.codes;
    return OK;
}
