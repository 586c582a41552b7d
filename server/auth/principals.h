/* Who was behind a session or token a moment ago: saves the database the same question for each
 * request. Private to auth/. Thread-safe.
 *
 * An entry is good for five seconds from the moment its answer was asked for, which is also how
 * long a revocation made by another process may take to be seen here. */
#pragma once

#include "ctx.h"

#include <stdbool.h>

#define PRINCIPAL_KEY_SIZE 65 /* a session's id, or the SHA-256 of a token */

struct principals;

struct principals *principals_new(void);
void principals_free(struct principals *p);

bool principals_find(struct principals *p, const char *key, struct principal *ret);
/* asked_at: clock_mono_us() before the question went to the database. */
void principals_put(struct principals *p, const char *key, int64_t asked_at,
                    const struct principal *who);
/* Forgets whatever belongs to a session or token, to a user, or to a team. */
void principals_forget(struct principals *p, const char *id);
