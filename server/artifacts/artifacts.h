/* Blobs: bytes named by their SHA-256, kept once per store, and the uploads that make them.
 *
 * A blob counts after its file and its directory are fsynced; only then may a row refer to it.
 * Names that users gave live in the database, never in a path. Which team may read a blob follows
 * from the rows that refer to it (a dataset version's file, a run's artifact, a model version's
 * file): there is no route that takes a bare hash from a user. */
#pragma once

#include "base/digest.h"
#include "ctx.h"
#include "http/http.h"

struct blob {
    char sha256[SHA256_TEXT_SIZE];
    int64_t size_bytes;
};

MUST_USE enum err blobs_new(const char *data_dir, struct blobs **ret, struct err_info *err);
void blobs_free(struct blobs *blobs);

/* Streams the request body into the store. expected = "" or the SHA-256 it must have. The blob's
 * row is written in the ctx's transaction. Refuses with 507-like ERR_UNAVAILABLE when the disk is
 * nearly full. Opens no transaction before the last byte is durable. */
MUST_USE enum err blob_receive(struct ctx *cx, const struct req *rq, const char *expected,
                               int64_t max_bytes, struct blob *ret);
/* Bytes the server made itself (a small JSON file). */
MUST_USE enum err blob_put(struct ctx *cx, const void *data, size_t size, struct blob *ret);
MUST_USE enum err blob_require(struct ctx *cx, const char *sha256,
                               struct blob *ret); /* row exists */
MUST_USE enum err blob_open(struct ctx *cx, const char *sha256, int *ret_fd, int64_t *ret_size);
/* Small blobs (≤ max) read whole into the arena: JSON results, never hostile formats. */
MUST_USE enum err blob_read(struct ctx *cx, const char *sha256, size_t max, const char **ret,
                            size_t *ret_size);

/* A finished upload of the caller's team becomes the caller's to use; 404 for others, 409 when it
 * is not complete. */
struct upload {
    const char *id;
    const char *file_name;
    int64_t size_bytes;
    int64_t offset_bytes;
    int state;          /* enum upload_state: receiving, complete */
    const char *sha256; /* NULL until complete */
    int64_t created_at, expires_at;
};
MUST_USE enum err upload_require_complete(struct ctx *cx, const char *upload_id,
                                          struct upload *ret);

/* Parts of one file, which may come in any order and at once: each is a file of its own until
 * parts_join() makes a blob of all. Whoever keeps the rows names them by an id of its own and by
 * numbers from 1. */
#define PARTS_MAX 10000
struct part {
    int64_t number;
    const char *sha256;
    int64_t size_bytes;
};
/* Streams the request's body; durable when this returns. One that is there is replaced. */
MUST_USE enum err part_receive(struct ctx *cx, const struct req *rq, const char *id, int64_t number,
                               int64_t max_bytes, struct part *ret);
/* Opens no transaction before the blob is durable; its row is written in the ctx's transaction. */
MUST_USE enum err parts_join(struct ctx *cx, const char *id, const struct part *parts, size_t count,
                             struct blob *ret);
/* Those that are there, of numbers up to last. */
void parts_discard(struct ctx *cx, const char *id, int64_t last);
/* Parts that nobody wrote to for so long: those too whose rows went with what they were for. */
MUST_USE enum err parts_expire(struct ctx *cx, int64_t age_s);

/* Deletes blobs that no row refers to and that nobody has stored for blob_grace_hours; a part of
 * them at each call. Commits as it goes. As PRINCIPAL_SYSTEM. */
MUST_USE enum err blobs_sweep(struct ctx *cx);
/* Removes the files of uploads that were not finished in time. As PRINCIPAL_SYSTEM. */
MUST_USE enum err uploads_sweep(struct ctx *cx);
/* Removes files that no row names and nobody has written to for blob_grace_hours; a part of them at
 * each call. Commits as it goes. As PRINCIPAL_SYSTEM. */
MUST_USE enum err strays_sweep(struct ctx *cx);

extern const struct route ARTIFACTS_ROUTES[];
extern const size_t ARTIFACTS_ROUTE_COUNT;
