/* run_export.c: see run_export.h.
 *
 * The ids are found first, so that a bad filter is told before the first byte and the lines do not
 * depend on what changes meanwhile: a run that is deleted in between is left out. CSV needs its
 * columns before its first line, so the keys that these runs logged are asked for once. */
#include "tracking/run_export.h"

#include "base/clock.h"
#include "base/csv.h"
#include "sql/tracking.h"
#include "tracking/internal.h"
#include "tracking/run_list.h"

#include <stdlib.h>
#include <string.h>

#define PART 200    /* runs in memory at once */
#define FOUND 10000 /* ids of one search */

/* ---- what there is */

enum err run_export_prepare(struct ctx *cx, const struct run_search *search,
                            struct run_export *ret) {
    struct run_search next = *search;
    const char **ids = arena_new_array(cx->arena, const char *, EXPORT_RUNS_MAX);
    size_t count = 0;
    next.limit = FOUND;
    next.token = NULL;
    do {
        struct search_page page;
        TRY(run_search(cx, &next, &page));
        if (count + page.ids.count > EXPORT_RUNS_MAX || (page.next && count == EXPORT_RUNS_MAX))
            return fail(cx, ERR_TOO_LARGE, "more than %d runs: export them in parts, by a filter",
                        EXPORT_RUNS_MAX);
        if (page.ids.count)
            memcpy(ids + count, page.ids.items, page.ids.count * sizeof(ids[0]));
        count += page.ids.count;
        next.token = page.next;
    } while (next.token);
    ret->ids = (struct list){ids, count};
    return OK;
}

/* ---- columns */

enum column_kind { COLUMN_PARAM, COLUMN_METRIC, COLUMN_TAG };
static const char *const COLUMN_PREFIXES[] = {"params.", "metrics.", "tags."};

struct column {
    int64_t kind;
    const char *key;
    const char *cell;             /* of the run being written; NULL = it has none */
    const char *least, *greatest; /* of a metric's column, likewise */
};
static const struct field COLUMN_FIELDS[] = {
    FIELD(INT, struct column, kind),
    FIELD(STRING, struct column, key),
};
static SHAPE(COLUMN, "ExportColumn", struct column, COLUMN_FIELDS);

struct writer {
    struct http_io *io;
    const struct run_export *export;
    struct column *columns;
    size_t column_count;
    struct column nowhere; /* for what was logged since the columns were looked at */
    bool is_read;          /* somebody still takes what is written */
};

static int compare_columns(const void *a, const void *b) {
    const struct column *left = a, *right = b;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return strcmp(left->key, right->key);
}

/* Sorted here: the database's order of texts is its locale's. */
static enum err find_columns(struct ctx *cx, struct writer *w) {
    struct list columns;
    const char *ids =
        db_text_array(cx, (const char *const *)w->export->ids.items, w->export->ids.count);
    TRY(db_many(cx, &SQL_export_keys, ARGS(cx->who.team_id, ids, db_int(cx, EXPORT_COLUMNS_MAX)),
                &COLUMN, &columns));
    w->columns = columns.items;
    w->column_count = columns.count;
    if (columns.count)
        qsort(w->columns, w->column_count, sizeof(w->columns[0]), compare_columns);
    return OK;
}

static struct column *column_of(struct writer *w, enum column_kind kind, const char *key) {
    const struct column wanted = {.kind = kind, .key = key};
    struct column *found = w->column_count ? bsearch(&wanted, w->columns, w->column_count,
                                                     sizeof(wanted), compare_columns)
                                           : NULL;
    return found ? found : &w->nowhere;
}

/* ---- a run as a line */

static void put_time(struct buf *out, int64_t at_us) {
    char text[TIME_TEXT_SIZE];
    if (at_us)
        time_to_string(at_us, text);
    buf_text(out, at_us ? text : "");
}

/* What every run has, as texts and times. */
static const struct {
    const char *name;
    size_t offset;
    bool is_time;
} MEMBERS[] = {
    {"id", offsetof(struct run, id), false},
    {"name", offsetof(struct run, name), false},
    {"experiment", offsetof(struct run, experiment_name), false},
    {"source", offsetof(struct run, source), false},
    {"user", offsetof(struct run, user_name), false},
    {"created_by", offsetof(struct run, created_by), false},
    {"parent_id", offsetof(struct run, parent_id), false},
    {"created_at", offsetof(struct run, created_at), true},
    {"started_at", offsetof(struct run, started_at), true},
    {"finished_at", offsetof(struct run, finished_at), true},
    {"archived_at", offsetof(struct run, archived_at), true},
    {"notes", offsetof(struct run, notes), false},
};
#define MEMBER_COUNT (sizeof(MEMBERS) / sizeof(MEMBERS[0]))

static const char *text_of(const struct run *run, size_t member) {
    return *(const char *const *)(const void *)((const char *)run + MEMBERS[member].offset);
}

static int64_t time_of(const struct run *run, size_t member) {
    return *(const int64_t *)(const void *)((const char *)run + MEMBERS[member].offset);
}

