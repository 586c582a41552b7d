/* SHA-256 over OpenSSL, whole and piecewise, and comparison in constant time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define SHA256_SIZE 32
#define SHA256_TEXT_SIZE 65 /* lower-case hex with its NUL: the name of a blob */

struct sha256;

struct sha256 *sha256_new(void);
void sha256_update(struct sha256 *h, const void *data, size_t size);
void sha256_final_hex(struct sha256 *h, char ret[SHA256_TEXT_SIZE]); /* may be called once */
void sha256_free(struct sha256 *h);

void sha256_of(const void *data, size_t size, unsigned char ret[SHA256_SIZE]);
void sha256_hex_of(const void *data, size_t size, char ret[SHA256_TEXT_SIZE]);
bool sha256_text_is_valid(const char *text);
bool equal_in_constant_time(const void *a, const void *b, size_t size);
