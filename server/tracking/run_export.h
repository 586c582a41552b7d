/* Runs as a file, with everything they logged: CSV with a column a key, or JSON Lines with a run as
 * lists have it. */
#pragma once

#include "tracking/search.h"

#define EXPORT_RUNS_MAX 100000
#define EXPORT_COLUMNS_MAX 5000 /* of parameters, metrics and tags together; CSV alone */

enum export_format { EXPORT_CSV, EXPORT_JSONL };

struct run_export {
    int format;       /* enum export_format */
    bool with_ranges; /* the least and the greatest of each metric too */
    struct list ids;  /* const char *, in order */
};

/* Finds what there is to write, in the order of the search (its limit and token are ignored).
 * ERR_TOO_LARGE when it is more than EXPORT_RUNS_MAX runs. */
MUST_USE enum err run_export_prepare(struct ctx *cx, const struct run_search *search,
                                     struct run_export *ret);
/* Writes it, in parts with memory of their own; ends early when nobody reads any more. */
MUST_USE enum err run_export_write(struct ctx *cx, struct http_io *io,
                                   const struct run_export *export);
