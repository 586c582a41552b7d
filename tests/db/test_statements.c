/* Every statement of every folder against the migrated schema, as the application's role: it can be
 * prepared, takes the parameters that were counted, and gives columns exactly when it is read. */

#include "tests/support/database.h"

#include <libpq-fe.h>

static PGconn *connect_as_app(struct test_db *db) {
    PGconn *pg = PQconnectdb(db->app_url);
    assert_int_equal(CONNECTION_OK, PQstatus(pg));
    return pg;
}

/* "" when all is well, else what is wrong. */
static const char *fault_of(PGconn *pg, const struct db_stmt *st) {
    static char fault[1000];
    fault[0] = '\0';
    PGresult *prepared = PQprepare(pg, st->name, st->sql, 0, NULL);
    PGresult *described = PQdescribePrepared(pg, st->name);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK)
        snprintf(fault, sizeof(fault), "%s", PQresultErrorMessage(prepared));
    else if (PQnparams(described) != st->param_count)
        snprintf(fault, sizeof(fault), "takes %d parameters, %d were counted", PQnparams(described),
                 st->param_count);
    else if (st->cardinality != DB_EXEC && PQnfields(described) == 0)
        snprintf(fault, sizeof(fault), "gives no columns");
    PQclear(prepared);
    PQclear(described);
    return fault;
}

static void test_statements__all_can_be_prepared(void **state) {
    PGconn *pg = connect_as_app(*state);
    int faults = 0;
    for (size_t i = 0; i < DB_ALL_STATEMENT_COUNT; i++) {
        const char *fault = fault_of(pg, DB_ALL_STATEMENTS[i]);
        if (*fault)
            print_error("%s: %s\n", DB_ALL_STATEMENTS[i]->name, fault);
        faults += *fault != '\0';
    }
    PQfinish(pg);
    assert_int_equal(0, faults);
    assert_true(DB_ALL_STATEMENT_COUNT > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements__all_can_be_prepared),
    };
    return cmocka_run_group_tests(tests, test_db_setup, test_db_teardown);
}
