/* Migrations: the embedded files, in order, each once, each in a transaction of its own.
 *
 * Whoever holds the advisory lock migrates; others wait for it. A migration that was applied is
 * never edited: its checksum is stored and compared. A schema may be newer than this binary (the
 * release before keeps running during an upgrade); it may not be older (db_require_schema). */

#include "base/digest.h"
#include "db/internal.h"

#include <string.h>

/* Any constant: the lock's name among the advisory locks of the database. */
#define MIGRATION_LOCK "select pg_advisory_lock(5317093114)"
#define MIGRATION_SETTINGS "-c timezone=UTC -c search_path=public -c lock_timeout=10s"

static enum err run_text(PGconn *pg, const char *sql, const char *what, struct err_info *err) {
    auto_result *r = PQexec(pg, sql);
    ExecStatusType status = PQresultStatus(r);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        return OK;
    enum err code =
        PQstatus(pg) == CONNECTION_OK ? result_to_err(r, what, err) : connection_to_err(pg, err);
    /* Read by whoever runs the command, not by a client: PostgreSQL's words and the line help. */
    const char *at = PQresultErrorField(r, PG_DIAG_STATEMENT_POSITION);
    const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    int line = 1;
    for (long i = 0, end = at ? strtol(at, NULL, 10) : 0; i < end - 1 && sql[i]; i++)
        line += sql[i] == '\n';
    snprintf(err->message, sizeof(err->message), "%s, line %d: %s", what, line,
             text ? text : PQerrorMessage(pg));
    return code;
}

static enum err open_ledger(PGconn *pg, struct err_info *err) {
    return run_text(pg,
                    MIGRATION_LOCK
                    ";\n"
                    "set client_min_messages = warning;\n"
                    "create table if not exists schema_migrations ("
                    " number integer primary key, name text not null, checksum text not null,"
                    " applied_at timestamptz not null default now());\n"
                    "grant select on schema_migrations to slipway_app",
                    "schema_migrations", err);
}

static PGresult *query(PGconn *pg, const char *sql, const char *const *args, int count) {
    return PQexecParams(pg, sql, count, NULL, args, NULL, NULL, 0);
}

/* Whether it was applied; an edited or a late one is refused. */
static enum err check_applied(PGconn *pg, const struct db_migration *m, const char *checksum,
                              bool *ret_applied, struct err_info *err) {
    char number[12];
    snprintf(number, sizeof(number), "%d", m->number);
    auto_result *r = query(pg,
                           "select (select checksum from schema_migrations where number = $1::int),"
                           " (select max(number) from schema_migrations) > $1::int",
                           ARGS(number), 1);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        return result_to_err(r, "schema_migrations", err);
    *ret_applied = !PQgetisnull(r, 0, 0);
    if (*ret_applied && strcmp(PQgetvalue(r, 0, 0), checksum) != 0)
        return err_set(err, ERR_CONFLICT, NULL, "migration %s was edited after it was applied",
                       m->name);
    if (!*ret_applied && strcmp(PQgetvalue(r, 0, 1), "t") == 0)
        return err_set(err, ERR_CONFLICT, NULL, "migration %s comes after a later one was applied",
                       m->name);
    return OK;
}

static enum err apply(PGconn *pg, const struct db_migration *m, const char *checksum,
                      struct err_info *err) {
    char number[12];
    snprintf(number, sizeof(number), "%d", m->number);
    TRY(run_text(pg, "begin", m->name, err));
    TRY(run_text(pg, m->sql, m->name, err));
    auto_result *r =
        query(pg, "insert into schema_migrations (number, name, checksum) values ($1::int, $2, $3)",
              ARGS(number, m->name, checksum), 3);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return result_to_err(r, m->name, err);
    return run_text(pg, "commit", m->name, err);
}

static enum err migrate(PGconn *pg, const struct db_migration *migrations, size_t count,
                        int *ret_applied, struct err_info *err) {
    TRY(open_ledger(pg, err));
    int applied_count = 0;
    for (size_t i = 0; i < count; i++) {
        char checksum[SHA256_TEXT_SIZE];
        bool applied = false;
        sha256_hex_of(migrations[i].sql, strlen(migrations[i].sql), checksum);
        TRY(check_applied(pg, &migrations[i], checksum, &applied, err));
        if (applied)
            continue;
        TRY(apply(pg, &migrations[i], checksum, err));
        applied_count++;
    }
    *ret_applied = applied_count;
    return OK;
}

enum err db_migrate_list(const char *owner_url, const struct db_migration *migrations, size_t count,
                         int *ret_applied, struct err_info *err) {
    PGconn *pg = pg_connect(owner_url, MIGRATION_SETTINGS, err);
    if (!pg)
        return err->code;
    enum err result = migrate(pg, migrations, count, ret_applied, err);
    PQfinish(pg); /* which also rolls back and gives up the lock */
    return result;
}

enum err db_migrate(const char *owner_url, int *ret_applied, struct err_info *err) {
    return db_migrate_list(owner_url, DB_MIGRATIONS, DB_MIGRATION_COUNT, ret_applied, err);
}

enum err db_require_schema(struct db_pool *pool, struct err_info *err) {
    int newest = DB_MIGRATION_COUNT ? DB_MIGRATIONS[DB_MIGRATION_COUNT - 1].number : 0;
    struct pooled *c;
    TRY(pool_borrow(pool, 0, &c, err));
    PQexitPipelineMode(c->pg);
    auto_result *r = PQexec(c->pg, "select max(number) from schema_migrations");
    bool known = PQresultStatus(r) == PGRES_TUPLES_OK;
    int have = known ? atoi(PQgetvalue(r, 0, 0)) : 0;
    PQenterPipelineMode(c->pg);
    pool_return(pool, c);
    if (have >= newest)
        return OK;
    return err_set(err, ERR_UNAVAILABLE, NULL,
                   "the schema is at migration %04d, this binary needs %04d; run slipwayd migrate",
                   have, newest);
}
