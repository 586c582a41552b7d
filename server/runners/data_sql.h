/* data_sql.h: DuckDB as the data runner uses it: one database in memory, locked in.
 *
 * After sql_open the database can read the one input file and spill into one folder, and nothing
 * else: no other file, no network, no extension, no change of these settings. Statements run while
 * this thread watches for SIGTERM and reports progress. */
#ifndef SLIPWAY_RUNNERS_DATA_SQL_H
#define SLIPWAY_RUNNERS_DATA_SQL_H

#include "runners/data.h"

#include <duckdb.h>

struct sql {
    struct import *im;
    const struct runner_input *in;
    duckdb_database database;
    duckdb_connection connection;
    double from, to;     /* the part of the whole import that the next statements are */
    const char *message; /* shown with the progress */
};

#define auto_sql __attribute__((cleanup(sql_close)))

MUST_USE enum run sql_open(struct import *im, const struct runner_input *in, struct sql *ret);
void sql_close(struct sql *sql);

/* Names the work that follows, for the progress. */
void sql_phase(struct sql *sql, double from, double to, const char *message);

/* Failures of the statement are refusals of the file, except where memory or disk ended. */
MUST_USE enum run sql_run(struct sql *sql, const char *statement);
MUST_USE enum run sql_runf(struct sql *sql, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs a query of one cell of JSON text; *ret is owned, JSON null when there is no row. */
MUST_USE enum run sql_json(struct sql *sql, json_t **ret, const char *query);
MUST_USE enum run sql_jsonf(struct sql *sql, json_t **ret, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Up to a few thousand values of a column, in row order. */
struct sql_values {
    size_t count;
    const void *data;   /* int32_t or double, as the query's column is */
    uint64_t *validity; /* NULL when none is null */
};

typedef enum run (*values_fn)(struct sql *sql, const struct sql_values *values, void *arg);

/* Streams the first column of a query. */
MUST_USE enum run sql_values(struct sql *sql, const char *query, values_fn each, void *arg);

static inline bool sql_is_null(const struct sql_values *v, size_t i) {
    return v->validity && !(v->validity[i / 64] >> (i % 64) & 1);
}

#endif
