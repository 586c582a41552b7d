/* Shares of the processors: who is alone owes nothing, who shares waits for its own debts only. The
 * bounds on time are ones that a slow machine cannot break: least waits, and totals far below what
 * waiting would have cost. */
#include "http/internal.h"
#include "tests/support/cmocka_all.h"

#include "base/clock.h"

#include <pthread.h>

#define NOISY "11111111-1111-1111-1111-111111111111"
#define QUIET "22222222-2222-2222-2222-222222222222"
#define SECOND 1000000

static struct fairness *f;

static int setup(void **state) {
    (void)state;
    f = fairness_new(2);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    fairness_free(f);
    return 0;
}

static int64_t request(const char *team, int64_t cost_us) {
    int64_t before_us = clock_mono_us();
    assert_true(fairness_enter(f, team));
    fairness_leave(f, team, cost_us);
    return clock_mono_us() - before_us;
}

static void test_alone_never_waits(void **state) {
    (void)state;
    int64_t waited_us = 0;
    for (int i = 0; i < 200; i++)
        waited_us += request(NOISY, SECOND);
    assert_true(waited_us < 10 * SECOND);
}

static void test_debt_is_waited_for_when_shared(void **state) {
    (void)state;
    request(QUIET, 100);
    request(NOISY, SECOND);
    /* The debt, 300 ms at most, at one processor a team. */
    assert_true(request(NOISY, 100) > SECOND / 5);
}

static void test_the_neighbour_does_not_pay(void **state) {
    (void)state;
    int64_t waited_us = 0;
    for (int i = 0; i < 50; i++) {
        request(NOISY, i == 0 ? SECOND : 0);
        waited_us += request(QUIET, 100);
    }
    assert_true(waited_us < 5 * SECOND);
}

static void test_a_long_request_pays_as_it_goes(void **state) {
    (void)state;
    request(QUIET, 100);
    assert_true(fairness_enter(f, NOISY));
    int64_t before_us = clock_mono_us();
    fairness_pace(f, NOISY, SECOND);
    assert_true(clock_mono_us() - before_us > SECOND / 5);
    fairness_leave(f, NOISY, 0);
}

static void *enter_and_leave(void *refused) {
    if (fairness_enter(f, NOISY))
        fairness_leave(f, NOISY, SECOND);
    else
        __atomic_add_fetch((int *)refused, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

/* Each that comes through runs up a new debt, so the others are still there. */
static void test_waiting_is_bounded(void **state) {
    (void)state;
    pthread_t threads[40];
    int refused = 0;
    request(QUIET, 100);
    request(NOISY, SECOND);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, enter_and_leave, &refused), 0);
    for (size_t i = 0; i < 40; i++)
        pthread_join(threads[i], NULL);
    assert_true(refused > 0);
}

static void test_more_teams_than_accounts_pass(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        char team[ID_SIZE];
        snprintf(team, sizeof(team), "team-%d", i);
        assert_true(fairness_enter(f, team));
        fairness_leave(f, team, 10);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_alone_never_waits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_debt_is_waited_for_when_shared, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_neighbour_does_not_pay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_long_request_pays_as_it_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waiting_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_teams_than_accounts_pass, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
