/* See digest.h. */

#include "base/digest.h"

#include "base/ident.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct sha256 {
    EVP_MD_CTX *md;
};

struct sha256 *sha256_new(void) {
    struct sha256 *h = malloc(sizeof(*h));
    if (!h)
        abort();
    h->md = EVP_MD_CTX_new();
    /* Cannot fail but for memory: SHA-256 is in the default provider. */
    if (!h->md || EVP_DigestInit_ex(h->md, EVP_sha256(), NULL) != 1)
        abort();
    return h;
}

void sha256_update(struct sha256 *h, const void *data, size_t size) {
    if (EVP_DigestUpdate(h->md, data, size) != 1)
        abort();
}

void sha256_final_hex(struct sha256 *h, char ret[SHA256_TEXT_SIZE]) {
    unsigned char digest[SHA256_SIZE];
    if (EVP_DigestFinal_ex(h->md, digest, NULL) != 1)
        abort();
    hex_encode(digest, sizeof(digest), ret);
}

void sha256_free(struct sha256 *h) {
    if (!h)
        return;
    EVP_MD_CTX_free(h->md);
    free(h);
}

void sha256_of(const void *data, size_t size, unsigned char ret[SHA256_SIZE]) {
    if (EVP_Digest(data, size, ret, NULL, EVP_sha256(), NULL) != 1)
        abort();
}

void sha256_hex_of(const void *data, size_t size, char ret[SHA256_TEXT_SIZE]) {
    unsigned char digest[SHA256_SIZE];
    sha256_of(data, size, digest);
    hex_encode(digest, sizeof(digest), ret);
}

bool sha256_text_is_valid(const char *text) {
    unsigned char digest[SHA256_SIZE];
    return strnlen(text, SHA256_TEXT_SIZE) == SHA256_TEXT_SIZE - 1 &&
           hex_decode(text, digest, sizeof(digest));
}

bool equal_in_constant_time(const void *a, const void *b, size_t size) {
    return CRYPTO_memcmp(a, b, size) == 0;
}
