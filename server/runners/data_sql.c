/* data_sql.c: see data_sql.h. A statement is run task by task on this thread (DuckDB's own threads
 * help), which is what lets SIGTERM end it and progress be told. Answers come as one cell of JSON
 * text wherever they are small: DuckDB writes it, jansson reads it, and no code is needed between.
 */
#include "runners/data_sql.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

enum {
    SQL_TEXT_BYTES = 4096, /* of a formatted statement */
    SQL_JSON_BYTES_MAX = 64 << 20,
    MEMORY_DEFAULT_MIB = 1024,
    MEMORY_MIN_MIB = 128,
};

#define SPILL_FOLDER "outputs/spill" /* outputs/ is all that a sandboxed runner may write to */

static bool set_option(duckdb_config config, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool set_option(duckdb_config config, const char *name, const char *fmt, ...) {
    char value[PATH_MAX];
    va_list args;
    va_start(args, fmt);
    vsnprintf(value, sizeof value, fmt, args);
    va_end(args);
    return duckdb_set_config(config, name, value) == DuckDBSuccess;
}

/* Three fifths of the grant: the rest is for this program's buffers and DuckDB's own books. */
static int64_t memory_mib(const struct runner *rn) {
    int64_t mib = rn->memory_bytes > 0 ? (rn->memory_bytes >> 20) * 3 / 5 : MEMORY_DEFAULT_MIB;
    return mib < MEMORY_MIN_MIB ? MEMORY_MIN_MIB : mib;
}

static bool set_options(struct sql *sql, duckdb_config config) {
    const struct runner *rn = sql->im->rn;
    return set_option(config, "threads", "%d", rn->threads) &&
           set_option(config, "memory_limit", "%lldMiB", (long long)memory_mib(rn)) &&
           set_option(config, "temp_directory", SPILL_FOLDER) &&
           set_option(config, "max_temp_directory_size", "16GiB") &&
           set_option(config, "autoinstall_known_extensions", "false") &&
           set_option(config, "autoload_known_extensions", "false") &&
           set_option(config, "preserve_insertion_order", "true");
}

static enum run open_database(struct sql *sql) {
    duckdb_config config = NULL;
    char *error = NULL;
    bool done = duckdb_create_config(&config) == DuckDBSuccess && set_options(sql, config) &&
                duckdb_open_ext(NULL, &sql->database, config, &error) == DuckDBSuccess &&
                duckdb_connect(sql->database, &sql->connection) == DuckDBSuccess;
    enum run status = done ? RUN_DONE
                           : crash(sql->im->rn, "could not start DuckDB: %s",
                                   error ? error : "an option was refused");
    duckdb_destroy_config(&config);
    duckdb_free(error);
    return status;
}

/* Order matters: what may be read is named first, then everything else is shut, then the locks. */
static enum run lock_in(struct sql *sql) {
    if (strchr(sql->in->path, '\''))
        return crash(sql->im->rn, "the input's path cannot be used");
    TRY(sql_run(sql, "SET enable_progress_bar = true"));
    TRY(sql_run(sql, "SET enable_progress_bar_print = false"));
    TRY(sql_run(sql, "SET progress_bar_time = 100"));
    TRY(sql_runf(sql, "SET allowed_paths = ['%s']", sql->in->path));
    TRY(sql_run(sql, "SET enable_external_access = false"));
    return sql_run(sql, "SET lock_configuration = true");
}

enum run sql_open(struct import *im, const struct runner_input *in, struct sql *ret) {
    *ret = (struct sql){.im = im, .in = in};
    if (mkdir(SPILL_FOLDER, 0700) != 0 && errno != EEXIST)
        return crash(im->rn, "could not create a folder to spill into: %s", strerror(errno));
    TRY(open_database(ret));
    return lock_in(ret);
}

void sql_close(struct sql *sql) {
    duckdb_disconnect(&sql->connection);
    duckdb_close(&sql->database);
    rmdir(SPILL_FOLDER); /* DuckDB has removed its files */
}

void sql_phase(struct sql *sql, double from, double to, const char *message) {
    sql->from = from;
    sql->to = to;
    sql->message = message;
}

/* The user's name of the file in place of the path it was read from. */
static void name_file(const struct sql *sql, const char *text, char *ret, size_t size) {
    const char *at = strstr(text, sql->in->path);
    if (at)
        snprintf(ret, size, "%.*s%s%s", (int)(at - text), text, sql->in->file_name,
                 at + strlen(sql->in->path));
    else
        snprintf(ret, size, "%s", text);
}

/* DuckDB's errors begin with their kind: "Out of Memory Error: …", "IO Error: …". What follows the
 * first line repeats the statement, which is no user's business. */
static enum run statement_failed(struct sql *sql, const char *error) {
    if (runner_cancelled())
        return RUN_CANCELLED;
    if (!error)
        error = "Error: no reason given";
    if (strncasecmp(error, "out of memory", 13) == 0)
        return refuse_input(sql->im, REFUSE_TOO_LARGE, sql->in, NULL,
                            "the table needs more than the %lld MiB of memory granted",
                            (long long)memory_mib(sql->im->rn));
    if (strncasecmp(error, "io error", 8) == 0 && strstr(error, SPILL_FOLDER "/"))
        return crash(sql->im->rn, "%s", error);
    const char *sentence = strstr(error, "Error: ");
    char text[512];
    name_file(sql, sentence ? sentence + 7 : error, text, sizeof text);
    if (strstr(text, "state machine"))
        snprintf(text, sizeof text, "its lines end in different ways; save it with LF or CRLF");
    return refuse_input(sql->im, REFUSE_INVALID_DATA, sql->in, NULL,
                        "the file cannot be read: %.*s", (int)strcspn(text, "\n"), text);
}

static enum run report(struct sql *sql) {
    duckdb_query_progress_type progress = duckdb_query_progress(sql->connection);
    double part = progress.percentage > 0 ? progress.percentage / 100 : 0;
    if (!sql->message)
        return RUN_DONE;
    return import_progress(sql->im, sql->from + part * (sql->to - sql->from), sql->message);
}

/* Works until the result can be fetched. */
static enum run work(struct sql *sql, duckdb_pending_result pending) {
    for (;;) {
        duckdb_pending_state state = duckdb_pending_execute_task(pending);
        if (state == DUCKDB_PENDING_ERROR)
            return statement_failed(sql, duckdb_pending_error(pending));
        if (duckdb_pending_execution_is_finished(state))
            return RUN_DONE;
        if (state == DUCKDB_PENDING_NO_TASKS_AVAILABLE)
            nanosleep(&(struct timespec){.tv_nsec = 500 * 1000}, NULL);
        enum run status = report(sql);
        if (status != RUN_DONE) {
            duckdb_interrupt(sql->connection);
            return status;
        }
    }
}

typedef enum run (*chunk_fn)(struct sql *sql, duckdb_data_chunk chunk, void *arg);

static enum run each_chunk(struct sql *sql, duckdb_result *result, chunk_fn each, void *arg) {
    duckdb_data_chunk chunk;
    while ((chunk = duckdb_fetch_chunk(*result)) != NULL) {
        enum run status = each ? each(sql, chunk, arg) : RUN_DONE;
        duckdb_destroy_data_chunk(&chunk);
        TRY(status);
    }
    const char *error = duckdb_result_error(result);
    return error ? statement_failed(sql, error) : RUN_DONE;
}

static enum run execute(struct sql *sql, const char *statement, chunk_fn each, void *arg) {
    duckdb_prepared_statement prepared = NULL;
    duckdb_pending_result pending = NULL;
    duckdb_result result = {0};
    enum run status = RUN_DONE;
    if (duckdb_prepare(sql->connection, statement, &prepared) != DuckDBSuccess)
        status = statement_failed(sql, duckdb_prepare_error(prepared));
    else if (duckdb_pending_prepared_streaming(prepared, &pending) != DuckDBSuccess)
        status = statement_failed(sql, duckdb_pending_error(pending));
    else
        status = work(sql, pending);
    if (status == RUN_DONE && duckdb_execute_pending(pending, &result) != DuckDBSuccess)
        status = statement_failed(sql, duckdb_result_error(&result));
    if (status == RUN_DONE)
        status = each_chunk(sql, &result, each, arg);
    duckdb_destroy_result(&result);
    duckdb_destroy_pending(&pending);
    duckdb_destroy_prepare(&prepared);
    return status;
}

enum run sql_run(struct sql *sql, const char *statement) {
    return execute(sql, statement, NULL, NULL);
}

enum run sql_runf(struct sql *sql, const char *fmt, ...) {
    char text[SQL_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return sql_run(sql, text);
}

static enum run take_json(struct sql *sql, duckdb_data_chunk chunk, void *arg) {
    json_t **ret = arg;
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, 0);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    if (*ret || duckdb_data_chunk_get_size(chunk) != 1)
        return crash(sql->im->rn, "a query of one cell gave more");
    if (validity && !duckdb_validity_row_is_valid(validity, 0)) {
        *ret = json_null();
        return RUN_DONE;
    }
    duckdb_string_t *cell = duckdb_vector_get_data(vector);
    size_t size = duckdb_string_t_length(*cell);
    if (size > SQL_JSON_BYTES_MAX)
        return refuse_input(sql->im, REFUSE_TOO_LARGE, sql->in, NULL,
                            "the description of the table is larger than %d MiB",
                            SQL_JSON_BYTES_MAX >> 20);
    *ret = json_loadb(duckdb_string_t_data(cell), size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    return *ret ? RUN_DONE : crash(sql->im->rn, "DuckDB's answer is not JSON");
}

enum run sql_json(struct sql *sql, json_t **ret, const char *query) {
    json_t *json = NULL;
    enum run status = execute(sql, query, take_json, &json);
    if (status == RUN_DONE)
        *ret = json ? json : json_null();
    else
        json_decref(json);
    return status;
}

enum run sql_jsonf(struct sql *sql, json_t **ret, const char *fmt, ...) {
    char text[SQL_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return sql_json(sql, ret, text);
}

struct values_call {
    values_fn each;
    void *arg;
};

static enum run take_values(struct sql *sql, duckdb_data_chunk chunk, void *arg) {
    const struct values_call *call = arg;
    duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, 0);
    struct sql_values values = {
        .count = duckdb_data_chunk_get_size(chunk),
        .data = duckdb_vector_get_data(vector),
        .validity = duckdb_vector_get_validity(vector),
    };
    return call->each(sql, &values, call->arg);
}

enum run sql_values(struct sql *sql, const char *query, values_fn each, void *arg) {
    struct values_call call = {each, arg};
    return execute(sql, query, take_values, &call);
}
