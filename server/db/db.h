/* PostgreSQL for the rest of the server; the only folder that includes libpq-fe.h.
 *
 * Transactions. A ctx opens one transaction at its first statement and the dispatcher commits it
 * before the reply is sent (or rolls it back when the handler failed): one request, one
 * transaction, and what is acknowledged is committed. Code that must not hold a transaction while
 * it waits (streaming, long polls) calls db_commit() and simply goes on: the next statement opens a
 * new one.
 *
 * Row-level security. Every statement runs with app.team set (transaction-local) to
 * cx->who.team_id and app.system = on for PRINCIPAL_WORKER and PRINCIPAL_SYSTEM alone: when cx->who
 * changes within a transaction (signing in), the wall moves with it before the next statement. A
 * second wall inside the team's (app.subject, app.token) hides projects from those who have no role
 * in them: migrations/0010_permissions.sql. A
 * worker call narrows itself to the job's team with db_act_as_team(). COPY cannot write into tables
 * with row-level security; bulk inserts take arrays: insert … select … from unnest($1::bigint[],
 * …).
 *
 * Statements are `struct db_stmt`, generated at build time from each folder's .sql files:
 *     -- name: run_get :one
 *     select … where id = $1::uuid and team_id = $2::uuid;
 * gives SQL_run_get in "sql/<folder>.h". Parameters are text (NULL = SQL null); make numbers with
 * db_int(), db_real(), db_time(). Rows go through a shape: each column is decoded into the field of
 * its name; a column without a field is a bug, ERR_INTERNAL.
 *
 * Retries: never automatic. A failed COMMIT is ERR_UNAVAILABLE with "the outcome is unknown": the
 * client repeats with the same idempotency key. */
#pragma once

#include "base/err.h"
#include "base/field.h"
#include "ctx.h"

enum db_cardinality { DB_ONE, DB_OPT, DB_MANY, DB_EXEC };

struct db_stmt {
    const char *name; /* unique; also the prepared statement's name */
    const char *sql;
    enum db_cardinality cardinality;
    int param_count;
};

struct db_pool_options {
    const char *url;
    int size;    /* connections at most */
    int wait_ms; /* how long a request waits for one before 503 */
};

/* Connects once, so that a wrong URL is found at start; refuses a role that bypasses row-level
 * security. ERR_UNAVAILABLE when PostgreSQL is not there (yet). */
MUST_USE enum err db_pool_new(const struct db_pool_options *options, struct db_pool **ret,
                              struct err_info *err);
void db_pool_free(struct db_pool *pool); /* after every ctx is done; NULL is fine */
bool db_pool_is_alive(struct db_pool *pool, int timeout_ms); /* for /readyz */
/* Connections there are, and how many of them are lent; for /metrics. */
void db_pool_count(struct db_pool *pool, int *ret_open, int *ret_lent);

/* Parameters: ARGS(cx->who.team_id, db_int(cx, 5), NULL) */
#define ARGS(...) ((const char *const[]){__VA_ARGS__})
#define NO_ARGS NULL

const char *db_int(struct ctx *cx, int64_t value); /* FIELD_NO_INT gives NULL */
const char *db_real(struct ctx *cx, double value);
const char *db_bool(bool value);
const char *db_time(struct ctx *cx, int64_t at_us);       /* 0 gives NULL */
const char *db_json(struct ctx *cx, const json_t *value); /* NULL gives NULL */
const char *db_text_array(struct ctx *cx, const char *const *items, size_t count); /* text[] */
const char *db_int_array(struct ctx *cx, const int64_t *items, size_t count);      /* bigint[] */
const char *db_real_array(struct ctx *cx, const double *items, size_t count);      /* float8[] */
struct db_bytes {
    const void *data;
    size_t size;
};
const char *db_bytes_array(struct ctx *cx, const struct db_bytes *items,
                           size_t count); /* bytea[] */
/* A column of type bytea, read into a text field, as its bytes. */
MUST_USE enum err db_bytes(struct ctx *cx, const char *text, struct db_bytes *ret);

/* Exactly one row, else ERR_NOT_FOUND (message "no such object": callers give a better one by
 * using db_opt when the object's name matters). ret is a struct of the shape. Each of these asserts
 * that the statement was declared with its cardinality; db_one also takes :opt. */
MUST_USE enum err db_one(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                         const struct shape *shape, void *ret);
/* None or one row. */
MUST_USE enum err db_opt(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                         const struct shape *shape, void *ret, bool *ret_found);
/* All rows, as an array in the arena. */
MUST_USE enum err db_many(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                          const struct shape *shape, struct list *ret);
/* No rows wanted; ret_rows (may be NULL) = rows changed. */
MUST_USE enum err db_exec(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                          int64_t *ret_rows);
/* One value of one row (:one or :opt) as text in the arena; NULL when there is none or it is null.
 */
MUST_USE enum err db_value(struct ctx *cx, const struct db_stmt *st, const char *const *args,
                           const char **ret);
/* Statements composed at run time: list filters only, from a table of permitted columns, values as
 * parameters. Texts that come again are prepared (kept.c). */
MUST_USE enum err db_many_dynamic(struct ctx *cx, const char *sql, const char *const *args,
                                  int arg_count, const struct shape *shape, struct list *ret);
/* The same behind a statement whose rows nobody wants, in one round trip: settings of the
 * transaction that planning depends on. */
MUST_USE enum err db_many_dynamic_after(struct ctx *cx, const struct db_stmt *first,
                                        const char *const *first_args, const char *sql,
                                        const char *const *args, int arg_count,
                                        const struct shape *shape, struct list *ret);

MUST_USE enum err db_commit(struct ctx *cx); /* also gives the connection back to the pool */
void db_rollback(struct ctx *cx);            /* likewise; fine when nothing is open */

/* Workers and the system only: leaves system mode for one team's; NULL goes back (reaper loops). */
MUST_USE enum err db_act_as_team(struct ctx *cx, const char *team_id);

/* Runs fn in a savepoint: its failure undoes its own work only, and is returned. */
MUST_USE enum err db_savepoint(struct ctx *cx, enum err (*fn)(struct ctx *cx, void *arg),
                               void *arg);

/* Constraint names choose the sentence a client reads. A domain registers its table once. */
struct db_constraint {
    const char *constraint; /* "datasets_name_unique" */
    enum err code;
    const char *field;
    const char *message;
};
void db_register_constraints(const struct db_constraint *table, size_t count);

/* Tests only: calls fn at each use of a statement; NULL stops. */
void db_observe(void (*fn)(const struct db_stmt *st));

/* Every generated statement of every folder, for the test that prepares them all and the one that
 * demands that each was run. */
extern const struct db_stmt *const DB_ALL_STATEMENTS[];
extern const size_t DB_ALL_STATEMENT_COUNT;

/* Migrations: embedded, forward only, one transaction each, under an advisory lock. */
struct db_migration {
    int number;
    const char *name;
    const char *sql;
};
extern const struct db_migration DB_MIGRATIONS[];
extern const size_t DB_MIGRATION_COUNT;
MUST_USE enum err db_migrate(const char *owner_url, int *ret_applied, struct err_info *err);
MUST_USE enum err db_migrate_list(const char *owner_url, const struct db_migration *migrations,
                                  size_t count, int *ret_applied, struct err_info *err);
/* Whether every embedded migration has been applied: a server does not start on an older schema. */
MUST_USE enum err db_require_schema(struct db_pool *pool, struct err_info *err);
