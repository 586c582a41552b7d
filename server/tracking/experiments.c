/* experiments.c: the rules of experiments; see experiments.h.
 *
 * Every change is one statement that leaves archived experiments alone; when it changed nothing,
 * experiment_require_active() finds out why. */
#include "tracking/experiments.h"

#include "base/ident.h"
#include "http/feed.h"
#include "sql/tracking.h"
#include "tracking/internal.h"

#include <string.h>

#define DELETE_AT_ONCE 200   /* runs of a transaction; each may have a million points */
#define ARCHIVE_AT_ONCE 5000 /* half a second; the runs of a transaction are locked so long */

const char *const LIFECYCLE_NAMES[] = {"active", "archived", "all", NULL};

static const struct field EXPERIMENT_FIELDS[] = {
    FIELD(UUID, struct experiment, id),
    FIELD(UUID, struct experiment, project_id),
    FIELD(INT, struct experiment, number, .doc = "in its project, from 0; its id in MLflow"),
    FIELD(STRING, struct experiment, name),
    FIELD(STRING, struct experiment, description, .doc = "Markdown"),
    FIELD(STRING, struct experiment, folder, .doc = "\"vision/ablation\"; empty = none"),
    FIELD(STRING, struct experiment, artifact_location, .flags = FIELD_NULLABLE),
    FIELD(JSON, struct experiment, tags, .typescript = "Record<string, string>"),
    FIELD(INT, struct experiment, runs, .doc = "that are not archived"),
    FIELD(TIME, struct experiment, created_at),
    FIELD(TIME, struct experiment, updated_at),
    FIELD(TIME, struct experiment, archived_at, .flags = FIELD_NULLABLE),
};
SHAPE(EXPERIMENT_SHAPE, "Experiment", struct experiment, EXPERIMENT_FIELDS);

/* ---- finding */

static enum err find(struct ctx *cx, const char *const args[5], struct experiment *ret,
                     bool *ret_found) {
    return db_opt(cx, &SQL_experiment_get, args, &EXPERIMENT_SHAPE, ret, ret_found);
}

