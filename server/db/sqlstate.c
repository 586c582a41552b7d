/* PostgreSQL's errors → ours, once for the whole server.
 *
 * A constraint that a domain registered chooses the code and the sentence. Otherwise the SQLSTATE
 * does, by the longest row of the table that begins it. PostgreSQL's own text goes to the log
 * only: it may quote values. */

#include "db/internal.h"

#include <assert.h>
#include <string.h>

#define MAX_CONSTRAINT_TABLES 32

static struct {
    const struct db_constraint *table;
    size_t count;
} registered[MAX_CONSTRAINT_TABLES];
static size_t registered_count;

/* At start, before there are threads; registering a table again does nothing. */
void db_register_constraints(const struct db_constraint *table, size_t count) {
    for (size_t i = 0; i < registered_count; i++)
        if (registered[i].table == table)
            return;
    assert(registered_count < MAX_CONSTRAINT_TABLES);
    registered[registered_count].table = table;
    registered[registered_count++].count = count;
}

static const struct db_constraint *constraint_find(const char *name) {
    for (size_t i = 0; name && i < registered_count; i++)
        for (size_t k = 0; k < registered[i].count; k++)
            if (strcmp(registered[i].table[k].constraint, name) == 0)
                return &registered[i].table[k];
    return NULL;
}

static const struct {
    const char *prefix;
    enum err code;
    int retry_after_s;
    const char *message;
} SQLSTATES[] = {
    {"23505", ERR_CONFLICT, 0, "it already exists"},
    {"23503", ERR_CONFLICT, 0, "it refers to an object that does not exist, or is still in use"},
    {"23514", ERR_INVALID, 0, "a value is not allowed"},
    {"22", ERR_INVALID, 0, "a value has the wrong form"},
    {"40001", ERR_UNAVAILABLE, 1, "another change came first; try again"},
    {"40P01", ERR_UNAVAILABLE, 1, "another change came first; try again"},
    {"55P03", ERR_UNAVAILABLE, 1, "another change holds the object; try again"},
    {"57014", ERR_TIMEOUT, 0, "the database took too long"},
    {"25P03", ERR_TIMEOUT, 0, "the transaction was idle for too long"},
    {"0A000", ERR_UNAVAILABLE, 1, "the database is being upgraded; try again"},
    {"53100", ERR_UNAVAILABLE, 30, "the database's disk is full"},
    {"53", ERR_UNAVAILABLE, 5, "the database has no room or connection left"},
    {"57P", ERR_UNAVAILABLE, 2, "the database is restarting"},
    {"08", ERR_UNAVAILABLE, 2, "the database could not be reached"},
};

enum err result_to_err(const PGresult *result, const char *statement, struct err_info *err) {
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *name = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const struct db_constraint *constraint = constraint_find(name);
    err_set(err, ERR_INTERNAL, NULL, "the database refused a statement");
    for (size_t i = 0; state && i < sizeof(SQLSTATES) / sizeof(SQLSTATES[0]); i++) {
        if (strncmp(state, SQLSTATES[i].prefix, strlen(SQLSTATES[i].prefix)) != 0)
            continue;
        err_set(err, SQLSTATES[i].code, NULL, "%s", SQLSTATES[i].message);
        err->retry_after_s = SQLSTATES[i].retry_after_s;
        break;
    }
    if (constraint)
        err_set(err, constraint->code, constraint->field, "%s", constraint->message);
    snprintf(err->detail, sizeof(err->detail), "%s: %s: %s%s%s", statement, state ? state : "-",
             text ? text : "no message", name ? ", constraint " : "", name ? name : "");
    return err->code;
}

enum err connection_to_err(const PGconn *pg, struct err_info *err) {
    err_set(err, ERR_UNAVAILABLE, NULL, "the database could not be reached");
    err->retry_after_s = 2;
    snprintf(err->detail, sizeof(err->detail), "%s", pg ? PQerrorMessage(pg) : "out of memory");
    return ERR_UNAVAILABLE;
}
