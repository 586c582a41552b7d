/* delete.c: the ends of runs: archived, restored, deleted for good, lost; see tracking.h. */
#include "tracking/tracking.h"

#include "config/config.h"
#include "http/feed.h"
#include "sql/tracking.h"
#include "tracking/internal.h"

#include <stdlib.h>

enum err run_archive(struct ctx *cx, const char *run_id) {
    const char *id;
    TRY(run_require(cx, NULL, run_id, &id));
    TRY(db_exec(cx, &SQL_runs_archive, ARGS(cx->who.team_id, db_text_array(cx, &id, 1)), NULL));
    return feed_post(cx, "run", id, "state");
}

enum err run_restore(struct ctx *cx, const char *run_id) {
    struct run run;
    TRY(run_head(cx, run_id, &run));
    TRY(experiment_require_active(cx, run.experiment_id));
    TRY(db_exec(cx, &SQL_runs_restore, ARGS(cx->who.team_id, db_text_array(cx, &run.id, 1)), NULL));
    return feed_post(cx, "run", run.id, "state");
}

enum err runs_delete(struct ctx *cx, const char *const *run_ids, size_t count) {
    const char *gone;
    TRY(db_value(cx, &SQL_runs_delete, ARGS(cx->who.team_id, db_text_array(cx, run_ids, count)),
                 &gone));
    if (strtoll(gone, NULL, 10) != (long long)count)
        return fail(cx, ERR_CONFLICT,
                    "only a run that is archived and whose job has ended can be deleted");
    return jobs_forget_files(cx, run_ids, count);
}

enum err run_delete(struct ctx *cx, const char *run_id) {
    const char *id;
    TRY(run_require(cx, NULL, run_id, &id));
    return runs_delete(cx, &id, 1);
}

enum err runs_sweep(struct ctx *cx) {
    int64_t hours = cx->app->config->run_silent_hours;
    return hours ? db_exec(cx, &SQL_runs_lose, ARGS(db_int(cx, hours)), NULL) : OK;
}
