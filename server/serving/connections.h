/* What serving remembers in the process: idle connections to runners, counters that wait to be
 * written, and where a busy name leads. All calls lock inside and may come from any thread. */
#pragma once

#include "ctx.h"

#include <stdbool.h>
#include <stdint.h>

struct connections;

/* Where requests for a model version go once its runner is ready. */
struct target {
    char team_id[ID_SIZE], endpoint_id[ID_SIZE];
    char job_id[ID_SIZE]; /* of the resident job; its socket is <serve_dir>/<job id>.sock */
};

struct connections *connections_new(const char *serve_dir);
void connections_free(struct connections *c);

/* A connection to the target's runner, idle or new; -1 when nobody listens. *ret_fresh: it is new,
 * so a failure on it is the runner's and not that of an old connection. */
int connection_borrow(struct connections *c, const struct target *target, bool *ret_fresh);
void connection_return(struct connections *c, const struct target *target, int fd);

void target_count(struct connections *c, const struct target *target, bool failed,
                  int64_t elapsed_us);

/* A key's target is believed for one second, so that a busy model costs no statement. The key names
 * who may see it: the team, and the caller where not everybody in it sees the same. */
bool target_recall(struct connections *c, const char *key, struct target *ret);
void target_remember(struct connections *c, const char *key, const struct target *target);
/* Closes its idle connections too. */
void target_forget(struct connections *c, const struct target *target);

struct target_counts {
    struct target target;
    int64_t requests, errors; /* since they were last taken */
    int64_t p50_us;           /* of the last 256 requests */
};
/* Takes one target's counters; false when the sweep has seen all. sweep is a number that the caller
 * raises for each round. A target without requests since the last round is let go of. */
bool target_sweep(struct connections *c, unsigned sweep, struct target_counts *ret);
