/* Signing and checking JWTs with libjwt 1.10; see token.h.
 *
 * That library checks neither alg nor exp and reads any header, so it is never given a choice:
 *  1. at most 2 KiB, only base64url and two dots;
 *  2. the first part must be, byte for byte, the header of one of our keys. That removes alg, kid,
 *     crit, jku, jwk and nesting at a stroke, and chooses the key;
 *  3. the signature is verified with that key, and the algorithm is asserted once more;
 *  4. exp is an integer in the future and at most ten minutes after iat; iat and nbf are not ahead
 * of our clock by more than a minute;
 *  5. iss, aud and use are ours, sub and sid are UUIDs. Whether the session lives is the database's
 *     to say (auth.c). */

#include "auth/token.h"

#include "auth/auth.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ident.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jwt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ISSUER "slipway"
#define AUDIENCE "slipway"
#define USE_ACCESS "access"
#define SKEW_S 60

static void cleanup_jwt(jwt_t **jwt) {
    jwt_free(*jwt);
}
#define auto_jwt __attribute__((cleanup(cleanup_jwt))) jwt_t

static bool jwt_build(const struct token_key *key, const struct access *access, int64_t now_s,
                      jwt_t *jwt) {
    char kid[16];
    snprintf(kid, sizeof(kid), "%d", key->number);
    return jwt_set_alg(jwt, JWT_ALG_HS256, key->secret, TOKEN_KEY_SIZE) == 0 &&
           jwt_add_header(jwt, "kid", kid) == 0 && jwt_add_grant(jwt, "iss", ISSUER) == 0 &&
           jwt_add_grant(jwt, "aud", AUDIENCE) == 0 && jwt_add_grant(jwt, "use", USE_ACCESS) == 0 &&
           jwt_add_grant(jwt, "sub", access->user_id) == 0 &&
           jwt_add_grant(jwt, "sid", access->session_id) == 0 &&
           jwt_add_grant_int(jwt, "iat", now_s) == 0 && jwt_add_grant_int(jwt, "nbf", now_s) == 0 &&
           jwt_add_grant_int(jwt, "exp", access->expires_at / 1000000) == 0;
}

/* Owned by the caller (free); NULL when memory is short. */
static char *jwt_make(const struct token_key *key, const struct access *access, int64_t now_s) {
    jwt_t *fresh = NULL;
    if (jwt_new(&fresh) != 0)
        return NULL;
    auto_jwt *jwt = fresh;
    return jwt_build(key, access, now_s, jwt) ? jwt_encode_str(jwt) : NULL;
}

enum err token_sign(struct ctx *cx, const struct token_keys *keys, const struct access *access,
                    const char **ret) {
    auto_free char *text = jwt_make(&keys->keys[0], access, clock_now_us() / 1000000);
    if (!text)
        return fail(cx, ERR_INTERNAL, "could not sign the session");
    *ret = arena_strdup(cx->arena, text);
    return OK;
}

/* Which key made it; NULL unless its form and header are exactly ours. */
static const struct token_key *key_of(const struct token_keys *keys, const char *text) {
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    size_t length = strnlen(text, ACCESS_MAX + 1);
    if (length > ACCESS_MAX || strspn(text, allowed) != length)
        return NULL;
    const char *first = strchr(text, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.'))
        return NULL;
    for (int i = 0; i < keys->count; i++) {
        const char *header = keys->keys[i].header;
        if (strlen(header) == (size_t)(first - text) &&
            memcmp(header, text, (size_t)(first - text)) == 0)
            return &keys->keys[i];
    }
    return NULL;
}

static bool grant_is(jwt_t *jwt, const char *name, const char *expected) {
    const char *value = jwt_get_grant(jwt, name);
    return value && strcmp(value, expected) == 0;
}

/* libjwt gives -1 for an absent number and 0 for text or a fraction: neither is a time of ours. */
static bool times_are_good(jwt_t *jwt, int64_t now_s, int64_t *ret_expires_s) {
    int64_t exp = jwt_get_grant_int(jwt, "exp");
    int64_t iat = jwt_get_grant_int(jwt, "iat");
    int64_t nbf = jwt_get_grant_int(jwt, "nbf");
    if (exp <= 0 || iat <= 0 || nbf <= 0)
        return false;
    *ret_expires_s = exp;
    return exp > now_s && exp > iat && exp - iat <= ACCESS_SECONDS && iat <= now_s + SKEW_S &&
           nbf <= now_s + SKEW_S;
}

static bool copy_uuid(jwt_t *jwt, const char *name, char ret[ID_SIZE]) {
    const char *value = jwt_get_grant(jwt, name);
    if (!value || !uuid_is_valid(value))
        return false;
    memcpy(ret, value, ID_SIZE);
    return true;
}

bool token_verify(const struct token_keys *keys, const char *text, struct access *ret) {
    const struct token_key *key = key_of(keys, text);
    jwt_t *decoded = NULL;
    if (!key || jwt_decode(&decoded, text, key->secret, TOKEN_KEY_SIZE) != 0)
        return false;
    auto_jwt *jwt = decoded;

    struct access access = {0};
    int64_t expires_s;
    if (jwt_get_alg(jwt) != JWT_ALG_HS256 ||
        !times_are_good(jwt, clock_now_us() / 1000000, &expires_s) ||
        !grant_is(jwt, "iss", ISSUER) || !grant_is(jwt, "aud", AUDIENCE) ||
        !grant_is(jwt, "use", USE_ACCESS) || !copy_uuid(jwt, "sub", access.user_id) ||
        !copy_uuid(jwt, "sid", access.session_id))
        return false;
    access.expires_at = expires_s * 1000000;
    *ret = access;
    return true;
}

/* Learns the constant header by making one token: what the library writes is what it is held to. */
static enum err key_learn_header(struct token_key *key, struct err_info *err) {
    struct access probe = {.expires_at = 1000000};
    auto_free char *text = jwt_make(key, &probe, 1);
    const char *dot = text ? strchr(text, '.') : NULL;
    if (!dot || (size_t)(dot - text) >= sizeof(key->header))
        return err_set(err, ERR_INTERNAL, NULL, "could not sign with key %d", key->number);
    memcpy(key->header, text, (size_t)(dot - text));
    key->header[dot - text] = '\0';
    return OK;
}

static enum err key_read(int dir_fd, const char *name, struct token_key *ret,
                         struct err_info *err) {
    auto_fd fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(err, ERR_INVALID, "key_dir", "could not read key file \"%s\"", name);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        return err_set(err, ERR_INVALID, "key_dir",
                       "key file \"%s\" can be read by others: make it mode 0600", name);
    char text[2 * TOKEN_KEY_SIZE + 1] = "";
    if (read(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1 ||
        !hex_decode(text, ret->secret, TOKEN_KEY_SIZE))
        return err_set(err, ERR_INVALID, "key_dir", "key file \"%s\" is not a key", name);
    return key_learn_header(ret, err);
}

static int by_number_descending(const void *a, const void *b) {
    return *(const int *)b - *(const int *)a;
}

/* The numbers of the files jwt-<n>.key, the highest first. */
static int key_numbers(const char *dir, int *ret, int cap) {
    DIR *listing = opendir(dir);
    if (!listing)
        return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(listing)) && count < cap;) {
        int number, used = 0;
        if (sscanf(entry->d_name, "jwt-%9d.key%n", &number, &used) == 1 && used > 0 &&
            entry->d_name[used] == '\0' && number > 0)
            ret[count++] = number;
    }
    closedir(listing);
    qsort(ret, (size_t)count, sizeof(ret[0]), by_number_descending);
    return count;
}

