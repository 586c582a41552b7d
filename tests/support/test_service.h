/* The whole server without its socket: every domain over a database of its own, keys and blobs in a
 * directory that is removed at the end. For tests/api. */
#pragma once

#include "app.h"
#include "tests/support/database.h"
#include "tests/support/test_http.h"

struct test_service {
    struct test_db *db;
    struct app *app;
    struct arena *arena; /* of replies; reset it between tests if they are many */
    struct config config;
    char dir[64];
};
/* Group set-up and tear-down of cmocka: *state is the struct test_service. */
int test_service_setup(void **state);
int test_service_teardown(void **state);

/* A person of the team acting in it. */
struct principal test_person(const struct test_team *team, enum role role);
