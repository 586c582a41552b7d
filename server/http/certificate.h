/* The server's certificate and key, exchangeable while it runs: a connection gets those that are
 * current at its handshake, and keeps them. */
#pragma once

#include "base/err.h"

#include <openssl/ssl.h>

struct certificate;

/* Paths of PEM files, kept. The key must be readable by its owner alone. */
struct certificate *certificate_new(const char *chain_path, const char *key_path);
void certificate_free(struct certificate *c);

/* Reads both files; on failure (a key of another certificate, an expired one …) nothing changes. */
MUST_USE enum err certificate_load(struct certificate *c, struct err_info *err);

/* Handshakes over tls use c, which must outlive it. */
void certificate_attach(struct certificate *c, SSL_CTX *tls);
