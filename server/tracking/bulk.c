/* bulk.c: one action for many runs of a project, all or nothing.
 *
 * The runs are locked in the order of their ids first, so that two of these cannot wait for each
 * other, and what is checked still holds when the action is taken. */
#include "tracking/bulk.h"

#include "base/ident.h"
#include "http/feed.h"
#include "sql/tracking.h"
#include "tracking/internal.h"

#include <stdlib.h>
#include <string.h>

const char *const RUN_ACTION_NAMES[] = {"tag",     "untag",  "move", "archive",
                                        "restore", "delete", NULL};

struct locked {
    const char *id, *name;
    int64_t archived_at;
};
static const struct field LOCKED_FIELDS[] = {
    FIELD(UUID, struct locked, id),
    FIELD(STRING, struct locked, name),
    FIELD(TIME, struct locked, archived_at),
};
static SHAPE(LOCKED, "Locked", struct locked, LOCKED_FIELDS);

/* The ids in a statement's form, each once; *ret_count of them. */
static enum err lock(struct ctx *cx, const struct run_bulk *bulk, const char **ret_ids,
                     struct list *ret) {
    const char *const *ids = bulk->ids.items;
    for (size_t i = 0; i < bulk->ids.count; i++)
        if (!uuid_is_valid(ids[i]))
            return fail_field(cx, ERR_NOT_FOUND, "ids", "run \"%.100s\" does not exist", ids[i]);
    const char *array = db_text_array(cx, ids, bulk->ids.count), *missing;
    TRY(db_many(cx, &SQL_runs_lock, ARGS(cx->who.team_id, bulk->project_id, array), &LOCKED, ret));
    TRY(db_value(cx, &SQL_runs_missing, ARGS(cx->who.team_id, bulk->project_id, array), &missing));
    if (missing)
        return fail_field(cx, ERR_NOT_FOUND, "ids", "run \"%s\" does not exist", missing);
    *ret_ids = array;
    return OK;
}

static enum err require_active(struct ctx *cx, struct list runs) {
    const struct locked *rows = runs.items;
    for (size_t i = 0; i < runs.count; i++)
        if (rows[i].archived_at)
            return fail_field(cx, ERR_CONFLICT, "ids", "run \"%s\" is archived", rows[i].name);
    return OK;
}

static enum err require_member(struct ctx *cx, const char *value, const char *member) {
    return value ? OK : fail_field(cx, ERR_INVALID, member, "this action needs \"%s\"", member);
}

static enum err tag(struct ctx *cx, const struct run_bulk *bulk, const char *ids,
                    int64_t *ret_changed) {
    TRY(require_member(cx, bulk->key, "key"));
    TRY(require_member(cx, bulk->value, "value"));
    return db_exec(cx, &SQL_runs_tag, ARGS(cx->who.team_id, ids, bulk->key, bulk->value),
                   ret_changed);
}

static enum err untag(struct ctx *cx, const struct run_bulk *bulk, const char *ids,
                      int64_t *ret_changed) {
    TRY(require_member(cx, bulk->key, "key"));
    return db_exec(cx, &SQL_runs_untag, ARGS(cx->who.team_id, ids, bulk->key), ret_changed);
}

static enum err move(struct ctx *cx, const struct run_bulk *bulk, const char *ids,
                     int64_t *ret_changed) {
    struct experiment to;
    TRY(require_member(cx, bulk->experiment_id, "experiment_id"));
    TRY(experiment_get(cx, bulk->experiment_id, &to));
    if (strcmp(to.project_id, bulk->project_id) != 0)
        return fail_field(cx, ERR_NOT_FOUND, "experiment_id",
                          "experiment \"%s\" does not exist in this project", to.id);
    TRY(experiment_require_active(cx, to.id));
    TRY(db_exec(cx, &SQL_runs_move_inputs, ARGS(cx->who.team_id, ids, to.id), NULL));
    return db_exec(cx, &SQL_runs_move, ARGS(cx->who.team_id, ids, to.id), ret_changed);
}

static enum err restore(struct ctx *cx, const char *ids, struct list runs, int64_t *ret_changed) {
    const struct locked *rows = runs.items;
    int64_t archived = 0;
    for (size_t i = 0; i < runs.count; i++)
        archived += rows[i].archived_at != 0;
    TRY(db_exec(cx, &SQL_runs_restore, ARGS(cx->who.team_id, ids), ret_changed));
    return *ret_changed == archived
               ? OK
               : fail_field(cx, ERR_CONFLICT, "ids",
                            "a run cannot be restored while its experiment is archived");
}

static enum err delete (struct ctx *cx, struct list runs, int64_t *ret_changed) {
    const struct locked *rows = runs.items;
    const char **ids = arena_new_array(cx->arena, const char *, runs.count + 1);
    for (size_t i = 0; i < runs.count; i++) ids[i] = rows[i].id;
    *ret_changed = (int64_t)runs.count;
    return runs_delete(cx, ids, runs.count);
}

static enum err act(struct ctx *cx, const struct run_bulk *bulk, const char *ids, struct list runs,
                    int64_t *ret_changed) {
    switch ((enum run_action)bulk->action) {
    case RUN_TAG:
        TRY(require_active(cx, runs));
        return tag(cx, bulk, ids, ret_changed);
    case RUN_UNTAG:
        TRY(require_active(cx, runs));
        return untag(cx, bulk, ids, ret_changed);
    case RUN_MOVE:
        TRY(require_active(cx, runs));
        return move(cx, bulk, ids, ret_changed);
    case RUN_ARCHIVE:
        return db_exec(cx, &SQL_runs_archive, ARGS(cx->who.team_id, ids), ret_changed);
    case RUN_RESTORE:
        return restore(cx, ids, runs, ret_changed);
    case RUN_DELETE:
        return delete (cx, runs, ret_changed);
    }
    return fail(cx, ERR_INTERNAL, "an action is not known");
}

enum err runs_bulk(struct ctx *cx, const struct run_bulk *bulk, struct run_bulk_done *ret) {
    struct list runs;
    const char *ids;
    int64_t changed = 0;
    TRY(lock(cx, bulk, &ids, &runs));
    TRY(act(cx, bulk, ids, runs, &changed));
    TRY(feed_post(cx, "project", bulk->project_id, "state"));
    *ret = (struct run_bulk_done){
        .action = bulk->action, .runs = (int64_t)runs.count, .changed = changed};
    return OK;
}
