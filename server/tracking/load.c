/* load.c: see load.h.
 *
 * Runs are read a piece at a time, and each statement of a piece has a limit of its own: what came
 * is the piece, and the next begins behind it. So ordinary pages pay for no question how large they
 * are. Rows of metrics and inputs come ordered by the run's place in the piece, so each run's are a
 * slice of one array; nothing is looked up and nothing is copied. */
#include "tracking/load.h"

#include "sql/tracking.h"
#include "tracking/search.h"

#include <stdlib.h>
#include <string.h>

struct text_row {
    int64_t n;
    struct list param_keys, param_values, tag_keys, tag_values; /* const char * each */
};
static const struct field TEXT_ROW_FIELDS[] = {
    FIELD(INT, struct text_row, n),
    FIELD(STRINGS, struct text_row, param_keys),
    FIELD(STRINGS, struct text_row, param_values),
    FIELD(STRINGS, struct text_row, tag_keys),
    FIELD(STRINGS, struct text_row, tag_values),
};
static SHAPE(TEXT_ROW_SHAPE, "TextRow", struct text_row, TEXT_ROW_FIELDS);

struct value_row {
    int64_t n;
    struct run_value value;
};
static const struct field VALUE_ROW_FIELDS[] = {
    FIELD(INT, struct value_row, n),
    {.name = "key", .type = FIELD_TYPE_STRING, .offset = offsetof(struct value_row, value.key)},
    {.name = "step", .type = FIELD_TYPE_INT, .offset = offsetof(struct value_row, value.step)},
    {.name = "at_us", .type = FIELD_TYPE_INT, .offset = offsetof(struct value_row, value.at_us)},
    {.name = "value", .type = FIELD_TYPE_STRING, .offset = offsetof(struct value_row, value.text)},
    {.name = "least",
     .type = FIELD_TYPE_STRING,
     .offset = offsetof(struct value_row, value.least),
     .flags = FIELD_NULLABLE},
    {.name = "greatest",
     .type = FIELD_TYPE_STRING,
     .offset = offsetof(struct value_row, value.greatest),
     .flags = FIELD_NULLABLE},
};
static SHAPE(VALUE_ROW_SHAPE, "ValueRow", struct value_row, VALUE_ROW_FIELDS);

enum input_kind { INPUT_DATASET, INPUT_MODEL, OUTPUT_MODEL, INPUT_KINDS };

struct input_row {
    int64_t n, kind, step;
    const char *id;
    json_t *tags;
};
static const struct field INPUT_ROW_FIELDS[] = {
    FIELD(INT, struct input_row, n),     FIELD(INT, struct input_row, kind),
    FIELD(UUID, struct input_row, id),   FIELD(INT, struct input_row, step),
    FIELD(JSON, struct input_row, tags),
};
static SHAPE(INPUT_ROW_SHAPE, "InputRow", struct input_row, INPUT_ROW_FIELDS);

struct dataset_row {
    const char *id, *name, *digest, *source_type, *source, *schema, *profile;
};
static const struct field DATASET_ROW_FIELDS[] = {
    FIELD(UUID, struct dataset_row, id),
    FIELD(STRING, struct dataset_row, name),
    FIELD(STRING, struct dataset_row, digest),
    FIELD(STRING, struct dataset_row, source_type),
    FIELD(STRING, struct dataset_row, source),
    FIELD(STRING, struct dataset_row, schema, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct dataset_row, profile, .flags = FIELD_NULLABLE),
};
static SHAPE(DATASET_ROW_SHAPE, "DatasetRow", struct dataset_row, DATASET_ROW_FIELDS);

/* A piece being filled. */
struct piece {
    struct ctx *cx;
    const char **ids; /* of those found, `count` of them */
    const char *all;  /* the same as uuid[] */
    struct run_details *runs;
    size_t count;
};

/* Keeps the first runs alone. */
static void cut(struct piece *p, size_t count) {
    if (count >= p->count)
        return;
    p->count = count;
    p->all = db_text_array(p->cx, p->ids, count);
}

/* Gives each run its part of `items`: rows are ordered by n, the place in the piece from 1. `list`
 * is the offset of the list within struct run_details. */
static void slice(struct piece *p, void *items, size_t size, const int64_t *places, size_t count,
                  size_t list) {
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && places[to] == places[from]; to++)
            ;
        char *run = (char *)&p->runs[places[from] - 1];
        *(struct list *)(void *)(run + list) =
            (struct list){(char *)items + from * size, to - from};
    }
}