static bool has_ranges(const struct writer *w, const struct column *column) {
    return w->export->with_ranges && column->kind == COLUMN_METRIC;
}

static void put_range_names(struct buf *out, const char *name) {
    static const char *const CALLS[] = {"min", "max"};
    for (size_t i = 0; i < 2; i++) {
        auto_buf range = {0};
        buf_printf(&range, "%s(%s)", CALLS[i], name);
        buf_text(out, ",");
        csv_text(out, range.data);
    }
}

static void put_csv_head(struct buf *out, const struct writer *w) {
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        buf_printf(out, "%s,", MEMBERS[i].name);
    buf_text(out, "state");
    for (size_t i = 0; i < w->column_count; i++) {
        auto_buf name = {0};
        buf_printf(&name, "%s%s", COLUMN_PREFIXES[w->columns[i].kind], w->columns[i].key);
        buf_text(out, ",");
        csv_text(out, name.data);
        if (has_ranges(w, &w->columns[i]))
            put_range_names(out, name.data);
    }
    buf_text(out, "\r\n");
}

static void fill_cells(struct writer *w, const struct run_details *details) {
    const struct run_text *params = details->params.items, *tags = details->tags.items;
    const struct run_value *metrics = details->metrics.items;
    for (size_t i = 0; i < w->column_count; i++)
        w->columns[i].cell = w->columns[i].least = w->columns[i].greatest = NULL;
    for (size_t i = 0; i < details->params.count; i++)
        column_of(w, COLUMN_PARAM, params[i].key)->cell = params[i].value;
    for (size_t i = 0; i < details->metrics.count; i++) {
        struct column *column = column_of(w, COLUMN_METRIC, metrics[i].key);
        column->cell = metrics[i].text;
        column->least = metrics[i].least;
        column->greatest = metrics[i].greatest;
    }
    for (size_t i = 0; i < details->tags.count; i++)
        column_of(w, COLUMN_TAG, tags[i].key)->cell = tags[i].value;
}

static void put_csv(struct buf *out, struct writer *w, const struct run_details *details) {
    fill_cells(w, details);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (MEMBERS[i].is_time)
            put_time(out, time_of(&details->run, i));
        else
            csv_text(out, text_of(&details->run, i));
        buf_text(out, ",");
    }
    buf_text(out, RUN_STATE_NAMES[details->run.state]);
    for (size_t i = 0; i < w->column_count; i++) {
        const struct column *column = &w->columns[i];
        buf_text(out, ",");
        if (column->cell && column->kind == COLUMN_METRIC)
            buf_text(out, column->cell);
        else
            csv_text(out, column->cell);
        if (has_ranges(w, column))
            buf_printf(out, ",%s,%s", column->least ? column->least : "",
                       column->greatest ? column->greatest : "");
    }
    buf_text(out, "\r\n");
}

static void put_jsonl(struct buf *out, struct writer *unused, const struct run_details *details) {
    (void)unused;
    struct json_writer w = {.out = out};
    run_write(&w, details);
    buf_text(out, "\n");
}

/* ---- writing */

static enum err write_runs(struct ctx *cx, struct writer *w, size_t from, size_t *ret_taken) {
    const char *const *ids = w->export->ids.items;
    size_t left = w->export->ids.count - from;
    struct list runs;
    auto_buf out = {0};
    TRY(runs_load(cx, ids + from, left < PART ? left : PART,
                  RUN_WITH_PARAMS | RUN_WITH_TAGS | RUN_WITH_METRICS | RUN_WITH_SPEC |
                      (w->export->with_ranges ? RUN_WITH_RANGES : 0),
                  &runs, ret_taken));
    TRY(db_commit(cx));
    const struct run_details *details = runs.items;
    for (size_t i = 0; i < runs.count; i++)
        (w->export->format == EXPORT_CSV ? put_csv : put_jsonl)(&out, w, &details[i]);
    w->is_read = out.size == 0 || http_io_write(w->io, out.data, out.size);
    return OK;
}

/* Each part with memory of its own: together they may be larger than the machine. */
static enum err write_part(struct ctx *cx, struct writer *w, size_t from, size_t *ret_taken) {
    struct ctx part;
    ctx_init(&part, cx->app);
    part.who = cx->who;
    enum err err = write_runs(&part, w, from, ret_taken);
    cx->err = part.err;
    ctx_done(&part);
    return err;
}

enum err run_export_write(struct ctx *cx, struct http_io *io, const struct run_export *export) {
    struct writer w = {.io = io, .export = export, .is_read = true};
    auto_buf head = {0};
    if (export->format == EXPORT_CSV) {
        TRY(find_columns(cx, &w));
        TRY(db_commit(cx));
        put_csv_head(&head, &w);
        w.is_read = http_io_write(io, head.data, head.size);
    }
    for (size_t from = 0, taken; from < export->ids.count && w.is_read; from += taken)
        TRY(write_part(cx, &w, from, &taken));
    return OK;
}
