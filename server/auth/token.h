/* The access token: a JWT that says which session a cookie belongs to, and nothing else that
 * decides anything. Private to auth/; the rules of checking stand in token.c. */
#pragma once

#include "ctx.h"

#include <stdbool.h>

#define TOKEN_KEY_SIZE 32
#define TOKEN_KEYS_MAX 4
#define ACCESS_SECONDS 600 /* a token's longest life */
#define ACCESS_MAX 2048    /* bytes of a token; longer ones are not looked at */

struct token_key {
    unsigned char secret[TOKEN_KEY_SIZE];
    char header[96]; /* the first part of every token made with it, exactly */
    int number;
};

/* The newest key first; the others verify only. Read-only after start. */
struct token_keys {
    struct token_key keys[TOKEN_KEYS_MAX];
    int count;
};

MUST_USE enum err token_keys_load(const char *dir, struct token_keys *ret, struct err_info *err);

struct access {
    char session_id[ID_SIZE], user_id[ID_SIZE];
    int64_t expires_at; /* microseconds UTC */
};

MUST_USE enum err token_sign(struct ctx *cx, const struct token_keys *keys,
                             const struct access *access, const char **ret);
/* False for everything that is not exactly a token we made and that is good now; never says why. */
bool token_verify(const struct token_keys *keys, const char *text, struct access *ret);