static struct list texts_of_row(struct ctx *cx, const struct list *keys,
                                const struct list *values) {
    const char *const *key = keys->items, *const *value = values->items;
    struct run_text *texts = arena_new_array(cx->arena, struct run_text, keys->count);
    for (size_t i = 0; i < keys->count; i++)
        texts[i] = (struct run_text){key[i], value[i]};
    return (struct list){texts, keys->count};
}

static enum err load_texts(struct piece *p, unsigned what) {
    struct list rows;
    TRY(db_many(p->cx, &SQL_load_texts,
                ARGS(p->cx->who.team_id, p->all, db_bool(what & RUN_WITH_PARAMS),
                     db_bool(what & RUN_WITH_TAGS), db_int(p->cx, LOAD_PIECE_BYTES)),
                &TEXT_ROW_SHAPE, &rows));
    const struct text_row *row = rows.items;
    for (size_t i = 0; i < rows.count; i++) {
        p->runs[i].params = texts_of_row(p->cx, &row[i].param_keys, &row[i].param_values);
        p->runs[i].tags = texts_of_row(p->cx, &row[i].tag_keys, &row[i].tag_values);
    }
    cut(p, rows.count);
    return OK;
}

double run_value_real(const struct run_value *value) {
    return strtod(value->text, NULL); /* reads NaN and Infinity too */
}

static enum err read_values(struct piece *p, unsigned what, const char *most, struct list *ret) {
    return db_many(p->cx,
                   what & RUN_WITH_TIMES    ? &SQL_load_metric_points
                   : what & RUN_WITH_RANGES ? &SQL_load_metric_ranges
                                            : &SQL_load_metrics,
                   ARGS(p->cx->who.team_id, p->all, most), &VALUE_ROW_SHAPE, ret);
}

/* Are there as many rows as may be, the last run's may be incomplete; a first run that has so many
 * is read alone. */
static enum err read_whole_values(struct piece *p, unsigned what, struct list *ret) {
    TRY(read_values(p, what, db_int(p->cx, LOAD_PIECE_METRICS), ret));
    if (ret->count < LOAD_PIECE_METRICS)
        return OK;
    const struct value_row *row = ret->items;
    size_t whole = (size_t)row[ret->count - 1].n - 1;
    cut(p, whole ? whole : 1);
    if (whole == 0)
        return read_values(p, what, NULL, ret);
    while (ret->count && row[ret->count - 1].n > (int64_t)whole)
        ret->count--;
    return OK;
}

static enum err load_values(struct piece *p, unsigned what) {
    struct list rows;
    TRY(read_whole_values(p, what, &rows));
    const struct value_row *row = rows.items;
    struct run_value *values = arena_new_array(p->cx->arena, struct run_value, rows.count + 1);
    int64_t *places = arena_new_array(p->cx->arena, int64_t, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++) {
        values[i] = row[i].value;
        places[i] = row[i].n;
    }
    slice(p, values, sizeof(*values), places, rows.count, offsetof(struct run_details, metrics));
    return OK;
}

/* ---- inputs and outputs */

static int compare_ids(const void *a, const void *b) {
    const struct dataset_row *x = a, *y = b;
    return strcmp(x->id, y->id);
}

static struct list tags_of(struct ctx *cx, json_t *json) {
    struct run_text *tags = arena_new_array(cx->arena, struct run_text, json_object_size(json) + 1);
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value) {
        if (json_is_string(value))
            tags[count++] = (struct run_text){key, json_string_value(value)};
    }
    return (struct list){tags, count};
}

static void fill_dataset(struct ctx *cx, const struct list *known, const struct input_row *row,
                         struct run_dataset *ret) {
    const struct dataset_row *found =
        bsearch(&(struct dataset_row){.id = row->id}, known->items, known->count,
                sizeof(struct dataset_row), compare_ids);
    *ret = (struct run_dataset){.tags = tags_of(cx, row->tags)};
    if (!found)
        return;
    ret->name = found->name;
    ret->digest = found->digest;
    ret->source_type = found->source_type;
    ret->source = found->source;
    ret->schema = found->schema;
    ret->profile = found->profile;
}

static enum err load_datasets(struct piece *p, const struct list *rows, struct list *ret) {
    const struct input_row *row = rows->items;
    const char **ids = arena_new_array(p->cx->arena, const char *, rows->count + 1);
    size_t count = 0;
    *ret = (struct list){NULL, 0};
    for (size_t i = 0; i < rows->count; i++)
        if (row[i].kind == INPUT_DATASET)
            ids[count++] = row[i].id;
    if (count == 0)
        return OK;
    return db_many(p->cx, &SQL_load_datasets,
                   ARGS(p->cx->who.team_id, db_text_array(p->cx, ids, count)), &DATASET_ROW_SHAPE,
                   ret);
}

