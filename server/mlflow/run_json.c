/* A run as MLflow's clients read it: loaded by two statements a piece, written member by member. A
 * page of search may hold a hundred runs with a hundred values each, and a tree of them would cost
 * more than reading them did. Numbers of metrics are written as the database said them: that is the
 * shortest text which reads back the same. */
#include "mlflow/internal.h"

#include "sql/mlflow.h"
#include "tracking/metrics.h"
#include "tracking/search.h"

#include <stdlib.h>
#include <string.h>

static const struct field RUN_FIELDS[] = {
    FIELD(INT, struct mlflow_run, n),
    FIELD(UUID, struct mlflow_run, id),
    FIELD(UUID, struct mlflow_run, experiment_id),
    FIELD(STRING, struct mlflow_run, name),
    FIELD(STRING, struct mlflow_run, user_name),
    FIELD(ENUM, struct mlflow_run, state, .names = RUN_STATE_NAMES),
    FIELD(TIME, struct mlflow_run, archived_at),
    FIELD(TIME, struct mlflow_run, started_at),
    FIELD(TIME, struct mlflow_run, finished_at),
    FIELD(STRINGS, struct mlflow_run, param_keys),
    FIELD(STRINGS, struct mlflow_run, param_values),
    FIELD(STRINGS, struct mlflow_run, tag_keys),
    FIELD(STRINGS, struct mlflow_run, tag_values),
    FIELD(STRINGS, struct mlflow_run, metric_keys),
    FIELD(STRINGS, struct mlflow_run, metric_values),
    FIELD(STRINGS, struct mlflow_run, metric_steps),
    FIELD(STRINGS, struct mlflow_run, metric_times),
    FIELD(BOOL, struct mlflow_run, waiting),
    FIELD(STRINGS, struct mlflow_run, fresh),
};
static SHAPE(RUN, "MlflowRun", struct mlflow_run, RUN_FIELDS);

struct linked {
    const char *id;
    int64_t n, size;
};
static const struct field LINKED_FIELDS[] = {
    FIELD(UUID, struct linked, id), FIELD(INT, struct linked, n), FIELD(INT, struct linked, size)};
static SHAPE(LINKED, "MlflowLinkedRun", struct linked, LINKED_FIELDS);

struct links {
    int64_t n;
    const char *datasets, *models_read, *models_made;
};
static const struct field LINKS_FIELDS[] = {
    FIELD(INT, struct links, n),
    FIELD(STRING, struct links, datasets),
    FIELD(STRING, struct links, models_read),
    FIELD(STRING, struct links, models_made),
};
static SHAPE(LINKS, "MlflowRunLinks", struct links, LINKS_FIELDS);

/* As many of them as fit; the runs end before the first that does not. n counts the runs. */
static size_t cut_linked(const struct list *linked, struct list *runs) {
    const struct linked *row = linked->items;
    int64_t size = 0;
    size_t count = 0;
    while (count < linked->count && size < LOAD_PIECE_BYTES)
        size += row[count++].size;
    if (count < linked->count)
        runs->count = (size_t)row[count].n - 1;
    return count;
}

static const char *ids_of(struct ctx *cx, const struct list *runs) {
    const struct mlflow_run *run = runs->items;
    const char **ids = arena_new_array(cx->arena, const char *, runs->count + 1);
    for (size_t i = 0; i < runs->count; i++)
        ids[i] = run[i].id;
    return db_text_array(cx, ids, runs->count);
}

static enum err load_links(struct ctx *cx, struct list *runs) {
    struct list linked, rows;
    bool any;
    TRY(mlflow_links_exist(cx, &any));
    if (!any)
        return OK;
    TRY(db_many(cx, &SQL_mlflow_runs_linked, ARGS(cx->who.team_id, ids_of(cx, runs)), &LINKED,
                &linked));
    if (linked.count == 0)
        return OK;
    size_t count = cut_linked(&linked, runs);
    const struct linked *of = linked.items;
    const char **uuids = arena_new_array(cx->arena, const char *, count);
    for (size_t i = 0; i < count; i++)
        uuids[i] = of[i].id;
    TRY(db_many(cx, &SQL_mlflow_run_links, ARGS(cx->who.team_id, db_text_array(cx, uuids, count)),
                &LINKS, &rows));
    const struct links *row = rows.items;
    for (size_t i = 0; i < rows.count; i++) {
        struct mlflow_run *run = (struct mlflow_run *)runs->items + of[row[i].n - 1].n - 1;
        run->datasets = row[i].datasets;
        run->models_read = row[i].models_read;
        run->models_made = row[i].models_made;
    }
    return OK;
}

/* A page has runs of one experiment mostly: the one before is looked at first. */
static enum err load_places(struct ctx *cx, const char *project_id, const struct list *runs) {
    struct mlflow_run *run = runs->items;
    for (size_t i = 0; i < runs->count; i++) {
        if (i > 0 && strcmp(run[i].experiment_id, run[i - 1].experiment_id) == 0)
            run[i].place = run[i - 1].place;
        else
            TRY(mlflow_place_of(cx, project_id, run[i].experiment_id, &run[i].place));
    }
    return OK;
}

