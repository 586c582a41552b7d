/* data_table.c: CSV, TSV, JSON Lines and Parquet to tensors.
 *
 * A column has the narrowest type that all of its values have: boolean, numeric, timestamp, else
 * text; text with few values is categorical. The target is made for learning: text and booleans
 * become classes, and so do whole numbers with few values; other numbers stay numbers (regression).
 * Rows without a target teach nothing and are left out.
 *
 * Tensors are written column by column, a few thousand values at a time, in the order of the rows
 * of the file. */
#include "runners/data_table.h"

#include "safetensors.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    FACTS_BATCH = 32,  /* columns asked about in one statement */
    LEVELS_MAX = 1000, /* of a categorical column that is not the target */
    LEVEL_CHARACTERS_MAX = 250,
    CLASS_NUMBERS_MAX = 20,   /* whole numbers that are still taken for classes */
    EXACT_ROWS_MAX = 1000000, /* distinct values are counted up to here, then estimated */
};

const char *const COLUMN_TYPE_NAMES[] = {"numeric", "boolean", "categorical", "timestamp", "text"};

/* How a value of raw becomes one of t, by column_type. */
static const char *const CONVERSIONS[] = {
    "finite(try_cast(c# AS DOUBLE))",   "try_cast(c# AS BOOLEAN)",
    "replace(c#::VARCHAR, chr(0), '')", "moment(try_cast(c# AS TIMESTAMP))",
    "replace(c#::VARCHAR, chr(0), '')",
};

static int64_t member_int(const json_t *object, const char *name) {
    return json_integer_value(json_object_get(object, name));
}

/* Runs "SELECT to_json([pattern, …])" over the columns [first, end) of a table. */
static enum run ask_columns(struct table *tb, size_t first, size_t end, const char *pattern,
                            const char *from, json_t **ret) {
    auto_free char *text = NULL;
    size_t size;
    FILE *out = sql_text_open(&text, &size);
    fputs("SELECT to_json([", out);
    sql_text_columns(out, first, end, pattern);
    fprintf(out, "])::VARCHAR FROM %s", from);
    fclose(out);
    return sql_json(&tb->sql, ret, text);
}

static enum run find_target(struct table *tb) {
    const char *target = tb->im->target;
    tb->target = tb->count;
    if (!target)
        return RUN_DONE;
    for (size_t i = 0; i < tb->count; i++)
        if (strcmp(tb->columns[i].name, target) == 0)
            tb->target = i;
    if (tb->target == tb->count)
        return refuse_at(tb->im->rn, REFUSE_INVALID_SPEC,
                         (struct place){.field = "target", .file = tb->in->file_name},
                         "the table has no column \"%.200s\"; its first is \"%s\"", target,
                         tb->columns[0].name);
    return RUN_DONE;
}

/* Text of a CSV: what do all values of a column agree to be? */
static void choose_type(struct column *column, const json_t *facts) {
    int64_t values = member_int(facts, "values");
    column->type = COLUMN_TEXT;
    if (values == 0)
        return;
    if (member_int(facts, "booleans") == values)
        column->type = COLUMN_BOOLEAN;
    else if (member_int(facts, "numbers") == values)
        column->type = COLUMN_NUMERIC;
    else if (member_int(facts, "moments") == values)
        column->type = COLUMN_TIMESTAMP;
}

static void note_infinite(struct table *tb, const struct column *column, const json_t *facts) {
    int64_t lost = member_int(facts, "numbers") - member_int(facts, "finite");
    if (column->type == COLUMN_NUMERIC && lost > 0)
        import_note(tb->im,
                    "Values of \"%s\" that count as missing because they are not finite: %lld.",
                    column->name, (long long)lost);
}

/* Numbers are not tried as times: in a table of 600,000 rows the casts that fail took longer than
 * the rest of the import. */
static enum run find_types(struct table *tb) {
    for (size_t first = 0; first < tb->count; first += FACTS_BATCH) {
        size_t end = first + FACTS_BATCH < tb->count ? first + FACTS_BATCH : tb->count;
        auto_json *facts = NULL;
        TRY(ask_columns(tb, first, end,
                        "{'values': count(c#), 'numbers': count(try_cast(c# AS DOUBLE)), "
                        "'finite': count(finite(try_cast(c# AS DOUBLE))), "
                        "'booleans': count_if(lower(c#::VARCHAR) IN ('true', 'false')), "
                        "'moments': count(CASE WHEN try_cast(c# AS DOUBLE) IS NULL "
                        "THEN try_cast(c# AS TIMESTAMP) END)}",
                        "raw", &facts));
        for (size_t i = first; i < end; i++) {
            if (tb->untyped)
                choose_type(&tb->columns[i], json_array_get(facts, i - first));
            note_infinite(tb, &tb->columns[i], json_array_get(facts, i - first));
        }
    }
    return RUN_DONE;
}

