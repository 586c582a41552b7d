/* HTTP to a tracker, Slipway's or another's: JSON calls, and files as streams. One thread. */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

struct remote_options {
    const char *url;             /* "https://host:port/prefix"; no slash at its end */
    const char *ca_file;         /* or NULL */
    const char *token;           /* Bearer; or NULL */
    const char *user, *password; /* Basic; or NULL */
};

struct remote;
struct remote *remote_new(const struct remote_options *options); /* keeps the texts, not copies */
void remote_free(struct remote *remote);                         /* NULL is fine */
const char *remote_url(const struct remote *remote);

/* *ret is a new reference ({} for an empty body). Busy servers are asked again for a minute.
 * ERR_NOT_FOUND, ERR_CONFLICT (also MLflow's *_ALREADY_EXISTS), ERR_INVALID with the server's own
 * sentence; ERR_UNAVAILABLE when there is no answer. */
MUST_USE enum err remote_call(struct remote *remote, const char *method, const char *path,
                              const json_t *body, json_t **ret, struct err_info *err);
/* Writes the reply's body to the file. */
MUST_USE enum err remote_fetch(struct remote *remote, const char *path, FILE *to,
                               struct err_info *err);
/* PUTs size bytes from the file's position 0. */
MUST_USE enum err remote_send(struct remote *remote, const char *path, FILE *from, int64_t size,
                              struct err_info *err);

/* Percent-encoded, slashes too unless keep_slashes; malloc'ed. */
char *uri_encode(const char *text, int keep_slashes);
