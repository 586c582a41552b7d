/* data_source.c: from the file to the table "raw", by DuckDB's readers.
 *
 * CSV is loaded as text. What a sniffer concludes from a sample is an error at row 20,000 or,
 * worse, a silent other reading (ragged lines become one wide column, a first line that does not
 * fit is skipped), so only one question is left to it: whether the first line is a header. The
 * delimiter is the one that occurs most in the first line, quotes are RFC 4180's, every line must
 * have as many fields as the first, and types are found later from all rows.
 *
 * JSON Lines and Parquet carry types and keep them. */
#include "runners/data_lines.h"
#include "runners/data_table.h"

#include <string.h>

enum { CSV_BUFFER_BYTES = 2 * LINE_BYTES_MAX };

/* What people write where nothing is. A chain of comparisons, not IN (...): DuckDB turns a list
 * into a join, and rows that went through it came out in another order on several threads. */
#define PRESENT                                                                                    \
    "CREATE MACRO present(v) AS CASE trim(v) WHEN '' THEN NULL WHEN '?' THEN NULL "                \
    "WHEN 'NA' THEN NULL WHEN 'N/A' THEN NULL WHEN '#N/A' THEN NULL WHEN 'NULL' THEN NULL "        \
    "WHEN 'null' THEN NULL WHEN 'NaN' THEN NULL WHEN 'nan' THEN NULL ELSE trim(v) END"

struct csv {
    struct lines lines;
    char delimiter;
    size_t columns;
    bool header;
};

FILE *sql_text_open(char **text, size_t *size) {
    *text = NULL;
    return open_memstream(text, size);
}

void sql_text_column(FILE *out, const char *pattern, size_t index) {
    for (; *pattern; pattern++)
        if (*pattern == '#')
            fprintf(out, "%zu", index);
        else
            fputc(*pattern, out);
}

void sql_text_columns(FILE *out, size_t first, size_t end, const char *pattern) {
    for (size_t i = first; i < end; i++) {
        if (i > first)
            fputs(", ", out);
        sql_text_column(out, pattern, i);
    }
}

static bool has_control_character(const char *name) {
    for (; *name; name++)
        if ((unsigned char)*name < 0x20 || *name == 0x7f)
            return true;
    return false;
}

