/* Build tool: SQL files → C. It runs at build time only and is not part of slipwayd.
 *
 *   embed folder NAME OUT.h OUT.c FILE.sql…   the statements of one folder, as SQL_<name>
 *   embed index OUT.c FILE.sql…               DB_ALL_STATEMENTS over every folder's files
 *   embed migrations OUT.c FILE.sql…          DB_MIGRATIONS from NNNN_what.sql
 *
 * A statement begins at "-- name: run_get :one" and ends before the next. Whole-line comments are
 * dropped, so PostgreSQL is not sent them. A name used twice, an unknown cardinality, a gap in the
 * parameters and a second statement in a block are refused with file and line. */

#include "base/buf.h"
#include "base/cleanup.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#define MAX_STATEMENTS 2000
#define MAX_PARAMS 64

struct statement {
    char name[64];
    const char *cardinality; /* "DB_ONE" */
    struct buf sql;
    int param_count;
    const char *file;
    int line;
};

static struct statement statements[MAX_STATEMENTS];
static size_t statement_count;

static _Noreturn void die(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void die(const char *file, int line, const char *format, ...) {
    fprintf(stderr, "%s:%d: ", file, line);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

static const char *cardinality_of(const char *word) {
    static const char *const known[][2] = {
        {"one", "DB_ONE"}, {"opt", "DB_OPT"}, {"many", "DB_MANY"}, {"exec", "DB_EXEC"}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i][0], word) == 0)
            return known[i][1];
    return NULL;
}

static struct statement *statement_begin(const char *file, int line, const char *header) {
    char name[64], word[16], rest[2];
    if (sscanf(header, "-- name: %63[a-z0-9_] :%15[a-z] %1s", name, word, rest) != 2)
        die(file, line, "expected \"-- name: run_get :one\"");
    for (size_t i = 0; i < statement_count; i++)
        if (strcmp(statements[i].name, name) == 0)
            die(file, line, "statement \"%s\" is already at %s:%d", name, statements[i].file,
                statements[i].line);
    if (statement_count == MAX_STATEMENTS)
        die(file, line, "more than %d statements", MAX_STATEMENTS);
    struct statement *s = &statements[statement_count++];
    *s = (struct statement){.cardinality = cardinality_of(word), .file = file, .line = line};
    if (!s->cardinality)
        die(file, line, "\":%s\" is none of :one, :opt, :many, :exec", word);
    memcpy(s->name, name, sizeof(name));
    return s;
}

/* The end of a quoted stretch that starts at p ('text', "name"), or p when none does. */
static const char *skip_quoted(const char *p) {
    if (*p != '\'' && *p != '"')
        return p;
    const char *end = strchr(p + 1, *p);
    return end ? end + 1 : p + strlen(p);
}

static void count_params(struct statement *s) {
    bool used[MAX_PARAMS + 1] = {false};
    for (const char *p = s->sql.data; *p;) {
        const char *after = skip_quoted(p);
        if (after != p) {
            p = after;
            continue;
        }
        if (*p == ';')
            die(s->file, s->line, "\"%s\" holds more than one statement", s->name);
        if (*p++ != '$' || !isdigit((unsigned char)*p))
            continue;
        int n = atoi(p);
        if (n < 1 || n > MAX_PARAMS)
            die(s->file, s->line, "parameter $%d of \"%s\" is not in $1..$%d", n, s->name,
                MAX_PARAMS);
        used[n] = true;
        s->param_count = n > s->param_count ? n : s->param_count;
    }
    for (int i = 1; i <= s->param_count; i++)
        if (!used[i])
            die(s->file, s->line, "\"%s\" does not use parameter $%d", s->name, i);
}

static void statement_end(struct statement *s) {
    if (!s)
        return;
    struct buf *sql = &s->sql;
    while (sql->size && (isspace((unsigned char)sql->data[sql->size - 1])))
        sql->data[--sql->size] = '\0';
    if (sql->size && sql->data[sql->size - 1] == ';')
        sql->data[--sql->size] = '\0';
    if (sql->size == 0)
        die(s->file, s->line, "statement \"%s\" is empty", s->name);
    count_params(s);
}

static bool is_blank(const char *line) {
    return line[strspn(line, " \t\r\n")] == '\0';
}