enum { KEY_FILES_MAX = 256 };

enum err token_keys_load(const char *dir, struct token_keys *ret, struct err_info *err) {
    int numbers[KEY_FILES_MAX];
    int count = key_numbers(dir, numbers, KEY_FILES_MAX);
    auto_fd dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0 || count == 0)
        return err_set(err, ERR_INVALID, "key_dir",
                       "there is no signing key in \"%s\": run slipwayd keys create", dir);
    struct token_keys keys = {.count = count < TOKEN_KEYS_MAX ? count : TOKEN_KEYS_MAX};
    for (int i = 0; i < keys.count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "jwt-%d.key", numbers[i]);
        keys.keys[i].number = numbers[i];
        TRY(key_read(dir_fd, name, &keys.keys[i], err));
    }
    *ret = keys;
    return OK;
}

enum err auth_key_create(const char *dir, struct err_info *err) {
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set(err, ERR_INVALID, "key_dir", "could not make directory \"%s\"", dir);
    int numbers[KEY_FILES_MAX];
    int newest = key_numbers(dir, numbers, KEY_FILES_MAX) > 0 ? numbers[0] : 0;

    unsigned char secret[TOKEN_KEY_SIZE];
    char text[2 * TOKEN_KEY_SIZE + 2];
    random_bytes(secret, sizeof(secret));
    hex_encode(secret, sizeof(secret), text);
    text[2 * TOKEN_KEY_SIZE] = '\n';

    char path[4096];
    snprintf(path, sizeof(path), "%s/jwt-%d.key", dir, newest + 1);
    auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    ssize_t size = 2 * TOKEN_KEY_SIZE + 1;
    if (fd < 0 || write(fd, text, (size_t)size) != size || fsync(fd) != 0)
        return err_set(err, ERR_UNAVAILABLE, "key_dir", "could not write key file \"%s\"", path);
    return OK;
}

static enum err key_stat(const char *dir, int number, struct auth_key *ret, struct err_info *err) {
    char path[4096];
    struct stat st;
    snprintf(path, sizeof(path), "%s/jwt-%d.key", dir, number);
    if (stat(path, &st) != 0)
        return err_set(err, ERR_NOT_FOUND, "key_dir", "there is no key %d", number);
    *ret = (struct auth_key){number, (int64_t)st.st_mtime * 1000000};
    return OK;
}

enum err auth_key_list(const char *dir, struct auth_key *ret, int cap, int *ret_count,
                       struct err_info *err) {
    int numbers[KEY_FILES_MAX];
    int count = key_numbers(dir, numbers, KEY_FILES_MAX);
    *ret_count = count < cap ? count : cap;
    for (int i = 0; i < *ret_count; i++)
        TRY(key_stat(dir, numbers[i], &ret[i], err));
    return OK;
}

enum err auth_key_retire(const char *dir, int number, struct err_info *err) {
    int numbers[KEY_FILES_MAX];
    char path[4096];
    if (key_numbers(dir, numbers, KEY_FILES_MAX) > 0 && numbers[0] == number)
        return err_set(err, ERR_CONFLICT, NULL,
                       "key %d is the one that signs: create another first", number);
    snprintf(path, sizeof(path), "%s/jwt-%d.key", dir, number);
    if (unlink(path) != 0)
        return err_set(err, ERR_NOT_FOUND, NULL, "there is no key %d", number);
    return OK;
}