/* Whole numbers of few values name classes: 0/1, digits, grades. */
static enum run choose_target_type(struct table *tb) {
    struct column *target = &tb->columns[tb->target];
    if (target->type == COLUMN_TIMESTAMP)
        return refuse_at(tb->im->rn, REFUSE_INVALID_SPEC, (struct place){.field = "target"},
                         "the target \"%s\" is a time; it must be a category or a number",
                         target->name);
    if (target->type != COLUMN_NUMERIC) {
        target->type = COLUMN_CATEGORICAL;
        return RUN_DONE;
    }
    auto_json *facts = NULL;
    TRY(sql_jsonf(&tb->sql, &facts,
                  "SELECT to_json({'whole': coalesce(bool_and(v = trunc(v) AND abs(v) < 1e15), "
                  "false), 'distinct': count(DISTINCT v)})::VARCHAR "
                  "FROM (SELECT try_cast(c%zu AS DOUBLE) AS v FROM raw)",
                  tb->target));
    int64_t distinct = member_int(facts, "distinct");
    if (!json_is_true(json_object_get(facts, "whole")) || distinct > CLASS_NUMBERS_MAX)
        return RUN_DONE;
    target->type = COLUMN_CATEGORICAL;
    target->whole_levels = true;
    import_note(tb->im,
                "The target \"%s\" has %lld whole numbers as values; they are taken as classes.",
                target->name, (long long)distinct);
    return RUN_DONE;
}

static void print_conversion(FILE *out, const struct table *tb, size_t i) {
    const struct column *column = &tb->columns[i];
    if (column->whole_levels)
        fprintf(out, "try_cast(c%zu AS DOUBLE)::BIGINT::VARCHAR", i);
    else
        sql_text_column(out, CONVERSIONS[column->type], i);
}

static enum run convert_rows(struct table *tb) {
    auto_free char *text = NULL;
    size_t size;
    FILE *out = sql_text_open(&text, &size);
    fputs("CREATE TABLE t AS SELECT ", out);
    for (size_t i = 0; i < tb->count; i++) {
        print_conversion(out, tb, i);
        fprintf(out, " AS c%zu%s", i, i + 1 < tb->count ? ", " : " FROM raw");
    }
    if (tb->target < tb->count) {
        fputs(" WHERE ", out);
        print_conversion(out, tb, tb->target);
        fputs(" IS NOT NULL", out);
    }
    fclose(out);
    sql_phase(&tb->sql, 0.4, 0.5, "converting values");
    return sql_run(&tb->sql, text);
}

static enum run count_rows(struct table *tb) {
    auto_json *counts = NULL;
    TRY(sql_json(&tb->sql, &counts,
                 "SELECT to_json({'raw': (SELECT count(*) FROM raw), "
                 "'t': (SELECT count(*) FROM t)})::VARCHAR"));
    int64_t raw = member_int(counts, "raw");
    tb->rows = member_int(counts, "t");
    if (raw == 0)
        return refuse_input(tb->im, REFUSE_INVALID_DATA, tb->in, NULL,
                            "the table has a header but no rows");
    if (tb->rows == 0)
        return refuse_at(tb->im->rn, REFUSE_INVALID_DATA,
                         (struct place){.field = "target", .file = tb->in->file_name},
                         "no row has a value in the target \"%s\"", tb->im->target);
    if (tb->rows > DATA_ROWS_MAX)
        return refuse_input(tb->im, REFUSE_TOO_LARGE, tb->in, NULL,
                            "the table has %lld rows, more than %d", (long long)tb->rows,
                            DATA_ROWS_MAX);
    if (raw > tb->rows)
        import_note(tb->im, "Rows left out because \"%s\" has no value there: %lld.",
                    tb->im->target, (long long)(raw - tb->rows));
    return sql_run(&tb->sql, "DROP TABLE raw");
}

