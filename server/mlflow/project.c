/* Which project a request means, remembered for five seconds.
 *
 * Every call of this surface names its project, most in the same few words, and an id never changes
 * its project or its slug's meaning for long: so the answer is kept per team and slug. Callers
 * whose sight is narrowed (roles in projects, tokens of some projects) have entries of their own.
 * Nothing is decided by what stands here: each statement names project and team again, behind the
 * walls. */
#include "mlflow/internal.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "db/db.h"
#include "sql/mlflow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES = 1024,
    LIFETIME_US = 5000000,
    UNLINKED_US = 1000000,
    SLUG_MAX = 63,
    LOCATION_MAX = 200, /* longer ones are asked for each time */
    KEY_SIZE = 4 * ID_SIZE + SLUG_MAX + 4
};

struct entry {
    char key[KEY_SIZE]; /* empty = free */
    char id[ID_SIZE];
    char location[LOCATION_MAX + 1]; /* of an experiment; empty = the default */
    int64_t number;                  /* of an experiment */
    int64_t asked_at;                /* monotonic */
};

struct mlflow {
    pthread_mutex_t lock;
    struct entry entries[PLACES]; /* under lock; a later entry pushes out an earlier one */
};

struct mlflow *mlflow_new(void) {
    struct mlflow *m = calloc(1, sizeof(*m));
    if (!m)
        abort();
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void mlflow_free(struct mlflow *m) {
    if (!m)
        return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* A slug; an experiment's UUID; or a project's UUID and a number in it. */
static void key_of(const struct ctx *cx, const char *project, int64_t number, char key[KEY_SIZE]) {
    const struct principal *who = &cx->who;
    snprintf(key, KEY_SIZE, "%s %s %s %s %" PRId64, who->team_id,
             who->by_project ? who->user_id : "", who->limited ? who->session_id : "", project,
             number);
}

static struct entry *entry_of(struct mlflow *m, const char *key) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *c = key; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return &m->entries[hash % PLACES];
}

static bool recall(struct ctx *cx, const char *key, struct entry *ret) {
    struct mlflow *m = cx->app->mlflow;
    scope_lock(&m->lock);
    const struct entry *e = entry_of(m, key);
    if (strcmp(e->key, key) != 0 || clock_mono_us() - e->asked_at >= LIFETIME_US)
        return false;
    *ret = *e;
    return true;
}

static void remember(struct ctx *cx, const char *key, const char *id, int64_t number,
                     const char *location, int64_t asked_at) {
    struct mlflow *m = cx->app->mlflow;
    if (location && strlen(location) > LOCATION_MAX)
        return;
    scope_lock(&m->lock);
    struct entry *e = entry_of(m, key);
    snprintf(e->key, sizeof(e->key), "%s", key);
    snprintf(e->id, sizeof(e->id), "%s", id);
    snprintf(e->location, sizeof(e->location), "%s", location ? location : "");
    e->number = number;
    e->asked_at = asked_at;
}

enum err mlflow_project(struct ctx *cx, const struct req *rq, const char **ret_id) {
    char key[KEY_SIZE];
    struct entry known;
    const char *id = NULL;
    int64_t asked_at = clock_mono_us();
    if (!rq->project || strlen(rq->project) <= SLUG_MAX) {
        key_of(cx, rq->project ? rq->project : "", -1, key);
        if (recall(cx, key, &known)) {
            *ret_id = arena_strdup(cx->arena, known.id);
            return OK;
        }
        TRY(db_value(cx, &SQL_mlflow_project_find, ARGS(cx->who.team_id, rq->project), &id));
    }
    if (!id)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "there is no such project");
    remember(cx, key, id, 0, NULL, asked_at);
    *ret_id = id;
    return OK;
}

/* --- experiments --- */

struct numbered {
    const char *id, *artifact_location;
    int64_t number;
};
static const struct field NUMBERED_FIELDS[] = {
    FIELD(UUID, struct numbered, id),
    FIELD(INT, struct numbered, number),
    FIELD(STRING, struct numbered, artifact_location),
};
static SHAPE(NUMBERED, "NumberedExperiment", struct numbered, NUMBERED_FIELDS);

static void place_set(struct ctx *cx, struct mlflow_place *place, int64_t number, const char *id,
                      const char *location) {
    snprintf(place->id, sizeof(place->id), "%s", id);
    place->number = number;
    place->location = location && *location ? arena_strdup(cx->arena, location) : NULL;
}