/* --- last values that are in the inbox --- */

/* A run's metrics by key. */
struct metrics {
    const char **keys, **values, **steps, **times; /* of the run, with room for more */
    size_t *order, count, sorted;                  /* order: the first `sorted` of them by key */
};

static int compare_keys(const void *a, const void *b, void *keys) {
    const char *const *texts = keys;
    return strcmp(texts[*(const size_t *)a], texts[*(const size_t *)b]);
}

static const char **copy_texts(struct ctx *cx, const struct list *texts, size_t more) {
    const char **ret = arena_new_array(cx->arena, const char *, texts->count + more);
    if (texts->count)
        memcpy(ret, texts->items, texts->count * sizeof(*ret));
    return ret;
}

static struct metrics metrics_of(struct ctx *cx, const struct mlflow_run *run, size_t more) {
    size_t count = run->metric_keys.count;
    struct metrics m = {copy_texts(cx, &run->metric_keys, more),
                        copy_texts(cx, &run->metric_values, more),
                        copy_texts(cx, &run->metric_steps, more),
                        copy_texts(cx, &run->metric_times, more),
                        arena_new_array(cx->arena, size_t, count + 1),
                        count,
                        count};
    for (size_t i = 0; i < count; i++)
        m.order[i] = i;
    qsort_r(m.order, count, sizeof(*m.order), compare_keys, m.keys);
    return m;
}

