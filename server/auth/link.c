/* Links that let somebody in once: 256 random bits in the address, their SHA-256 in the database.
 */

#include "auth/access.h"
#include "base/ident.h"

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
