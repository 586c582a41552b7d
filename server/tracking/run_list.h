/* A page of runs as the reply of a ROUTE_LIST of RUN_SHAPE. */
#pragma once

#include "base/jsonwrite.h"
#include "tracking/load.h"

/* A run as lists have it; loaded with params, tags, metrics and spec. */
void run_write(struct json_writer *w, const struct run_details *run);
/* runs is what runs_load() gave, with params, tags, metrics and spec; next NULL = the last page. */
void reply_runs(struct ctx *cx, struct reply *rp, const struct list *runs, const char *next);
