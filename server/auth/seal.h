/* Secrets that have to be read again (second factors, a provider's client secret): sealed with
 * AES-256-GCM under seal.key of key_dir, so that a copy of the database alone reads nothing.
 * Webhooks seal theirs here too. */
#pragma once

#include "ctx.h"

#include <stdbool.h>
#include <stddef.h>

#define SEAL_KEY_SIZE 32
#define SEAL_MAX 2048 /* bytes of a secret */

/* Makes the key when it is absent: installations made before there was one get it at the next
 * start. */
MUST_USE enum err seal_key_load(const char *dir, unsigned char ret[SEAL_KEY_SIZE],
                                struct err_info *err);

/* bound says what the secret belongs to, such as its owner's id: moved to another row it does not
 * open. Text in the arena. */
MUST_USE enum err seal(struct ctx *cx, const char *bound, const void *secret, size_t size,
                       const char **ret);
/* ERR_INTERNAL when it was not sealed with this key for this owner. */
MUST_USE enum err unseal(struct ctx *cx, const char *bound, const char *sealed, void *ret,
                         size_t cap, size_t *ret_size);
