/* Sign-in limits: ten tries an account, fifty an address, in fifteen minutes; see login_limit.h.
 *
 * Rows are bounded by the address limit: whoever invents accounts runs out of tries first. */

#include "auth/login_limit.h"

#include "auth/auth_private.h"
#include "db/db.h"
#include "sql/auth.h"

enum { ACCOUNT_TRIES = 10, ADDRESS_TRIES = 50 };

struct login_count {
    int64_t failures;
    int64_t retry_after_s; /* until the window closes */
};

static const struct field LOGIN_COUNT_FIELDS[] = {
    FIELD(INT, struct login_count, failures),
    FIELD(INT, struct login_count, retry_after_s),
};
static SHAPE(LOGIN_COUNT, "LoginCount", struct login_count, LOGIN_COUNT_FIELDS);

struct tries {
    const char *account, *address; /* subjects */
    struct login_count of_account, of_address;
};

static struct tries tries_of(struct ctx *cx, const char *email) {
    return (struct tries){.account = arena_printf(cx->arena, "account:%s", email),
                          .address = arena_printf(cx->arena, "address:%s", cx->remote)};
}

/* The address first: an address without tries left cannot use up an account's. */
static enum err count(struct ctx *cx, void *arg) {
    struct tries *t = arg;
    TRY(db_one(cx, &SQL_login_count, ARGS(t->address), &LOGIN_COUNT, &t->of_address));
    if (t->of_address.failures > ADDRESS_TRIES)
        return OK;
    return db_one(cx, &SQL_login_count, ARGS(t->account), &LOGIN_COUNT, &t->of_account);
}

enum err login_admit(struct ctx *cx, const char *email) {
    struct tries t = tries_of(cx, email);
    TRY(as_system(cx, count, &t));
    const struct login_count *full = t.of_address.failures > ADDRESS_TRIES   ? &t.of_address
                                     : t.of_account.failures > ACCOUNT_TRIES ? &t.of_account
                                                                             : NULL;
    if (!full)
        return OK;
    enum err err = fail(cx, ERR_RATE_LIMITED, "too many tries to sign in, wait before the next");
    cx->err.retry_after_s = full->retry_after_s > 1 ? (int)full->retry_after_s : 1;
    return err;
}

static enum err forgive(struct ctx *cx, void *arg) {
    const struct tries *t = arg;
    TRY(db_exec(cx, &SQL_login_forgive, ARGS(t->account), NULL));
    return db_exec(cx, &SQL_login_take_back, ARGS(t->address), NULL);
}

enum err login_forgive(struct ctx *cx, const char *email) {
    struct tries t = tries_of(cx, email);
    return as_system(cx, forgive, &t);
}

static enum err take_back(struct ctx *cx, void *arg) {
    const struct tries *t = arg;
    TRY(db_exec(cx, &SQL_login_take_back, ARGS(t->account), NULL));
    return db_exec(cx, &SQL_login_take_back, ARGS(t->address), NULL);
}

enum err login_take_back(struct ctx *cx, const char *email) {
    struct tries t = tries_of(cx, email);
    return as_system(cx, take_back, &t);
}
