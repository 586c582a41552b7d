/* What the files of db/ share: pooled connections and the translation of PostgreSQL's errors. */
#pragma once

#include "db/db.h"

#include <libpq-fe.h>

/* A connection of the pool. While borrowed it belongs to one thread. In pipeline mode always. */
struct pooled {
    PGconn *pg;
    struct pooled *next;                 /* in the pool's idle list */
    const struct db_stmt **prepared;     /* open addressing by pointer; NULL = free */
    size_t prepared_cap, prepared_count; /* cap is a power of two */
};

/* Waits for a free connection, at most the pool's wait_ms and until deadline_us (0 = none). */
MUST_USE enum err pool_borrow(struct db_pool *pool, int64_t deadline_us, struct pooled **ret,
                              struct err_info *err);
/* Closes it instead when it is broken or still inside a transaction. */
void pool_return(struct db_pool *pool, struct pooled *c);

/* A connection with the server's settings of ours; NULL and *err when it could not be made. */
PGconn *pg_connect(const char *url, const char *settings, struct err_info *err);

bool pooled_has_prepared(const struct pooled *c, const struct db_stmt *st);
void pooled_add_prepared(struct pooled *c, const struct db_stmt *st);

/* The statement that a text composed at run time is prepared as; NULL = it has not come often.
 * Lives as long as the process. */
const struct db_stmt *kept_statement(const char *text, int param_count);

/* The next result of the pipeline, waiting at most DB_REPLY_LIMIT_MS. NULL with *ret_lost set when
 * the connection died or stayed silent; NULL otherwise ends one command's results. */
#define DB_REPLY_LIMIT_MS 12000 /* above the statement_timeout of 10 s: PostgreSQL speaks first */
PGresult *pooled_result(struct pooled *c, bool *ret_lost);

/* Fills *err from a failed result: constraint names first, then the SQLSTATE table. */
enum err result_to_err(const PGresult *result, const char *statement, struct err_info *err);
enum err connection_to_err(const PGconn *pg, struct err_info *err);

static inline void cleanup_result_(PGresult **result) {
    PQclear(*result);
}
#define auto_result __attribute__((cleanup(cleanup_result_))) PGresult
