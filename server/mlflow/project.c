/* Which project a request means, remembered for five seconds.
 *
 * Every call of this surface names its project, most in the same few words, and an id never changes
 * its project or its slug's meaning for long: so the answer is kept per team and slug. Callers
 * whose sight is narrowed (roles in projects, tokens of some projects) have entries of their own.
 * Nothing is decided by what stands here: each statement names project and team again, behind the
 * walls. */
#include "mlflow/mlflow.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "db/db.h"
#include "sql/mlflow.h"

#include <stdlib.h>
#include <string.h>

enum { PLACES = 512, LIFETIME_US = 5000000, SLUG_MAX = 63, KEY_SIZE = 3 * ID_SIZE + SLUG_MAX + 1 };

struct entry {
    char key[KEY_SIZE]; /* empty = free */
    char id[ID_SIZE];
    int64_t asked_at; /* monotonic */
};

struct mlflow {
    pthread_mutex_t lock;
    struct entry entries[PLACES]; /* under lock; a later project pushes out an earlier one */
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

static void key_of(const struct ctx *cx, const char *slug, char key[KEY_SIZE]) {
    const struct principal *who = &cx->who;
    snprintf(key, KEY_SIZE, "%s %s %s %s", who->team_id, who->by_project ? who->user_id : "",
             who->limited ? who->session_id : "", slug ? slug : "");
}

static struct entry *place_of(struct mlflow *m, const char *key) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *c = key; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return &m->entries[hash % PLACES];
}

static const char *recall(struct ctx *cx, const char *key) {
    struct mlflow *m = cx->app->mlflow;
    scope_lock(&m->lock);
    const struct entry *e = place_of(m, key);
    bool fresh = strcmp(e->key, key) == 0 && clock_mono_us() - e->asked_at < LIFETIME_US;
    return fresh ? arena_strdup(cx->arena, e->id) : NULL;
}

static void remember(struct ctx *cx, const char *key, const char *id, int64_t asked_at) {
    struct mlflow *m = cx->app->mlflow;
    scope_lock(&m->lock);
    struct entry *e = place_of(m, key);
    snprintf(e->key, sizeof(e->key), "%s", key);
    snprintf(e->id, sizeof(e->id), "%s", id);
    e->asked_at = asked_at;
}

enum err mlflow_project(struct ctx *cx, const struct req *rq, const char **ret_id) {
    char key[KEY_SIZE];
    const char *id = NULL;
    bool possible = !rq->project || strlen(rq->project) <= SLUG_MAX;
    key_of(cx, possible ? rq->project : NULL, key);
    if (possible)
        id = recall(cx, key);
    if (possible && !id) {
        int64_t asked_at = clock_mono_us();
        TRY(db_value(cx, &SQL_mlflow_project_find, ARGS(cx->who.team_id, rq->project), &id));
        if (id)
            remember(cx, key, id, asked_at);
    }
    if (!id)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "there is no such project");
    *ret_id = id;
    return OK;
}