/* Length in characters, not bytes. */
static size_t utf8_count(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static json_t *trimmed(const char *name, size_t index) {
    while (*name == ' ')
        name++;
    size_t size = strlen(name);
    while (size > 0 && name[size - 1] == ' ')
        size--;
    return size > 0 ? json_stringn(name, size) : json_sprintf("column_%zu", index + 1);
}

static enum run check_name(struct table *tb, json_t *seen, const char *name, const char *place) {
    if (utf8_count(name) > DATA_NAME_BYTES)
        return refuse_input(tb->im, REFUSE_INVALID_DATA, tb->in, place,
                            "a column's name is longer than %d characters", DATA_NAME_BYTES);
    if (has_control_character(name))
        return refuse_input(tb->im, REFUSE_INVALID_DATA, tb->in, place,
                            "a column's name holds a line break or a control character");
    if (json_object_get(seen, name))
        return refuse_input(tb->im, REFUSE_INVALID_DATA, tb->in, place,
                            "two columns are named \"%s\"", name);
    json_object_set_new(seen, name, json_true());
    return RUN_DONE;
}

enum run table_name_columns(struct table *tb, const char *place) {
    auto_json *seen = json_object();
    tb->count = json_array_size(tb->names);
    if (tb->count > DATA_COLUMNS_MAX)
        return refuse_input(tb->im, REFUSE_TOO_LARGE, tb->in, place,
                            "the table has %zu columns, more than %d", tb->count, DATA_COLUMNS_MAX);
    tb->columns = calloc(tb->count + 1, sizeof *tb->columns);
    if (!tb->columns)
        return crash(tb->im->rn, "memory is short for %zu columns", tb->count);
    for (size_t i = 0; i < tb->count; i++) {
        const char *name = json_string_value(json_array_get(tb->names, i));
        json_array_set_new(tb->names, i, trimmed(name ? name : "", i));
        tb->columns[i].name = json_string_value(json_array_get(tb->names, i));
        TRY(check_name(tb, seen, tb->columns[i].name, place));
    }
    return RUN_DONE;
}

/* Fields of the line if it were split there. */
static size_t count_fields(const struct lines *lines, char delimiter) {
    size_t fields = 1;
    bool quoted = false;
    for (size_t i = 0; i < lines->first_size; i++)
        if (lines->first[i] == '"')
            quoted = !quoted;
        else if (lines->first[i] == delimiter && !quoted)
            fields++;
    return fields;
}

static enum run choose_delimiter(struct table *tb, struct csv *csv) {
    static const char CANDIDATES[] = ",;\t|"; /* the first wins among equals */
    csv->delimiter = tb->im->format == FORMAT_TSV ? '\t' : ',';
    for (const char *c = CANDIDATES; *c && tb->im->format != FORMAT_TSV; c++)
        if (count_fields(&csv->lines, *c) > count_fields(&csv->lines, csv->delimiter))
            csv->delimiter = *c;
    csv->columns = count_fields(&csv->lines, csv->delimiter);
    if (csv->lines.count == 1 && memchr(csv->lines.first, '\r', csv->lines.first_size))
        return refuse_line(tb->im, tb->in, 1, REFUSE_INVALID_DATA,
                           "the lines end in CR alone; save the file with LF or CRLF");
    if (csv->columns > DATA_COLUMNS_MAX)
        return refuse_line(tb->im, tb->in, 1, REFUSE_TOO_LARGE,
                           "the line has %zu columns, more than %d", csv->columns,
                           DATA_COLUMNS_MAX);
    return RUN_DONE;
}

static void print_dialect(FILE *out, const struct table *tb, const struct csv *csv) {
    fprintf(out,
            "'%s', delim = '%c', quote = '\"', escape = '\"', comment = '', skip = 0, "
            "compression = '%s', max_line_size = %d, buffer_size = %d, null_padding = false",
            tb->in->path, csv->delimiter, csv->lines.gzipped ? "gzip" : "none", LINE_BYTES_MAX,
            CSV_BUFFER_BYTES);
}

static void print_reader(FILE *out, const struct table *tb, const struct csv *csv, bool header) {
    fputs("read_csv(", out);
    print_dialect(out, tb, csv);
    fprintf(out, ", auto_detect = false, header = %s, columns = {", header ? "true" : "false");
    sql_text_columns(out, 0, csv->columns, "c#: 'VARCHAR'");
    fputs("}", out);
}

/* A file that the sniffer cannot make sense of is read with a header; the reader then says what is
 * wrong with which line. */
static enum run sniff_header(struct table *tb, struct csv *csv) {
    auto_free char *text = NULL;
    size_t size;
    FILE *out = sql_text_open(&text, &size);
    fputs("SELECT to_json(HasHeader)::VARCHAR FROM sniff_csv(", out);
    print_dialect(out, tb, csv);
    fputs(", all_varchar = true, ignore_errors = true)", out);
    fclose(out);
    auto_json *answer = NULL;
    enum run status = sql_json(&tb->sql, &answer, text);
    csv->header = status != RUN_DONE || json_is_true(answer);
    return status == RUN_REFUSED ? RUN_DONE : status;
}

static enum run read_header(struct table *tb, struct csv *csv) {
    tb->names = json_array();
    if (!csv->header) {
        for (size_t i = 0; i < csv->columns; i++)
            json_array_append_new(tb->names, json_sprintf("column_%zu", i + 1));
        import_note(tb->im,
                    "The file has no header line; its columns are named column_1 to "
                    "column_%zu.",
                    csv->columns);
        return table_name_columns(tb, "line 1");
    }
    auto_free char *text = NULL;
    size_t size;
    FILE *out = sql_text_open(&text, &size);
    fputs("SELECT to_json([", out);
    sql_text_columns(out, 0, csv->columns, "c#");
    fputs("])::VARCHAR FROM ", out);
    print_reader(out, tb, csv, false);
    fputs(", ignore_errors = true) LIMIT 1", out);
    fclose(out);
    json_decref(tb->names);
    tb->names = NULL;
    TRY(sql_json(&tb->sql, &tb->names, text));
    if (!json_is_array(tb->names))
        return refuse_line(tb->im, tb->in, 1, REFUSE_INVALID_DATA,
                           "the header cannot be read; it must stand in one line");
    return table_name_columns(tb, "line 1");
}

/* Lines the reader put aside; the first one is the reason to refuse the file. */
static enum run check_rejects(struct table *tb) {
    auto_json *first = NULL;
    TRY(sql_json(&tb->sql, &first,
                 "SELECT to_json(min_by({'line': line, 'why': error_message}, line))::VARCHAR "
                 "FROM reject_errors"));
    if (!json_is_object(first))
        return RUN_DONE;
    int64_t line = json_integer_value(json_object_get(first, "line"));
    const char *why = json_string_value(json_object_get(first, "why"));
    int expected, found;
    bool counted =
        why && sscanf(why, "Expected Number of Columns: %d Found: %d", &expected, &found) == 2;
    if (counted && found > expected) /* the reader stops counting at one too many */
        return refuse_line(tb->im, tb->in, line, REFUSE_INVALID_DATA,
                           "the line has more fields than the first line, which has %d", expected);
    if (counted)
        return refuse_line(tb->im, tb->in, line, REFUSE_INVALID_DATA,
                           "the line has %d fields, the first line has %d", found, expected);
    return refuse_line(tb->im, tb->in, line, REFUSE_INVALID_DATA, "the line cannot be read: %.*s",
                       why ? (int)strcspn(why, "\n") : 0, why ? why : "");
}

static enum run load_csv_rows(struct table *tb, const struct csv *csv) {
    auto_free char *text = NULL;
    size_t size;
    TRY(sql_run(&tb->sql, PRESENT));
    FILE *out = sql_text_open(&text, &size);
    fputs("CREATE TABLE raw AS SELECT ", out);
    sql_text_columns(out, 0, csv->columns, "present(c#) AS c#");
    fputs(" FROM ", out);
    print_reader(out, tb, csv, csv->header);
    fputs(", store_rejects = true, rejects_limit = 1)", out);
    fclose(out);
    sql_phase(&tb->sql, 0.1, 0.4, "reading rows");
    TRY(sql_run(&tb->sql, text));
    return check_rejects(tb);
}

static enum run read_csv(struct table *tb, struct csv *csv) {
    TRY(lines_check(tb->im, tb->in, NULL, &csv->lines));
    TRY(choose_delimiter(tb, csv));
    TRY(sniff_header(tb, csv));
    TRY(read_header(tb, csv));
    return load_csv_rows(tb, csv);
}

static enum run load_csv(struct table *tb) {
    struct csv csv = {0};
    tb->untyped = true;
    enum run status = read_csv(tb, &csv);
    lines_done(&csv.lines);
    return status;
}

/* DuckDB's names of types, by how they begin. */
static const struct {
    const char *begins;
    enum column_type type;
} SOURCE_TYPES[] = {
    {"BOOLEAN", COLUMN_BOOLEAN},     {"TINYINT", COLUMN_NUMERIC},   {"SMALLINT", COLUMN_NUMERIC},
    {"INTEGER", COLUMN_NUMERIC},     {"BIGINT", COLUMN_NUMERIC},    {"HUGEINT", COLUMN_NUMERIC},
    {"UTINYINT", COLUMN_NUMERIC},    {"USMALLINT", COLUMN_NUMERIC}, {"UINTEGER", COLUMN_NUMERIC},
    {"UBIGINT", COLUMN_NUMERIC},     {"UHUGEINT", COLUMN_NUMERIC},  {"FLOAT", COLUMN_NUMERIC},
    {"DOUBLE", COLUMN_NUMERIC},      {"DECIMAL", COLUMN_NUMERIC},   {"DATE", COLUMN_TIMESTAMP},
    {"TIMESTAMP", COLUMN_TIMESTAMP}, {"TIME", COLUMN_TEXT},         {"INTERVAL", COLUMN_TEXT},
    {"VARCHAR", COLUMN_TEXT},        {"UUID", COLUMN_TEXT},         {"ENUM", COLUMN_TEXT},
    {"JSON", COLUMN_TEXT},
};

static enum run column_type_of(struct table *tb, struct column *column, const char *type) {
    size_t count = sizeof SOURCE_TYPES / sizeof *SOURCE_TYPES, i = 0;
    while (i < count && strncmp(SOURCE_TYPES[i].begins, type, strlen(SOURCE_TYPES[i].begins)) != 0)
        i++;
    if (i == count || strchr(type, '['))
        return refuse_input(tb->im, REFUSE_UNSUPPORTED, tb->in, NULL,
                            "the column \"%s\" holds %s values; only plain values can be columns",
                            column->name, strchr(type, '[') ? "list" : type);
    column->type = SOURCE_TYPES[i].type;
    return RUN_DONE;
}

/* A JSON column is what DuckDB makes of values that have no type in common. */
static enum run check_json_column(struct table *tb, size_t index) {
    auto_json *values = NULL;
    TRY(sql_jsonf(&tb->sql, &values,
                  "SELECT to_json(count(nullif(c%zu::VARCHAR, 'null')))::VARCHAR FROM raw", index));
    if (json_integer_value(values) > 0)
        return refuse_input(tb->im, REFUSE_INVALID_DATA, tb->in, NULL,
                            "the column \"%s\" holds values of different kinds",
                            tb->columns[index].name);
    return sql_runf(&tb->sql, "UPDATE raw SET c%zu = NULL", index);
}

/* Column names and types of a reader that has both, without loading anything. */
static enum run describe_source(struct table *tb, const char *reader, json_t **ret_types) {
    TRY(sql_jsonf(&tb->sql, &tb->names,
                  "SELECT to_json(list(column_name))::VARCHAR FROM (DESCRIBE SELECT * FROM %s)",
                  reader));
    TRY(table_name_columns(tb, NULL));
    TRY(sql_jsonf(&tb->sql, ret_types,
                  "SELECT to_json(list(column_type))::VARCHAR FROM (DESCRIBE SELECT * FROM %s)",
                  reader));
    for (size_t i = 0; i < tb->count; i++)
        TRY(column_type_of(tb, &tb->columns[i], json_string_value(json_array_get(*ret_types, i))));
    return RUN_DONE;
}

static enum run load_typed(struct table *tb, const char *reader) {
    auto_json *types = NULL;
    TRY(describe_source(tb, reader, &types));
    auto_free char *text = NULL;
    size_t size;
    FILE *out = sql_text_open(&text, &size);
    fprintf(out, "CREATE TABLE raw AS SELECT * FROM %s AS source(", reader);
    sql_text_columns(out, 0, tb->count, "c#");
    fputs(")", out);
    fclose(out);
    sql_phase(&tb->sql, 0.1, 0.4, "reading rows");
    TRY(sql_run(&tb->sql, text));
    for (size_t i = 0; i < tb->count; i++)
        if (strcmp(json_string_value(json_array_get(types, i)), "JSON") == 0)
            TRY(check_json_column(tb, i));
    return RUN_DONE;
}

static enum run load_jsonl(struct table *tb) {
    struct lines auto_lines lines = {0};
    TRY(lines_check(tb->im, tb->in, jsonl_check, &lines));
    char reader[512];
    snprintf(reader, sizeof reader,
             "read_json('%s', format = 'newline_delimited', records = 'true', sample_size = -1, "
             "map_inference_threshold = -1, maximum_object_size = %d, compression = '%s')",
             tb->in->path, LINE_BYTES_MAX, lines.gzipped ? "gzip" : "uncompressed");
    return load_typed(tb, reader);
}

/* The footer tells the number of rows, which costs a hostile file nothing to make huge. */
static enum run load_parquet(struct table *tb) {
    auto_json *rows = NULL;
    TRY(sql_jsonf(&tb->sql, &rows,
                  "SELECT to_json(sum(num_rows)::BIGINT)::VARCHAR FROM parquet_file_metadata('%s')",
                  tb->in->path));
    if (json_integer_value(rows) < 0 || json_integer_value(rows) > DATA_ROWS_MAX)
        return refuse_input(tb->im, REFUSE_TOO_LARGE, tb->in, NULL,
                            "the table announces %lld rows, more than %d",
                            (long long)json_integer_value(rows), DATA_ROWS_MAX);
    char reader[512];
    snprintf(reader, sizeof reader, "read_parquet('%s', hive_partitioning = false)", tb->in->path);
    return load_typed(tb, reader);
}

enum run source_load(struct table *tb) {
    if (tb->im->format == FORMAT_PARQUET)
        return load_parquet(tb);
    return tb->im->format == FORMAT_JSONL ? load_jsonl(tb) : load_csv(tb);
}