static void read_statements(const char *path) {
    auto_file *file = fopen(path, "r");
    if (!file)
        die(path, 0, "could not be opened");
    auto_free char *line = NULL;
    size_t cap = 0;
    struct statement *current = NULL;
    for (int number = 1; getline(&line, &cap, file) > 0; number++) {
        const char *text = line + strspn(line, " \t");
        if (strncmp(text, "-- name:", 8) == 0) {
            statement_end(current);
            current = statement_begin(path, number, text);
        } else if (strncmp(text, "--", 2) == 0 || (is_blank(text) && !current)) {
            continue;
        } else if (!current) {
            die(path, number, "text before the first \"-- name:\"");
        } else if (!is_blank(text)) {
            buf_text(&current->sql, line);
        }
    }
    statement_end(current);
}

static FILE *create(const char *path) {
    FILE *out = fopen(path, "w");
    if (!out)
        die(path, 0, "could not be written");
    fputs("/* Made by server/db/embed.c; do not edit. */\n", out);
    return out;
}

/* As a C string literal, one source line a line. */
static void put_literal(FILE *out, const char *text) {
    fputs("    \"", out);
    for (; *text; text++) {
        if (*text == '\n')
            fputs(text[1] ? "\\n\"\n    \"" : "\\n", out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else if (*text == '\t' || (unsigned char)*text >= 0x80)
            fprintf(out, "\\%03o", (unsigned)(unsigned char)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void write_folder(const char *name, const char *header_path, const char *source_path) {
    auto_file *header = create(header_path);
    fputs("#pragma once\n\n#include \"db/db.h\"\n\n", header);
    auto_file *source = create(source_path);
    fprintf(source, "#include \"sql/%s.h\"\n", name);
    for (size_t i = 0; i < statement_count; i++) {
        const struct statement *s = &statements[i];
        fprintf(header, "extern const struct db_stmt SQL_%s;\n", s->name);
        fprintf(source, "\nconst struct db_stmt SQL_%s = {\"%s\",\n", s->name, s->name);
        put_literal(source, s->sql.data);
        fprintf(source, ",\n    %s, %d};\n", s->cardinality, s->param_count);
    }
}

static void write_index(const char *path) {
    auto_file *out = create(path);
    fputs("#include \"db/db.h\"\n\n", out);
    for (size_t i = 0; i < statement_count; i++)
        fprintf(out, "extern const struct db_stmt SQL_%s;\n", statements[i].name);
    fputs("\nconst struct db_stmt *const DB_ALL_STATEMENTS[] = {\n", out);
    for (size_t i = 0; i < statement_count; i++)
        fprintf(out, "    &SQL_%s,\n", statements[i].name);
    fprintf(out, "    NULL};\nconst size_t DB_ALL_STATEMENT_COUNT = %zu;\n", statement_count);
}

static void read_whole(const char *path, struct buf *ret) {
    auto_file *file = fopen(path, "r");
    if (!file)
        die(path, 0, "could not be opened");
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), file)) > 0;)
        buf_append(ret, chunk, n);
    if (!ret->size)
        die(path, 1, "is empty");
}

/* Numbers must rise but may have gaps: several people add migrations at once. */
static void write_migrations(const char *path, char **files, int count) {
    auto_file *out = create(path);
    fputs("#include \"db/db.h\"\n\nconst struct db_migration DB_MIGRATIONS[] = {\n", out);
    int last = 0;
    for (int i = 0; i < count; i++) {
        const char *slash = strrchr(files[i], '/');
        const char *name = slash ? slash + 1 : files[i];
        int number = 0, used = 0;
        sscanf(name, "%4d_%*[a-z0-9_].sql%n", &number, &used);
        if (!used || name[used] || number <= last)
            die(files[i], 1, "is not named NNNN_what.sql with a number above %04d", last);
        last = number;
        auto_buf sql = {0};
        read_whole(files[i], &sql);
        fprintf(out, "    {%d, \"%.*s\",\n", number, (int)strlen(name) - 4, name);
        put_literal(out, sql.data);
        fputs("},\n", out);
    }
    fprintf(out, "    {0}};\nconst size_t DB_MIGRATION_COUNT = %d;\n", count);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    int first = strcmp(mode, "folder") == 0 ? 5 : 3;
    if (argc < first)
        die("embed", 0, "usage: see the head of embed.c");
    if (strcmp(mode, "migrations") == 0) {
        write_migrations(argv[2], argv + first, argc - first);
        return 0;
    }
    for (int i = first; i < argc; i++)
        read_statements(argv[i]);
    if (strcmp(mode, "folder") == 0)
        write_folder(argv[2], argv[3], argv[4]);
    else if (strcmp(mode, "index") == 0)
        write_index(argv[2]);
    else
        die("embed", 0, "unknown mode \"%s\"", mode);
    return 0;
}