/* SIZE_MAX when there is none. */
static size_t metric_find(const struct metrics *m, const char *key) {
    size_t low = 0, high = m->sorted;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(key, m->keys[m->order[middle]]);
        if (order == 0)
            return m->order[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

static void metric_put(struct ctx *cx, struct metrics *m, size_t at,
                       const struct metric_last *last) {
    m->keys[at] = last->key;
    m->values[at] = db_real(cx, last->value);
    m->steps[at] = arena_printf(cx->arena, "%lld", (long long)last->step);
    m->times[at] = arena_printf(cx->arena, "%lld", (long long)mlflow_ms(last->at_us));
}

/* False where the summary's time, which is rounded here, does not tell which point is the later. */
static bool metric_merge(struct ctx *cx, struct metrics *m, const struct metric_last *last) {
    size_t at = metric_find(m, last->key);
    if (at == SIZE_MAX) {
        metric_put(cx, m, m->count++, last);
        return true;
    }
    int64_t step = strtoll(m->steps[at], NULL, 10), ms = strtoll(m->times[at], NULL, 10);
    int64_t later = mlflow_ms(last->at_us) - ms;
    if (last->step == step && later >= -1 && later <= 1)
        return false;
    if (last->step > step || (last->step == step && later > 0))
        metric_put(cx, m, at, last);
    return true;
}

/* A run that is being logged to is read without writing or waiting: its last values are those of
 * the summaries or, where they are later, of the batches that wait in the inbox. */
static enum err take_fresh(struct ctx *cx, struct mlflow_run *run) {
    struct list lasts;
    if (run->fresh.count == 0)
        return OK;
    TRY(metric_batches_lasts(cx, &run->fresh, &lasts));
    struct metrics m = metrics_of(cx, run, lasts.count);
    const struct metric_last *last = lasts.items;
    for (size_t i = 0; i < lasts.count; i++)
        if (!metric_merge(cx, &m, &last[i]))
            return OK;
    run->metric_keys = (struct list){m.keys, m.count};
    run->metric_values = (struct list){m.values, m.count};
    run->metric_steps = (struct list){m.steps, m.count};
    run->metric_times = (struct list){m.times, m.count};
    run->waiting = false;
    return OK;
}

/* *ret_taken: the ids up to the last run that came, for some behind it may not have fitted. */
static enum err load_piece(struct ctx *cx, const char *project_id, const char *const *uuids,
                           size_t count, struct list *ret, size_t *ret_taken) {
    TRY(db_many(cx, &SQL_mlflow_runs,
                ARGS(cx->who.team_id, project_id, db_text_array(cx, uuids, count),
                     db_int(cx, LOAD_PIECE_BYTES)),
                &RUN, ret));
    *ret_taken = count;
    if (ret->count == 0)
        return OK;
    TRY(load_links(cx, ret));
    TRY(load_places(cx, project_id, ret));
    struct mlflow_run *run = ret->items;
    for (size_t i = 0; i < ret->count; i++)
        TRY(take_fresh(cx, &run[i]));
    *ret_taken = (size_t)run[ret->count - 1].n;
    return OK;
}

enum err mlflow_load_runs(struct ctx *cx, const char *project_id, const char *const *uuids,
                          size_t count, struct list *ret, size_t *ret_taken) {
    struct mlflow_run *runs = arena_new_array(cx->arena, struct mlflow_run, count + 1);
    size_t found = 0, at = 0, before = arena_used(cx->arena);
    size_t asked = count < LOAD_PIECE_RUNS ? count : LOAD_PIECE_RUNS;
    while (at < count && arena_used(cx->arena) - before < LOAD_PAGE_BYTES) {
        struct list piece;
        size_t taken;
        TRY(load_piece(cx, project_id, uuids + at, asked, &piece, &taken));
        if (piece.count)
            memcpy(runs + found, piece.items, piece.count * sizeof(*runs));
        found += piece.count;
        at += taken;
        asked = load_next_piece(taken, count - at);
    }
    *ret = (struct list){runs, found};
    *ret_taken = at;
    return OK;
}

struct mlflow_run mlflow_run_of(const struct run *run, const struct mlflow_place *place) {
    return (struct mlflow_run){.id = run->id,
                               .place = *place,
                               .name = run->name,
                               .user_name = run->user_name,
                               .state = run->state,
                               .archived_at = run->archived_at,
                               .started_at = run->started_at ? run->started_at : run->created_at,
                               .finished_at = run->finished_at};
}

static const char *status_of(int state) {
    static const char *const STATUSES[] = {
        [RUN_QUEUED] = "SCHEDULED",   [RUN_RUNNING] = "RUNNING", [RUN_LOST_CONTACT] = "RUNNING",
        [RUN_SUCCEEDED] = "FINISHED", [RUN_FAILED] = "FAILED",   [RUN_CANCELLED] = "KILLED"};
    return STATUSES[state];
}

void mlflow_write_run_info(struct ctx *cx, struct json_writer *w, const struct mlflow_run *run) {
    const char *id = mlflow_run_id(cx, run->id);
    jw_begin(w, '{');
    jw_member_text(w, "run_uuid", id);
    jw_member_text(w, "experiment_id", db_int(cx, run->place.number));
    jw_member_text(w, "run_name", run->name);
    jw_member_text(w, "user_id", run->user_name ? run->user_name : "");
    jw_member_text(w, "status", status_of(run->state));
    jw_member_int(w, "start_time", mlflow_ms(run->started_at));
    if (run->finished_at)
        jw_member_int(w, "end_time", mlflow_ms(run->finished_at));
    jw_member_text(w, "artifact_uri",
                   mlflow_run_uri(cx, run->place.location, run->place.number, run->id));
    jw_member_text(w, "lifecycle_stage", run->archived_at ? "deleted" : "active");
    jw_member_text(w, "run_id", id);
    jw_end(w, '}');
}

static const char *text_at(const struct list *texts, size_t i) {
    return ((const char *const *)texts->items)[i];
}

static void write_texts(struct json_writer *w, const char *name, const struct list *keys,
                        const struct list *values) {
    if (keys->count == 0)
        return;
    jw_member_begin(w, name, '[');
    for (size_t i = 0; i < keys->count; i++) {
        jw_begin(w, '{');
        JW_NAME(w, "key");
        jw_text(w, text_at(keys, i));
        JW_NAME(w, "value");
        jw_text(w, text_at(values, i));
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* "NaN", "Infinity" and "-Infinity" are not numbers of JSON. */
static void write_value(struct json_writer *w, const char *value) {
    const char *digits = value + (*value == '-');
    JW_NAME(w, "value");
    if (*digits >= '0' && *digits <= '9')
        jw_raw(w, value);
    else
        jw_real(w, strtod(value, NULL));
}

static void write_metrics(struct json_writer *w, const struct mlflow_run *run) {
    if (run->metric_keys.count == 0)
        return;
    jw_member_begin(w, "metrics", '[');
    for (size_t i = 0; i < run->metric_keys.count; i++) {
        jw_begin(w, '{');
        JW_NAME(w, "key");
        jw_text(w, text_at(&run->metric_keys, i));
        write_value(w, text_at(&run->metric_values, i));
        JW_NAME(w, "timestamp");
        jw_raw(w, text_at(&run->metric_times, i));
        JW_NAME(w, "step");
        jw_raw(w, text_at(&run->metric_steps, i));
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

static void write_raw(struct json_writer *w, const char *name, const char *json) {
    if (!json)
        return;
    jw_name(w, name);
    jw_raw(w, json);
}

void mlflow_write_run(struct ctx *cx, struct json_writer *w, const struct mlflow_run *run) {
    jw_begin(w, '{');
    jw_name(w, "info");
    mlflow_write_run_info(cx, w, run);
    jw_member_begin(w, "data", '{');
    write_metrics(w, run);
    write_texts(w, "params", &run->param_keys, &run->param_values);
    write_texts(w, "tags", &run->tag_keys, &run->tag_values);
    jw_end(w, '}');
    jw_member_begin(w, "inputs", '{');
    write_raw(w, "dataset_inputs", run->datasets);
    write_raw(w, "model_inputs", run->models_read);
    jw_end(w, '}');
    jw_member_begin(w, "outputs", '{');
    write_raw(w, "model_outputs", run->models_made);
    jw_end(w, '}');
    jw_end(w, '}');
}
