/* See ident.h. */

#include "base/ident.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void random_bytes(void *ret, size_t size) {
    unsigned char *p = ret;
    while (size > 0) {
        ssize_t n = getrandom(p, size, 0);
        if (n < 0)
            abort(); /* weak randomness would be worse than none; signals do not interrupt ≤ 256
                        bytes */
        p += n;
        size -= (size_t)n;
    }
}

static void put_dashes(const char *hex, char ret[UUID_TEXT_SIZE]) {
    static const int dash_after[] = {8, 4, 4, 4, 12};
    char *to = ret;
    for (size_t i = 0; i < 5; i++) {
        memcpy(to, hex, (size_t)dash_after[i]);
        hex += dash_after[i];
        to += dash_after[i];
        *to++ = i < 4 ? '-' : '\0';
    }
}

/* RFC 9562 version 7: 48 bits of milliseconds, 12 bits of their fraction (method 3 there: lists are
 * ordered by id, and a page is made of rows a fraction of a millisecond apart), then random bits.
 */
void uuid_new(char ret[UUID_TEXT_SIZE]) {
    unsigned char id[16];
    uint64_t us = (uint64_t)clock_now_us();
    uint64_t ms = us / 1000, fraction = us % 1000 * 4096 / 1000;
    random_bytes(id + 8, sizeof(id) - 8);
    for (int i = 0; i < 6; i++)
        id[i] = (unsigned char)(ms >> (40 - 8 * i));
    id[6] = (unsigned char)(0x70 | fraction >> 8);
    id[7] = (unsigned char)fraction;
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);

    char hex[33];
    hex_encode(id, sizeof(id), hex);
    put_dashes(hex, ret);
}

static bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool uuid_is_valid(const char *text) {
    if (strnlen(text, UUID_TEXT_SIZE) != UUID_TEXT_SIZE - 1)
        return false;
    for (int i = 0; i < UUID_TEXT_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text[i]))
            return false;
    }
    return true;
}

void uuid_to_hex(const char *uuid, char ret[33]) {
    for (; *uuid; uuid++)
        if (*uuid != '-')
            *ret++ = *uuid;
    *ret = '\0';
}

bool uuid_from_hex(const char *hex, char ret[UUID_TEXT_SIZE]) {
    size_t length = 0;
    while (length < 32 && is_hex(hex[length]))
        length++;
    if (length < 32 || hex[32])
        return false;
    put_dashes(hex, ret);
    return true;
}

bool slug_is_valid(const char *text) {
    size_t length = strnlen(text, 64);
    if (length < 1 || length > 63 || text[0] == '-')
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

void hex_encode(const void *data, size_t size, char *ret) {
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = data;
    for (size_t i = 0; i < size; i++) {
        ret[2 * i] = digits[p[i] >> 4];
        ret[2 * i + 1] = digits[p[i] & 15];
    }
    ret[2 * size] = '\0';
}

bool hex_decode(const char *text, void *ret, size_t size) {
    unsigned char *p = ret;
    for (size_t i = 0; i < 2 * size; i++) {
        if (!is_hex(text[i]))
            return false;
        int digit = text[i] <= '9' ? text[i] - '0' : text[i] - 'a' + 10;
        p[i / 2] = (unsigned char)(i % 2 ? p[i / 2] << 4 | digit : digit);
    }
    return text[2 * size] == '\0';
}

static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t base64url_encode(const void *data, size_t size, char *ret, size_t cap) {
    const unsigned char *p = data;
    size_t length = (size * 8 + 5) / 6;
    if (length >= cap)
        return 0;
    for (size_t i = 0; i < length; i++) {
        size_t bit = i * 6, at = bit / 8;
        unsigned pair = (unsigned)p[at] << 8 | (at + 1 < size ? p[at + 1] : 0U);
        ret[i] = BASE64URL[pair >> (10 - bit % 8) & 63];
    }
    ret[length] = '\0';
    return length;
}

bool base64url_decode(const char *text, size_t length, void *ret, size_t cap, size_t *ret_size) {
    unsigned char *p = ret;
    size_t size = length * 6 / 8;
    if (length % 4 == 1 || size > cap)
        return false;
    unsigned bits = 0, count = 0;
    size_t at = 0;
    for (size_t i = 0; i < length; i++) {
        const char *found = text[i] ? strchr(BASE64URL, text[i]) : NULL;
        if (!found)
            return false;
        bits = (bits << 6 | (unsigned)(found - BASE64URL)) & 0xffffU;
        count += 6;
        if (count >= 8) {
            count -= 8;
            p[at++] = (unsigned char)(bits >> count);
        }
    }
    /* Bits beyond the last byte must be zero, so that each value has one spelling. */
    if (bits & ((1U << count) - 1))
        return false;
    *ret_size = size;
    return true;
}

/* The lengths and ranges of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
static size_t utf8_sequence(const unsigned char *p, size_t left) {
    if (p[0] < 0x80)
        return p[0] ? 1 : 0;
    size_t n = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
               : (p[0] & 0xf0) == 0xe0        ? 3
               : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
                                              : 0;
    if (n == 0 || n > left)
        return 0;
    unsigned char low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool utf8_is_valid(const char *text, size_t length) {
    const unsigned char *p = (const unsigned char *)text;
    while (length > 0) {
        size_t n = utf8_sequence(p, length);
        if (n == 0)
            return false;
        p += n;
        length -= n;
    }
    return true;
}
