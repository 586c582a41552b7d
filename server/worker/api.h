/* The worker's HTTPS calls. One `struct api` a thread: it keeps a connection alive. */
#pragma once

#include "worker/worker.h"

struct api;

struct api *api_new(const struct worker *w);
void api_free(struct api *api);

/* status 0 = no answer (connection refused, broken, timed out): the caller decides to try again. */
struct api_reply {
    long status;
    json_t *json; /* NULL when the body was not a JSON object; freed by api_reply_done */
    char message[256];
};
void api_reply_done(struct api_reply *reply);

/* body NULL = none. A stopping worker interrupts waiting calls when `interruptible`. */
void api_call(struct api *api, const char *method, const char *path, const json_t *body,
              bool interruptible, struct api_reply *ret);

/* Streams a job input into fd and checks its SHA-256 and size. */
MUST_USE enum err api_download(struct api *api, const char *path, int64_t epoch, int fd,
                               const char *sha256, int64_t size_bytes, struct err_info *err);
/* Streams the file at fd, size_bytes from its start. status as in api_reply. */
long api_upload(struct api *api, const char *path, int64_t epoch, int fd, int64_t size_bytes);
