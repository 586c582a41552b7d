/* The runner's events on disk between the runner, which must never wait, and the server, which may
 * be away. One file a job, one checked JSON object a line; line n is event n of the attempt.
 *
 * The job thread appends, the sender reads in order; both may run at once. Bounded: past
 * SPOOL_MAX_BYTES log events are dropped, with one warning in their place. */
#pragma once

#include "worker/worker.h"

#define SPOOL_LINE_MAX (64 * 1024)
#define SPOOL_MAX_BYTES (256LL * 1024 * 1024)

struct spool {
    int fd;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int64_t bytes;   /* written */
    int64_t count;   /* lines written */
    int64_t sent;    /* lines acknowledged by the server; the sender's */
    int64_t sent_at; /* their end in the file; the sender's */
    bool full;       /* the warning has been written */
    bool closed;     /* nothing more will come */
};

MUST_USE enum err spool_init(struct spool *s, const char *path, struct err_info *err);
void spool_done(struct spool *s);

/* Takes one line of the runner. A line that is no known event is refused: the runner is ended. */
MUST_USE enum err spool_line(struct spool *s, const char *line, size_t size, struct err_info *err);
/* Events of the worker's own making. */
void spool_log(struct spool *s, const char *level, const char *text, size_t size);
void spool_metrics(struct spool *s, int64_t step, json_t *values); /* takes the reference */
void spool_close(struct spool *s);

/* Waits at most wait_ms for unsent events and returns up to 500 of them (at most 256 KiB; new
 * reference, an array). *ret_end is the file position to acknowledge with spool_ack(). An empty
 * array with *ret_closed set means that all has been sent. */
json_t *spool_batch(struct spool *s, int wait_ms, int64_t *ret_end, bool *ret_closed);
void spool_ack(struct spool *s, size_t events, int64_t end);
