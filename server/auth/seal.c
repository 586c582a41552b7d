/* See seal.h. A sealed text is base64url of nonce (12 bytes), ciphertext and tag (16 bytes). The
 * nonces are random: with 96 bits and a few million secrets a repetition is out of sight. */

#include "auth/seal.h"

#include "auth/auth_private.h"
#include "base/cleanup.h"
#include "base/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

enum { NONCE_SIZE = 12, TAG_SIZE = 16, OVERHEAD = NONCE_SIZE + TAG_SIZE };

static void cleanup_cipher(EVP_CIPHER_CTX **cipher) {
    EVP_CIPHER_CTX_free(*cipher);
}
#define auto_cipher __attribute__((cleanup(cleanup_cipher))) EVP_CIPHER_CTX

static enum err key_create(const char *path, struct err_info *err) {
    unsigned char key[SEAL_KEY_SIZE];
    random_bytes(key, sizeof(key));
    auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return OK;
    if (fd < 0 || write(fd, key, sizeof(key)) != (ssize_t)sizeof(key) || fsync(fd) != 0)
        return err_set(err, ERR_UNAVAILABLE, "key_dir", "could not write key file \"%s\"", path);
    return OK;
}

enum err seal_key_load(const char *dir, unsigned char ret[SEAL_KEY_SIZE], struct err_info *err) {
    char path[4096];
    struct stat st;
    snprintf(path, sizeof(path), "%s/seal.key", dir);
    if (access(path, F_OK) != 0)
        TRY(key_create(path, err));
    auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(err, ERR_INVALID, "key_dir", "could not read key file \"%s\"", path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0)
        return err_set(err, ERR_INVALID, "key_dir",
                       "key file \"%s\" can be read by others: make it mode 0600", path);
    if (read(fd, ret, SEAL_KEY_SIZE) != SEAL_KEY_SIZE)
        return err_set(err, ERR_INVALID, "key_dir", "key file \"%s\" is too short", path);
    return OK;
}

static bool encrypt(const unsigned char *key, const char *bound, const void *secret, size_t size,
                    unsigned char *ret) {
    auto_cipher *cipher = EVP_CIPHER_CTX_new();
    int n = 0;
    random_bytes(ret, NONCE_SIZE);
    return cipher && EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, ret) == 1 &&
           EVP_EncryptUpdate(cipher, NULL, &n, (const unsigned char *)bound, (int)strlen(bound)) ==
               1 &&
           EVP_EncryptUpdate(cipher, ret + NONCE_SIZE, &n, secret, (int)size) == 1 &&
           EVP_EncryptFinal_ex(cipher, ret + NONCE_SIZE + size, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, ret + NONCE_SIZE + size) ==
               1;
}

enum err seal(struct ctx *cx, const char *bound, const void *secret, size_t size,
              const char **ret) {
    unsigned char sealed[SEAL_MAX + OVERHEAD];
    size_t cap = (SEAL_MAX + OVERHEAD) * 4 / 3 + 4;
    if (size > SEAL_MAX)
        return fail(cx, ERR_INVALID, "a secret has at most %d bytes", SEAL_MAX);
    if (!encrypt(cx->app->auth->seal_key, bound, secret, size, sealed))
        return fail(cx, ERR_INTERNAL, "could not seal a secret");
    char *text = arena_alloc(cx->arena, cap);
    base64url_encode(sealed, size + OVERHEAD, text, cap);
    *ret = text;
    return OK;
}

static bool decrypt(const unsigned char *key, const char *bound, unsigned char *sealed, size_t size,
                    unsigned char *ret) {
    auto_cipher *cipher = EVP_CIPHER_CTX_new();
    int n = 0;
    return cipher && EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, sealed) == 1 &&
           EVP_DecryptUpdate(cipher, NULL, &n, (const unsigned char *)bound, (int)strlen(bound)) ==
               1 &&
           EVP_DecryptUpdate(cipher, ret, &n, sealed + NONCE_SIZE, (int)size) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_SIZE,
                               sealed + NONCE_SIZE + size) == 1 &&
           EVP_DecryptFinal_ex(cipher, ret + size, &n) == 1;
}

enum err unseal(struct ctx *cx, const char *bound, const char *sealed, void *ret, size_t cap,
                size_t *ret_size) {
    unsigned char bytes[SEAL_MAX + OVERHEAD], secret[SEAL_MAX];
    size_t size = 0;
    if (!base64url_decode(sealed, strlen(sealed), bytes, sizeof(bytes), &size) || size < OVERHEAD ||
        size - OVERHEAD > cap ||
        !decrypt(cx->app->auth->seal_key, bound, bytes, size - OVERHEAD, secret))
        return fail(cx, ERR_INTERNAL,
                    "could not open a sealed secret: is seal.key the one it was "
                    "sealed with?");
    memcpy(ret, secret, size - OVERHEAD);
    explicit_bzero(secret, sizeof(secret));
    *ret_size = size - OVERHEAD;
    return OK;
}