/* The rows of one kind, in the list of their runs. */
static void fill_models(struct piece *p, const struct list *rows, enum input_kind kind,
                        size_t list) {
    const struct input_row *row = rows->items;
    struct run_model *models = arena_new_array(p->cx->arena, struct run_model, rows->count + 1);
    int64_t *places = arena_new_array(p->cx->arena, int64_t, rows->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < rows->count; i++)
        if (row[i].kind == (int64_t)kind) {
            places[count] = row[i].n;
            models[count++] = (struct run_model){row[i].id, row[i].step};
        }
    slice(p, models, sizeof(*models), places, count, list);
}

static enum err load_inputs(struct piece *p) {
    struct list rows, known;
    TRY(db_many(p->cx, &SQL_load_inputs, ARGS(p->cx->who.team_id, p->all), &INPUT_ROW_SHAPE,
                &rows));
    TRY(load_datasets(p, &rows, &known));
    const struct input_row *row = rows.items;
    struct run_dataset *sets = arena_new_array(p->cx->arena, struct run_dataset, rows.count + 1);
    int64_t *places = arena_new_array(p->cx->arena, int64_t, rows.count + 1);
    size_t count = 0;
    for (size_t i = 0; i < rows.count; i++)
        if (row[i].kind == INPUT_DATASET) {
            places[count] = row[i].n;
            fill_dataset(p->cx, &known, &row[i], &sets[count++]);
        }
    slice(p, sets, sizeof(*sets), places, count, offsetof(struct run_details, datasets));
    fill_models(p, &rows, INPUT_MODEL, offsetof(struct run_details, model_inputs));
    fill_models(p, &rows, OUTPUT_MODEL, offsetof(struct run_details, model_outputs));
    return OK;
}

/* ---- runs */

/* The ids that were found are what the other statements ask for: places count these. */
static enum err load_rows(struct piece *p, const char *const *ids, size_t count, unsigned what) {
    struct list rows;
    TRY(db_many(
        p->cx, &SQL_load_runs,
        ARGS(p->cx->who.team_id, db_text_array(p->cx, ids, count), db_bool(what & RUN_WITH_SPEC)),
        &RUN_SHAPE, &rows));
    const struct run *run = rows.items;
    p->count = rows.count;
    p->ids = arena_new_array(p->cx->arena, const char *, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++) {
        p->runs[i] = (struct run_details){.run = run[i], .with_ranges = what & RUN_WITH_RANGES};
        p->ids[i] = run[i].id;
    }
    p->all = db_text_array(p->cx, p->ids, rows.count);
    return OK;
}

/* How many of the ids the piece is of: up to its last run, or all when none was cut off. */
static size_t taken_of(const struct piece *p, size_t found, const char *const *ids, size_t count) {
    size_t taken = 0;
    if (p->count == found)
        return count;
    for (size_t i = 0; i < p->count; i++)
        while (strcmp(ids[taken++], p->ids[i]) != 0)
            ;
    return taken;
}

static enum err load_piece(struct piece *p, const char *const *ids, size_t count, unsigned what,
                           size_t *ret_taken) {
    TRY(load_rows(p, ids, count, what));
    size_t found = p->count;
    if (what & (RUN_WITH_PARAMS | RUN_WITH_TAGS))
        TRY(load_texts(p, what));
    if (what & RUN_WITH_METRICS)
        TRY(load_values(p, what));
    if (what & RUN_WITH_INPUTS)
        TRY(load_inputs(p));
    *ret_taken = taken_of(p, found, ids, count);
    return OK;
}

size_t load_next_piece(size_t taken, size_t left) {
    size_t next = taken * 2 < LOAD_PIECE_RUNS ? taken * 2 : LOAD_PIECE_RUNS;
    return next < left ? next : left;
}

enum err runs_load(struct ctx *cx, const char *const *ids, size_t count, unsigned what,
                   struct list *ret, size_t *ret_taken) {
    struct run_details *runs = arena_new_array(cx->arena, struct run_details, count + 1);
    size_t found = 0, at = 0, before = arena_used(cx->arena);
    size_t asked = count < LOAD_PIECE_RUNS ? count : LOAD_PIECE_RUNS;
    while (at < count && arena_used(cx->arena) - before < LOAD_PAGE_BYTES) {
        struct piece p = {.cx = cx, .runs = runs + found};
        size_t taken;
        TRY(load_piece(&p, ids + at, asked, what, &taken));
        found += p.count;
        at += taken;
        asked = load_next_piece(taken, count - at);
    }
    *ret = (struct list){runs, found};
    *ret_taken = at;
    return OK;
}
