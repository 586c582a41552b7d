/* Passwords: the rules a new one must meet, and argon2id. Private to auth/. */
#pragma once

#include "ctx.h"

#define PASSWORD_HASH_SIZE 160 /* a PHC string with its NUL */
#define PASSWORD_MIN 12        /* bytes */
#define PASSWORD_MAX 256

/* Length, the list of common passwords, and not one's own e-mail or name. Nothing about which
 * characters: such rules make passwords worse. field = the member named in the error. */
MUST_USE enum err password_check(struct ctx *cx, const char *field, const char *password,
                                 const char *email, const char *name);

/* Both take about 120 ms and 64 MiB, two at a time in the process; others wait up to five seconds,
 * then ERR_RATE_LIMITED. No transaction should be open meanwhile. */
MUST_USE enum err password_hash(struct ctx *cx, const char *password, char ret[PASSWORD_HASH_SIZE]);
/* hash NULL = there is no such user: as much work is done, and the answer is false. */
MUST_USE enum err password_verify(struct ctx *cx, const char *hash, const char *password,
                                  bool *ret_ok);

/* Made with other parameters than today's: hash it anew at the next sign-in. */
bool password_hash_is_old(const char *hash);

/* Sorted, lower case. */
extern const char *const COMMON_PASSWORDS[];
extern const size_t COMMON_PASSWORD_COUNT;