static enum run build_rows(struct table *tb) {
    TRY(sql_run(&tb->sql, "CREATE MACRO finite(v) AS CASE WHEN abs(v) <= 3.4028234e38 THEN v END"));
    TRY(sql_run(&tb->sql, "CREATE MACRO moment(v) AS CASE WHEN isfinite(v) THEN v END"));
    TRY(find_types(tb));
    if (tb->target < tb->count)
        TRY(choose_target_type(tb));
    TRY(convert_rows(tb));
    return count_rows(tb);
}

static void choose_levels(struct table *tb, size_t i, const json_t *facts) {
    struct column *column = &tb->columns[i];
    column->nulls = tb->rows - member_int(facts, "values");
    column->distinct = member_int(facts, "distinct");
    bool few = column->distinct > 0 && column->distinct <= LEVELS_MAX &&
               column->distinct <= tb->rows / 2 &&
               member_int(facts, "longest") <= LEVEL_CHARACTERS_MAX;
    if (column->type == COLUMN_TEXT && few)
        column->type = COLUMN_CATEGORICAL;
    if (column->nulls == tb->rows)
        import_note(tb->im, "The column \"%s\" has no values.", column->name);
}

static enum run count_values(struct table *tb) {
    const char *pattern = tb->rows <= EXACT_ROWS_MAX
                              ? "{'values': count(c#), 'distinct': count(DISTINCT c#), "
                                "'longest': max(length(c#::VARCHAR))}"
                              : "{'values': count(c#), 'distinct': approx_count_distinct(c#), "
                                "'longest': max(length(c#::VARCHAR))}";
    for (size_t first = 0; first < tb->count; first += FACTS_BATCH) {
        size_t end = first + FACTS_BATCH < tb->count ? first + FACTS_BATCH : tb->count;
        auto_json *facts = NULL;
        TRY(ask_columns(tb, first, end, pattern, "t", &facts));
        for (size_t i = first; i < end; i++)
            choose_levels(tb, i, json_array_get(facts, i - first));
    }
    return RUN_DONE;
}

/* An enum type a column turns its texts into codes, in the order of the levels. */
static enum run make_levels(struct table *tb, size_t i) {
    struct column *column = &tb->columns[i];
    const char *order = column->whole_levels ? "v::BIGINT" : "v";
    if (i == tb->target && column->distinct > DATA_CLASSES_MAX)
        return refuse_at(tb->im->rn, REFUSE_TOO_LARGE, (struct place){.field = "target"},
                         "the target \"%s\" has %lld different values, more than %d classes",
                         column->name, (long long)column->distinct, DATA_CLASSES_MAX);
    TRY(sql_runf(&tb->sql,
                 "CREATE TYPE e%1$zu AS ENUM (SELECT v FROM (SELECT DISTINCT c%1$zu AS v FROM t "
                 "WHERE c%1$zu IS NOT NULL) ORDER BY %2$s)",
                 i, order));
    TRY(sql_jsonf(&tb->sql, &column->levels, "SELECT to_json(enum_range(NULL::e%zu))::VARCHAR", i));
    column->distinct = (int64_t)json_array_size(column->levels);
    return RUN_DONE;
}

static enum run find_levels(struct table *tb) {
    sql_phase(&tb->sql, 0.5, 0.6, "counting values");
    TRY(count_values(tb));
    for (size_t i = 0; i < tb->count; i++)
        if (tb->columns[i].type == COLUMN_CATEGORICAL)
            TRY(make_levels(tb, i));
    return RUN_DONE;
}

struct sink {
    struct table *tb;
    FILE *file;    /* where the tensor goes; NULL when codes are collected */
    bool whole;    /* the values are int32_t codes, not doubles */
    bool moments;  /* doubles stay doubles */
    int64_t count; /* values seen */
};

static bool write_codes(struct sink *sink, const struct sql_values *values) {
    const int32_t *from = values->data;
    for (size_t i = 0; i < values->count; i++) {
        int32_t code = sql_is_null(values, i) ? -1 : from[i];
        if (!sink->file)
            sink->tb->codes[sink->count + (int64_t)i] = code;
        else if (fwrite(&code, sizeof code, 1, sink->file) != 1)
            return false;
    }
    return true;
}

static bool write_numbers(struct sink *sink, const struct sql_values *values) {
    const double *from = values->data;
    for (size_t i = 0; i < values->count; i++) {
        double wide = sql_is_null(values, i) ? (double)NAN : from[i];
        float narrow = (float)wide;
        if (sink->moments ? fwrite(&wide, sizeof wide, 1, sink->file) != 1
                          : fwrite(&narrow, sizeof narrow, 1, sink->file) != 1)
            return false;
    }
    return true;
}

