/* data_profile.c: what people see of a table: figures and a histogram a column, frequent values,
 * the first rows. All of it is computed by DuckDB and arrives as JSON; this file chooses what to
 * ask and in which shape to show it. */
#include "runners/data_table.h"

#include <math.h>
#include <string.h>

enum {
    HISTOGRAM_BINS = 20,
    EXACT_QUANTILE_ROWS = 1000000, /* above, t-digest: exact ones hold a column in memory */
    SAMPLE_COLUMNS = 200,          /* wider tables are shown in part */
    SAMPLE_CHARACTERS = 200,       /* of a cell */
};

static bool has_statistics(const struct column *column) {
    return column->type == COLUMN_NUMERIC || column->type == COLUMN_TIMESTAMP;
}

/* The column as a number: times are seconds since 1970. */
static void value_expression(const struct table *tb, size_t i, char ret[64]) {
    snprintf(ret, 64, tb->columns[i].type == COLUMN_TIMESTAMP ? "epoch(c%zu)" : "c%zu", i);
}

static enum run ask_statistics(struct table *tb, size_t i, json_t **ret) {
    char value[64];
    value_expression(tb, i, value);
    const char *quantile = tb->rows <= EXACT_QUANTILE_ROWS ? "quantile_cont" : "approx_quantile";
    return sql_jsonf(&tb->sql, ret,
                     "SELECT to_json({'min': min(v), 'max': max(v), 'mean': avg(v), "
                     "'stddev': coalesce(stddev_samp(v), 0), "
                     "'q': %s(v, [0.05, 0.25, 0.5, 0.75, 0.95])})::VARCHAR "
                     "FROM (SELECT %s AS v FROM t)",
                     quantile, value);
}

/* From {"q":[…]} to the members the result promises. */
static void name_quantiles(json_t *statistics) {
    static const char *const NAMES[] = {"p05", "p25", "p50", "p75", "p95"};
    json_t *q = json_object_get(statistics, "q");
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
        json_object_set(statistics, NAMES[i], json_array_get(q, i));
    json_object_del(statistics, "q");
}

/* Bins of equal width over [min, max]; one bin around a constant. */
static size_t histogram_edges(double min, double max, double edges[HISTOGRAM_BINS + 1]) {
    if (!(max > min)) {
        edges[0] = min - 0.5;
        edges[1] = min + 0.5;
        return 1;
    }
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        edges[i] = min + (max - min) * i / HISTOGRAM_BINS;
    edges[HISTOGRAM_BINS] = max;
    return HISTOGRAM_BINS;
}

static enum run ask_histogram(struct table *tb, size_t i, const json_t *statistics, json_t **ret) {
    double edges[HISTOGRAM_BINS + 1];
    size_t bins = histogram_edges(json_number_value(json_object_get(statistics, "min")),
                                  json_number_value(json_object_get(statistics, "max")), edges);
    char value[64];
    value_expression(tb, i, value);
    auto_free char *text = NULL;
    size_t size;
    FILE *out = sql_text_open(&text, &size);
    fputs("SELECT to_json(map_values(histogram(v, [", out);
    for (size_t k = 1; k <= bins; k++)
        fprintf(out, "%s%.17g::DOUBLE", k > 1 ? ", " : "", edges[k]);
    fprintf(out, "])))::VARCHAR FROM (SELECT %s AS v FROM t)", value);
    fclose(out);
    json_t *counts = NULL;
    TRY(sql_json(&tb->sql, &counts, text));
    json_t *list = json_array();
    for (size_t k = 0; k <= bins; k++)
        json_array_append_new(list, json_real(edges[k]));
    *ret = json_pack("{s:o, s:o}", "edges", list, "counts", counts);
    return RUN_DONE;
}

static enum run ask_top(struct table *tb, size_t i, json_t **ret) {
    return sql_jsonf(&tb->sql, ret,
                     "SELECT to_json(list({'value': v, 'count': n} ORDER BY n DESC, v))::VARCHAR "
                     "FROM (SELECT c%1$zu::VARCHAR AS v, count(*) AS n FROM t WHERE c%1$zu IS NOT "
                     "NULL GROUP BY 1 ORDER BY n DESC, v LIMIT %2$d)",
                     i, DATA_TOP_VALUES);
}

static enum run profile_column(struct table *tb, size_t i, json_t *ret) {
    const struct column *column = &tb->columns[i];
    bool empty = column->nulls == tb->rows;
    json_t *statistics = NULL, *histogram = NULL, *top = NULL;
    if (has_statistics(column) && !empty) {
        TRY(ask_statistics(tb, i, &statistics));
        name_quantiles(statistics);
        json_object_set_new(ret, "statistics", statistics);
        TRY(ask_histogram(tb, i, statistics, &histogram));
        json_object_set_new(ret, "histogram", histogram);
    }
    if ((column->type == COLUMN_CATEGORICAL || column->type == COLUMN_BOOLEAN) && !empty) {
        TRY(ask_top(tb, i, &top));
        json_object_set_new(ret, "top", top);
    }
    return RUN_DONE;
}

static enum run profile_columns(struct table *tb, json_t *columns) {
    for (size_t i = 0; i < tb->count; i++) {
        const struct column *column = &tb->columns[i];
        json_t *profile =
            json_pack("{s:s, s:s, s:I, s:I, s:n, s:n, s:n}", "name", column->name, "type",
                      COLUMN_TYPE_NAMES[column->type], "nulls", (json_int_t)column->nulls,
                      "distinct", (json_int_t)column->distinct, "statistics", "histogram", "top");
        json_array_append_new(columns, profile);
        double at = 0.8 + 0.17 * (double)i / (double)tb->count;
        sql_phase(&tb->sql, at, at, "computing statistics");
        TRY(profile_column(tb, i, profile));
    }
    return RUN_DONE;
}

/* The first rows as text; whole numbers without ".0". */
static enum run sample_rows(struct table *tb, json_t **ret) {
    size_t shown = tb->count < SAMPLE_COLUMNS ? tb->count : SAMPLE_COLUMNS;
    auto_free char *text = NULL;
    size_t size;
    FILE *out = sql_text_open(&text, &size);
    fputs("SELECT to_json(list([", out);
    for (size_t i = 0; i < shown; i++)
        fprintf(out,
                tb->columns[i].type == COLUMN_NUMERIC
                    ? "%sregexp_replace(c%zu::VARCHAR, '\\.0$', '')"
                    : "%sleft(c%zu::VARCHAR, %d)",
                i > 0 ? ", " : "", i, SAMPLE_CHARACTERS);
    fprintf(out, "] ORDER BY rowid))::VARCHAR FROM t WHERE rowid < %d", DATA_SAMPLES);
    fclose(out);
    json_t *rows = NULL, *names = json_array();
    enum run status = sql_json(&tb->sql, &rows, text);
    for (size_t i = 0; i < shown; i++)
        json_array_append_new(names, json_string(tb->columns[i].name));
    if (status == RUN_DONE)
        *ret = json_pack("{s:O, s:o}", "columns", names, "rows", rows);
    json_decref(names);
    return status;
}

enum run profile_table(struct table *tb, json_t **ret_columns, json_t **ret_samples) {
    auto_json *columns = json_array();
    TRY(profile_columns(tb, columns));
    TRY(sample_rows(tb, ret_samples));
    *ret_columns = json_incref(columns);
    return RUN_DONE;
}
