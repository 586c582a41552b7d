/* collect.c: the sweep of blobs that no row refers to any more.
 *
 * A blob dies in one transaction: its row is deleted, which locks out whoever stores the same bytes
 * (they write the row before they look for the file) and is refused by a foreign key when there is
 * a reference after all; then the file goes; then the commit. A crash between the last two leaves a
 * row that nobody refers to and that the next sweep deletes, or the next upload makes good.
 *
 * Each call looks at the next BLOBS_AT_ONCE hashes, so that its work is bounded however many blobs
 * there are; a million take a night. */
#include "artifacts/store.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "config/config.h"
#include "db/db.h"
#include "sql/artifacts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BLOBS_AT_ONCE 2000

struct candidate {
    const char *sha256;
};
static const struct field CANDIDATE_FIELDS[] = {FIELD(STRING, struct candidate, sha256)};
static SHAPE(CANDIDATE, "BlobCandidate", struct candidate, CANDIDATE_FIELDS);

static enum err remove_file(struct ctx *cx, const char *sha256) {
    auto_fd bucket = store_bucket(cx->app->blobs, sha256, false);
    if (bucket < 0)
        return errno == ENOENT ? OK : store_failed(cx, "bucket");
    if (unlinkat(bucket, sha256, 0) != 0 && errno != ENOENT)
        return store_failed(cx, "unlink");
    return OK;
}

static enum err collect(struct ctx *cx, const char *sha256) {
    const char *gone;
    TRY(db_value(cx, &SQL_blob_collect, ARGS(sha256, db_int(cx, cx->app->config->blob_grace_hours)),
                 &gone));
    if (gone)
        TRY(remove_file(cx, sha256));
    return db_commit(cx);
}

/* A failure costs one blob its turn: mostly somebody has referred to it meanwhile. */
static void collect_each(struct ctx *cx, const struct list *found) {
    const struct candidate *candidates = found->items;
    for (size_t i = 0; i < found->count; i++) {
        if (collect(cx, candidates[i].sha256) == OK)
            continue;
        log_event(LOG_INFO, "blob.kept", LOG_T("sha256", candidates[i].sha256),
                  LOG_T("message", cx->err.message), LOG_T("detail", cx->err.detail));
        db_rollback(cx);
    }
}

enum err blobs_sweep(struct ctx *cx) {
    struct blobs *b = cx->app->blobs;
    struct list found;
    const char *last;
    TRY(db_value(cx, &SQL_blobs_part, ARGS(b->swept, db_int(cx, BLOBS_AT_ONCE)), &last));
    if (!last) {
        b->swept[0] = '\0';
        return OK;
    }
    TRY(db_many(cx, &SQL_blobs_unreferenced,
                ARGS(b->swept, last, db_int(cx, cx->app->config->blob_grace_hours)), &CANDIDATE,
                &found));
    TRY(db_commit(cx));
    snprintf(b->swept, sizeof(b->swept), "%s", last);
    collect_each(cx, &found);
    return OK;
}
