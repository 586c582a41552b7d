/* Public keys of identity providers (RFC 7517), and the signatures made with them. Private to
 * auth/. RS256 with 2048 bits or more and ES256 alone: both are asymmetric, so that no key of
 * theirs can be mistaken for a shared secret. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* The key of a set (JWKS) that a header with this kid (NULL = none) and alg means: its use, kty and
 * alg have to fit, and without a kid there must be one only. Borrowed; NULL if there is none. */
const json_t *jwk_find(const json_t *set, const char *kid, const char *alg);

bool jwk_verify(const json_t *jwk, const char *alg, const void *text, size_t size,
                const unsigned char *signature, size_t signature_size);