enum err experiment_get(struct ctx *cx, const char *id, struct experiment *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(find(cx, ARGS(cx->who.team_id, id, NULL, NULL, NULL), ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "experiment \"%s\" does not exist", id);
}

enum err experiment_find(struct ctx *cx, const char *project_id, int64_t number,
                         struct experiment *ret, bool *ret_found) {
    return find(cx, ARGS(cx->who.team_id, NULL, project_id, db_int(cx, number), NULL), ret,
                ret_found);
}

enum err experiment_find_by_name(struct ctx *cx, const char *project_id, const char *name,
                                 struct experiment *ret, bool *ret_found) {
    return find(cx, ARGS(cx->who.team_id, NULL, project_id, NULL, name), ret, ret_found);
}

enum err experiment_require_active(struct ctx *cx, const char *id) {
    struct experiment experiment;
    TRY(experiment_get(cx, id, &experiment));
    if (experiment.archived_at)
        return fail(cx, ERR_CONFLICT, "experiment \"%s\" is archived", experiment.name);
    return OK;
}

/* ---- making */

enum err experiment_create(struct ctx *cx, const struct experiment_create *options,
                           const char **ret_id) {
    char *id = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    struct params tags;
    uuid_new(id);
    TRY(texts_of(cx, options->tags, &tags));
    TRY(db_exec(cx, &SQL_experiment_create,
                ARGS(id, cx->who.team_id, options->project_id, options->name, options->description,
                     options->folder, options->artifact_location,
                     db_text_array(cx, tags.keys, tags.count),
                     db_text_array(cx, tags.values, tags.count)),
                NULL));
    TRY(feed_post(cx, "project", options->project_id, "created"));
    *ret_id = id;
    return OK;
}

struct ensured {
    const char *id;
    int64_t archived_at;
};
static const struct field ENSURED_FIELDS[] = {
    FIELD(UUID, struct ensured, id),
    FIELD(TIME, struct ensured, archived_at),
};
static SHAPE(ENSURED, "Ensured", struct ensured, ENSURED_FIELDS);

enum err experiment_ensure(struct ctx *cx, const char *project_id, const char *name,
                           const char **ret_id) {
    char id[UUID_TEXT_SIZE];
    struct ensured row;
    bool found = false;
    uuid_new(id);
    /* Nothing comes back when another transaction made it after this statement began: the second
     * look sees it. */
    for (int look = 0; look < 2 && !found; look++)
        TRY(db_opt(cx, &SQL_experiment_ensure, ARGS(id, cx->who.team_id, project_id, name),
                   &ENSURED, &row, &found));
    if (!found)
        return fail(cx, ERR_UNAVAILABLE, "the experiment could not be made");
    if (row.archived_at)
        return fail_field(cx, ERR_CONFLICT, "experiment", "experiment \"%s\" is archived",
                          name ? name : "Default");
    *ret_id = row.id;
    return OK;
}

/* ---- changing */

static enum err update(struct ctx *cx, const char *id, const char *name, const char *description,
                       const char *folder) {
    int64_t rows = 0;
    if (uuid_is_valid(id))
        TRY(db_exec(cx, &SQL_experiment_update,
                    ARGS(cx->who.team_id, id, name, description, folder), &rows));
    return rows ? OK : experiment_require_active(cx, id);
}

enum err experiment_rename(struct ctx *cx, const char *id, const char *name) {
    return update(cx, id, name, NULL, NULL);
}

enum err experiment_describe(struct ctx *cx, const char *id, const char *description) {
    return update(cx, id, NULL, description, NULL);
}

enum err experiment_move(struct ctx *cx, const char *id, const char *folder) {
    return update(cx, id, NULL, NULL, folder);
}

enum err experiment_put_tags(struct ctx *cx, const char *id, const struct params *tags) {
    int64_t rows = 0;
    if (tags->count == 0)
        return OK;
    if (uuid_is_valid(id))
        TRY(db_exec(cx, &SQL_experiment_tags_put,
                    ARGS(cx->who.team_id, id, db_text_array(cx, tags->keys, tags->count),
                         db_text_array(cx, tags->values, tags->count)),
                    &rows));
    return rows ? OK : experiment_require_active(cx, id);
}

enum err experiment_set_tag(struct ctx *cx, const char *id, const char *key, const char *value) {
    const struct params one = {.keys = &key, .values = &value, .count = 1};
    return experiment_put_tags(cx, id, &one);
}

enum err experiment_delete_tag(struct ctx *cx, const char *id, const char *key, bool *ret_found) {
    int64_t rows = 0;
    if (uuid_is_valid(id))
        TRY(db_exec(cx, &SQL_experiment_tag_delete, ARGS(cx->who.team_id, id, key), &rows));
    if (rows == 0)
        TRY(experiment_require_active(cx, id));
    *ret_found = rows > 0;
    return OK;
}

/* ---- ending */

/* In pieces, each committed: those who log to the runs wait for one piece, and 100,000 runs in one
 * statement would meet its time limit. The experiment is archived first and restored last, so that
 * whoever repeats what was cut off goes on with it. */
static enum err change_runs(struct ctx *cx, const char *id, const struct db_stmt *statement) {
    int64_t rows = ARCHIVE_AT_ONCE;
    while (rows == ARCHIVE_AT_ONCE) {
        TRY(db_exec(cx, statement, ARGS(cx->who.team_id, id, db_int(cx, ARCHIVE_AT_ONCE)), &rows));
        if (rows == ARCHIVE_AT_ONCE)
            TRY(db_commit(cx));
    }
    return OK;
}

enum err experiment_archive(struct ctx *cx, const char *id) {
    struct experiment experiment;
    TRY(experiment_get(cx, id, &experiment));
    TRY(db_exec(cx, &SQL_experiment_archive, ARGS(cx->who.team_id, id), NULL));
    TRY(change_runs(cx, id, &SQL_experiment_archive_runs));
    return feed_post(cx, "project", experiment.project_id, "state");
}

enum err experiment_restore(struct ctx *cx, const char *id) {
    struct experiment experiment;
    TRY(experiment_get(cx, id, &experiment));
    TRY(change_runs(cx, id, &SQL_experiment_restore_runs));
    TRY(db_exec(cx, &SQL_experiment_restore, ARGS(cx->who.team_id, id), NULL));
    return feed_post(cx, "project", experiment.project_id, "state");
}

static enum err delete_runs(struct ctx *cx, const char *id) {
    const char *runs[DELETE_AT_ONCE];
    for (;;) {
        struct list ids;
        TRY(db_many(cx, &SQL_experiment_run_ids,
                    ARGS(cx->who.team_id, id, db_int(cx, DELETE_AT_ONCE)), &ID_ROW, &ids));
        if (ids.count == 0)
            return OK;
        const struct id_row *rows = ids.items;
        for (size_t i = 0; i < ids.count; i++)
            runs[i] = rows[i].id;
        TRY(runs_delete(cx, runs, ids.count));
        if (ids.count == DELETE_AT_ONCE)
            TRY(db_commit(cx));
    }
}

enum err experiment_delete(struct ctx *cx, const char *id) {
    struct experiment experiment;
    TRY(experiment_get(cx, id, &experiment));
    if (!experiment.archived_at)
        return fail(cx, ERR_CONFLICT, "experiment \"%s\" is not archived", experiment.name);
    if (experiment.number == 0)
        return fail(cx, ERR_CONFLICT, "the project's first experiment cannot be deleted");
    TRY(delete_runs(cx, id));
    return db_exec(cx, &SQL_experiment_delete, ARGS(cx->who.team_id, id), NULL);
}