/* Those that were not remembered, in one question. */
static enum err ask_places(struct ctx *cx, const char *project_id, const int64_t *numbers,
                           size_t count, struct mlflow_place *ret, size_t *ret_count) {
    struct list rows = {0};
    int64_t asked_at = clock_mono_us();
    char key[KEY_SIZE];
    if (count)
        TRY(db_many(cx, &SQL_mlflow_experiments_numbered,
                    ARGS(cx->who.team_id, project_id, db_int_array(cx, numbers, count)), &NUMBERED,
                    &rows));
    const struct numbered *row = rows.items;
    for (size_t i = 0; i < rows.count; i++) {
        place_set(cx, &ret[(*ret_count)++], row[i].number, row[i].id, row[i].artifact_location);
        key_of(cx, project_id, row[i].number, key);
        remember(cx, key, row[i].id, row[i].number, row[i].artifact_location, asked_at);
    }
    return OK;
}

/* Below zero is a number, too, and of no experiment. */
static enum err fail_number(struct ctx *cx, const char *experiment_id) {
    if (*experiment_id == '-' && mlflow_experiment_number(experiment_id + 1) >= 0)
        return mlflow_fail_experiment(cx, experiment_id);
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                       "Invalid experiment ID '%.100s'. Experiment ID must be a valid integer.",
                       experiment_id);
}

enum err mlflow_places(struct ctx *cx, const char *project_id, const struct list *ids,
                       struct mlflow_place *ret, size_t *ret_count) {
    int64_t *numbers = arena_new_array(cx->arena, int64_t, ids->count + 1);
    size_t unknown = 0;
    char key[KEY_SIZE];
    struct entry known;
    *ret_count = 0;
    for (size_t i = 0; i < ids->count; i++) {
        const char *id = ((const char *const *)ids->items)[i];
        int64_t number = mlflow_experiment_number(id);
        if (number < 0)
            return fail_number(cx, id);
        key_of(cx, project_id, number, key);
        if (recall(cx, key, &known))
            place_set(cx, &ret[(*ret_count)++], number, known.id, known.location);
        else
            numbers[unknown++] = number;
    }
    return ask_places(cx, project_id, numbers, unknown, ret, ret_count);
}

enum err mlflow_place(struct ctx *cx, const char *project_id, const char *experiment_id,
                      struct mlflow_place *ret) {
    size_t count;
    const char *id = experiment_id && *experiment_id ? experiment_id : "0";
    TRY(mlflow_places(cx, project_id, &(struct list){&id, 1}, ret, &count));
    return count ? OK : mlflow_fail_experiment(cx, id);
}

enum err mlflow_place_of(struct ctx *cx, const char *project_id, const char *experiment_uuid,
                         struct mlflow_place *ret) {
    char key[KEY_SIZE];
    struct entry known;
    struct numbered row;
    bool found;
    int64_t asked_at = clock_mono_us();
    key_of(cx, experiment_uuid, -1, key);
    if (recall(cx, key, &known)) {
        place_set(cx, ret, known.number, known.id, known.location);
        return OK;
    }
    TRY(db_opt(cx, &SQL_mlflow_experiment_number,
               ARGS(cx->who.team_id, project_id, experiment_uuid), &NUMBERED, &row, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "experiment \"%s\" does not exist", experiment_uuid);
    remember(cx, key, row.id, row.number, row.artifact_location, asked_at);
    place_set(cx, ret, row.number, row.id, row.artifact_location);
    return OK;
}

/* --- links --- */

/* Only their absence is remembered. Looking for them costs as much as all else that reading a run
 * does, and most teams that log from scripts have none. */
enum err mlflow_links_exist(struct ctx *cx, bool *ret) {
    char key[KEY_SIZE];
    struct entry known;
    const char *linked;
    int64_t asked_at = clock_mono_us();
    key_of(cx, "unlinked", -1, key);
    *ret = false;
    if (recall(cx, key, &known) && asked_at - known.asked_at < UNLINKED_US)
        return OK;
    TRY(db_value(cx, &SQL_mlflow_team_linked, ARGS(cx->who.team_id), &linked));
    *ret = strcmp(linked, "t") == 0;
    if (!*ret)
        remember(cx, key, "", 0, NULL, asked_at);
    return OK;
}

void mlflow_links_made(struct ctx *cx) {
    struct mlflow *m = cx->app->mlflow;
    scope_lock(&m->lock);
    for (size_t i = 0; i < PLACES; i++)
        if (strstr(m->entries[i].key, " unlinked ") &&
            strncmp(m->entries[i].key, cx->who.team_id, ID_SIZE - 1) == 0)
            m->entries[i].key[0] = '\0';
}