static enum run take_values(struct sql *sql, const struct sql_values *values, void *arg) {
    struct sink *sink = arg;
    if (sink->count + (int64_t)values->count > sink->tb->rows)
        return crash(sql->im->rn, "a column gave more values than the table has rows");
    bool done = sink->whole ? write_codes(sink, values) : write_numbers(sink, values);
    sink->count += (int64_t)values->count;
    return done ? RUN_DONE : crash(sql->im->rn, "could not write: %s", strerror(errno));
}

static enum run read_column(struct table *tb, size_t i, FILE *file) {
    static const char *const QUERIES[] = {
        "SELECT c# FROM t",
        "SELECT c#::INTEGER::DOUBLE FROM t",
        "SELECT enum_code(c#::e#)::INTEGER FROM t",
        "SELECT epoch(c#) FROM t",
    };
    enum column_type type = tb->columns[i].type;
    struct sink sink = {.tb = tb,
                        .file = file,
                        .whole = type == COLUMN_CATEGORICAL,
                        .moments = type == COLUMN_TIMESTAMP};
    auto_free char *query = NULL;
    size_t size;
    FILE *out = sql_text_open(&query, &size);
    sql_text_column(out, QUERIES[type], i);
    fclose(out);
    TRY(sql_values(&tb->sql, query, take_values, &sink));
    if (sink.count != tb->rows)
        return crash(tb->im->rn, "a column gave fewer values than the table has rows");
    return RUN_DONE;
}

static enum run draw_split(struct table *tb) {
    bool classes = tb->target < tb->count && tb->columns[tb->target].type == COLUMN_CATEGORICAL;
    tb->split = malloc((size_t)tb->rows);
    tb->codes = classes ? malloc((size_t)tb->rows * sizeof *tb->codes) : NULL;
    if (!tb->split || (classes && !tb->codes))
        return crash(tb->im->rn, "memory is short for %lld rows", (long long)tb->rows);
    memset(tb->split, SPLIT_FREE, (size_t)tb->rows);
    if (classes)
        TRY(read_column(tb, tb->target, NULL));
    return split_assign(tb->im->rn, &tb->im->split, tb->codes, (size_t)tb->rows, tb->split);
}

static tsh_view column_view(const struct table *tb, enum column_type type) {
    tsh_dtype dtype = type == COLUMN_CATEGORICAL ? TSH_I32
                      : type == COLUMN_TIMESTAMP ? TSH_F64
                                                 : TSH_F32;
    size_t bytes = (size_t)tb->rows * safetensors_element_bytes(dtype);
    return (tsh_view){dtype, 1, {tb->rows}, NULL, bytes};
}

/* One tensor a column that has one, and the split; names are "c<i>" in a buffer of their own. */
static enum run write_tensors(struct table *tb, FILE *file, struct safetensor *tensors,
                              char (*names)[24]) {
    size_t count = 0, bytes = 0;
    for (size_t i = 0; i < tb->count; i++) {
        if (tb->columns[i].type == COLUMN_TEXT)
            continue;
        snprintf(names[count], sizeof names[count], "c%zu", i);
        tensors[count] = (struct safetensor){names[count], column_view(tb, tb->columns[i].type)};
        bytes += tensors[count++].view.size_bytes;
    }
    tensors[count++] =
        (struct safetensor){"split", {TSH_U8, 1, {tb->rows}, NULL, (size_t)tb->rows}};
    if (bytes > (uint64_t)DATA_TENSOR_MAX)
        return refuse_input(tb->im, REFUSE_TOO_LARGE, tb->in, NULL,
                            "%lld rows of %zu columns are more than the %lld GiB a data set may "
                            "have",
                            (long long)tb->rows, tb->count, (long long)(DATA_TENSOR_MAX >> 30));
    if (!safetensors_write_header(fileno(file), tensors, count, NULL))
        return crash(tb->im->rn, "could not write the tensors: %s", strerror(errno));
    for (size_t k = 0; k < count; k++) { /* in the order the header put them */
        const char *name = tensors[k].name;
        sql_phase(&tb->sql, 0.6 + 0.2 * (double)k / (double)count,
                  0.6 + 0.2 * (double)(k + 1) / (double)count, "writing columns");
        if (strcmp(name, "split") != 0)
            TRY(read_column(tb, strtoul(name + 1, NULL, 10), file));
        else if (fwrite(tb->split, 1, (size_t)tb->rows, file) != (size_t)tb->rows)
            return crash(tb->im->rn, "could not write the tensors: %s", strerror(errno));
    }
    return RUN_DONE;
}

