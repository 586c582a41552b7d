/* Names and random values: UUIDs (version 7: ordered by time), slugs, random bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UUID_TEXT_SIZE 37

void random_bytes(void *ret, size_t size); /* from the kernel; ends the process if it cannot */
void uuid_new(char ret[UUID_TEXT_SIZE]);
bool uuid_is_valid(const char *text);             /* 8-4-4-4-12 lower-case hex */
void uuid_to_hex(const char *uuid, char ret[33]); /* without its dashes */
/* False when it is not 32 lower-case hex digits. */
bool uuid_from_hex(const char *hex, char ret[UUID_TEXT_SIZE]);
bool slug_is_valid(const char *text);                      /* ^[a-z0-9][a-z0-9-]{0,62}$ */
void hex_encode(const void *data, size_t size, char *ret); /* 2 * size + 1 bytes */
bool hex_decode(const char *text, void *ret, size_t size);
size_t base64url_encode(const void *data, size_t size, char *ret, size_t cap); /* no padding */
bool base64url_decode(const char *text, size_t length, void *ret, size_t cap, size_t *ret_size);
bool utf8_is_valid(const char *text, size_t length); /* also refuses NUL */
