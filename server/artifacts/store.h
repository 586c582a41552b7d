/* The directory under the blobs: files by hash, files being written, files being uploaded. Private
 * to artifacts/.
 *
 *     data_dir/            0700, locked against a second server
 *       blobs/aa/aabb…     whole, durable, never changed again
 *       tmp/               being written by a request; emptied at start
 *       uploads/<id>       of resumable uploads; what a row's offset covers is durable
 *
 * Everything is opened relative to a directory's descriptor without following links. */
#pragma once

#include "artifacts/artifacts.h"

struct blobs {
    int data_fd; /* holds the lock */
    int blobs_fd, tmp_fd, uploads_fd;
    /* How far the sweeps have come; the sweeper's thread alone. */
    char swept[SHA256_TEXT_SIZE];
    int walked; /* buckets of this round */
};

#define STORE_BUFFER_SIZE ((size_t)1 << 20) /* what one transfer has in memory */

/* A blob being written. staging_done() removes what was not committed. */
struct staging {
    struct blobs *blobs;
    int fd;
    char name[48];
    struct sha256 *hash;
    int64_t size_bytes;
};

MUST_USE enum err staging_init(struct ctx *cx, struct staging *ret);
void staging_done(struct staging *s);
MUST_USE enum err staging_write(struct ctx *cx, struct staging *s, const void *data, size_t size);
/* Durable under its hash when this returns, its row written in the ctx's transaction. expected = ""
 * or the hash it must have. */
MUST_USE enum err staging_commit(struct ctx *cx, struct staging *s, const char *expected,
                                 struct blob *ret);
#define auto_staging __attribute__((cleanup(staging_done))) struct staging

/* Refuses when taking so many bytes would leave the disk nearly full. */
MUST_USE enum err store_require_space(struct ctx *cx, int64_t size_bytes);
/* Gives an already durable file its name by hash, durably; one that is there is left as it is. */
MUST_USE enum err store_link(struct ctx *cx, int from_dir, const char *name, const char *sha256);
MUST_USE enum err store_write_all(struct ctx *cx, int fd, const void *data, size_t size,
                                  int64_t offset);
/* Log detail from errno, and one sentence for all of them. */
enum err store_failed(struct ctx *cx, const char *what);
/* In the ctx's transaction, and before store_link(): see blobs.c. */
MUST_USE enum err blob_row(struct ctx *cx, const struct blob *blob);
/* The directory of the blobs whose hash begins so; -1 and errno when there is none. */
int store_bucket(struct blobs *b, const char *sha256, bool create);
