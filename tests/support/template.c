/* Makes the roles and the migrated template database that every test copies. With arguments, runs
 * them as a command afterwards:  tests/support/pg run build/dev/bin/test_template build/dev/bin/…
 */

#include "tests/support/database.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void run(PGconn *pg, const char *sql) {
    PGresult *r = PQexec(pg, sql);
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        fprintf(stderr, "%s: %s", sql, PQerrorMessage(pg));
        exit(1);
    }
    PQclear(r);
}

int main(int argc, char **argv) {
    char url[256];
    test_url("postgres", "postgres", url, sizeof(url));
    PGconn *pg = PQconnectdb(url);
    if (PQstatus(pg) != CONNECTION_OK) {
        fprintf(stderr, "%s", PQerrorMessage(pg));
        return 1;
    }
    run(pg, "do $$ begin"
            " if not exists (select from pg_roles where rolname = 'slipway_owner') then"
            " create role slipway_owner login; create role slipway_app login; end if; end $$");
    run(pg, "drop database if exists " TEST_TEMPLATE);
    run(pg, "create database " TEST_TEMPLATE " owner slipway_owner");
    PQfinish(pg);

    int applied;
    struct err_info err;
    test_url("slipway_owner", TEST_TEMPLATE, url, sizeof(url));
    if (db_migrate(url, &applied, &err) != OK) {
        fprintf(stderr, "%s (%s)\n", err.message, err.detail);
        return 1;
    }
    printf("%d migrations\n", applied);
    if (argc > 1)
        execv(argv[1], argv + 1);
    return 0;
}