static enum run save_tensors(struct table *tb) {
    auto_free struct safetensor *tensors = calloc(tb->count + 1, sizeof *tensors);
    auto_free char(*names)[24] = calloc(tb->count + 1, sizeof *names);
    if (!tensors || !names)
        return crash(tb->im->rn, "memory is short for %zu columns", tb->count);
    TRY(draw_split(tb));
    int fd;
    TRY(runner_create_file(tb->im->rn, DATA_TENSORS, &fd));
    FILE *file = fdopen(fd, "r+");
    if (!file)
        return crash(tb->im->rn, "could not write the tensors: %s", strerror(errno));
    enum run status = write_tensors(tb, file, tensors, names);
    if (status == RUN_DONE)
        status = fflush(file) == 0
                     ? runner_commit_file(tb->im->rn, DATA_TENSORS, fd)
                     : crash(tb->im->rn, "could not write the tensors: %s", strerror(errno));
    fclose(file);
    return status;
}

/* Names with how many rows each has, in the order of the codes; null unless the target has classes.
 */
static enum run class_counts(struct table *tb, json_t **ret) {
    *ret = json_null();
    if (!tb->codes)
        return RUN_DONE;
    const json_t *levels = tb->columns[tb->target].levels;
    size_t count = json_array_size(levels);
    auto_free json_int_t *rows = calloc(count + 1, sizeof *rows);
    if (!rows)
        return crash(tb->im->rn, "memory is short for %zu classes", count);
    for (int64_t i = 0; i < tb->rows; i++)
        rows[tb->codes[i]]++;
    *ret = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            *ret, json_pack("{s:O, s:I}", "name", json_array_get(levels, i), "count", rows[i]));
    return RUN_DONE;
}

static json_t *manifest_columns(const struct table *tb) {
    json_t *columns = json_array();
    for (size_t i = 0; i < tb->count; i++) {
        const struct column *column = &tb->columns[i];
        json_t *tensor = column->type == COLUMN_TEXT ? json_null() : json_sprintf("c%zu", i);
        json_array_append_new(columns, json_pack("{s:s, s:s, s:I, s:o, s:O?}", "name", column->name,
                                                 "type", COLUMN_TYPE_NAMES[column->type], "nulls",
                                                 (json_int_t)column->nulls, "tensor", tensor,
                                                 "levels", column->levels));
    }
    return columns;
}

static enum run describe(struct table *tb) {
    json_t *columns, *samples, *classes;
    TRY(class_counts(tb, &classes));
    enum run status = profile_table(tb, &columns, &samples);
    if (status != RUN_DONE) {
        json_decref(classes);
        return status;
    }
    const json_t *names = tb->codes ? tb->columns[tb->target].levels : NULL;
    const char *target = tb->target < tb->count ? tb->columns[tb->target].name : NULL;
    json_t *splits = split_counts(tb->split, (size_t)tb->rows);
    json_object_update_new(tb->im->manifest,
                           json_pack("{s:s, s:I, s:n, s:O?, s:s?, s:o, s:O}", "kind", "table",
                                     "rows", (json_int_t)tb->rows, "shape", "classes", names,
                                     "target", target, "columns", manifest_columns(tb), "splits",
                                     splits));
    json_object_update_new(tb->im->result,
                           json_pack("{s:s, s:I, s:n, s:o, s:s?, s:o, s:o, s:o}", "kind", "table",
                                     "rows", (json_int_t)tb->rows, "shape", "classes", classes,
                                     "target", target, "splits", splits, "columns", columns,
                                     "samples", samples));
    return RUN_DONE;
}

static enum run import_table(struct table *tb) {
    TRY(sql_open(tb->im, tb->in, &tb->sql));
    TRY(source_load(tb));
    TRY(find_target(tb));
    TRY(build_rows(tb));
    TRY(find_levels(tb));
    TRY(save_tensors(tb));
    return describe(tb);
}

enum run table_import(struct import *im) {
    struct table tb = {.im = im, .in = &im->rn->inputs[0]};
    enum run status = import_table(&tb);
    sql_close(&tb.sql);
    for (size_t i = 0; i < tb.count && tb.columns; i++)
        json_decref(tb.columns[i].levels);
    json_decref(tb.names);
    free(tb.columns);
    free(tb.codes);
    free(tb.split);
    return status;
}
