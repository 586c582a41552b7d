/* Links that let somebody in once: 256 random bits in the address, their SHA-256 in the database.
 */

#include "auth/access.h"
#include "base/ident.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SECRET_SIZE = 32, TOKEN_LENGTH = 43 };

void link_new(struct ctx *cx, struct link *ret) {
    unsigned char secret[SECRET_SIZE];
    char text[TOKEN_LENGTH + 1];
    random_bytes(secret, sizeof(secret));
    base64url_encode(secret, sizeof(secret), text, sizeof(text));
    ret->token = arena_strdup(cx->arena, text);
    link_hash(text, ret->token_sha256);
}

void link_hash(const char *token, char ret[SHA256_TEXT_SIZE]) {
    sha256_hex_of(token, strlen(token), ret);
}

const char *uri_escape(struct ctx *cx, const char *text) {
    char *escaped = arena_alloc(cx->arena, 3 * strlen(text) + 1), *at = escaped;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        at += isalnum(*c) || strchr("-._~", *c) ? sprintf(at, "%c", *c) : sprintf(at, "%%%02X", *c);
    return escaped;
}
