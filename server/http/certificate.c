/* See certificate.h. What was read is held in an SSL_CTX of its own that serves no connection:
 * OpenSSL checks there that key and certificate belong together. A handshake copies from it under
 * the lock, because changing the SSL_CTX that connections are made of would race with them. */
#include "http/certificate.h"

#include "base/cleanup.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

struct certificate {
    char *chain_path, *key_path;
    pthread_mutex_t lock;
    SSL_CTX *loaded; /* under lock; NULL before the first load */
};

struct certificate *certificate_new(const char *chain_path, const char *key_path) {
    struct certificate *c = calloc(1, sizeof(*c));
    if (!c || !(c->chain_path = strdup(chain_path)) || !(c->key_path = strdup(key_path)))
        abort();
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

void certificate_free(struct certificate *c) {
    if (!c)
        return;
    SSL_CTX_free(c->loaded);
    pthread_mutex_destroy(&c->lock);
    free(c->chain_path);
    free(c->key_path);
    free(c);
}

static enum err check_private(const char *path, struct err_info *err) {
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not read the TLS key \"%s\": %s", path,
                       strerror(errno));
    if (st.st_mode & 077)
        return err_set(err, ERR_INTERNAL, NULL, "the TLS key \"%s\" is accessible to others", path);
    return OK;
}

static enum err unusable(struct err_info *err, const char *what, const char *path) {
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
    ERR_clear_error();
    return err_set(err, ERR_INTERNAL, NULL, "could not use the %s \"%s\": %s", what, path, reason);
}

static enum err check_dates(const struct certificate *c, const SSL_CTX *read,
                            struct err_info *err) {
    const X509 *x509 = SSL_CTX_get0_certificate(read);
    if (X509_cmp_current_time(X509_get0_notAfter(x509)) < 0)
        return err_set(err, ERR_INTERNAL, NULL, "the certificate \"%s\" has expired",
                       c->chain_path);
    if (X509_cmp_current_time(X509_get0_notBefore(x509)) > 0)
        return err_set(err, ERR_INTERNAL, NULL, "the certificate \"%s\" is not valid yet",
                       c->chain_path);
    return OK;
}

static enum err read_files(const struct certificate *c, SSL_CTX *ret, struct err_info *err) {
    if (SSL_CTX_use_certificate_chain_file(ret, c->chain_path) != 1)
        return unusable(err, "certificate", c->chain_path);
    if (SSL_CTX_use_PrivateKey_file(ret, c->key_path, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ret) != 1)
        return unusable(err, "key", c->key_path);
    return check_dates(c, ret, err);
}

enum err certificate_load(struct certificate *c, struct err_info *err) {
    TRY(check_private(c->key_path, err));
    SSL_CTX *read = SSL_CTX_new(TLS_server_method());
    if (!read)
        return unusable(err, "TLS library", "openssl");
    enum err result = read_files(c, read, err);
    if (result == OK) {
        scope_lock(&c->lock);
        SSL_CTX *before = c->loaded;
        c->loaded = read;
        read = before;
    }
    SSL_CTX_free(read); /* the one that is not in use */
    return result;
}

/* OpenSSL asks once a handshake; 1 = go on. The connection takes references of its own. */
static int give(SSL *ssl, void *user) {
    struct certificate *c = user;
    STACK_OF(X509) *chain = NULL;
    scope_lock(&c->lock);
    if (SSL_CTX_get0_chain_certs(c->loaded, &chain) != 1)
        return 0;
    return SSL_use_cert_and_key(ssl, SSL_CTX_get0_certificate(c->loaded),
                                SSL_CTX_get0_privatekey(c->loaded), chain, 1);
}

void certificate_attach(struct certificate *c, SSL_CTX *tls) {
    SSL_CTX_set_cert_cb(tls, give, c);
}
