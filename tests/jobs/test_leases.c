/* Leases under pressure: races, fencing, lost workers, fairness. */

#include "tests/jobs/queue.h"

#include <pthread.h>

/* --- races --- */

enum { THREADS = 8, JOBS = 60 };

struct claimer {
    struct queue *q;
    char ids[JOBS][ID_SIZE];
    int count;
};

/* Leases and finishes until the queue is empty. */
static void *claim_all(void *arg) {
    struct claimer *c = arg;
    static const char *const kinds[] = {"test.plain"};
    for (bool found = true; found;) {
        struct list list = {(void *)(uintptr_t)kinds, 1}, inputs;
        struct job_row row;
        struct ctx cx;
        work_begin(c->q, &cx);
        enum err err = job_claim(&cx, c->q->worker_id, &list, &row, &inputs, &found);
        if (err == OK && found)
            memcpy(c->ids[c->count++], row.job.id, ID_SIZE);
        if (work_end(&cx, err) != OK)
            return (void *)1;
        if (found && finish_as(c->q, c->ids[c->count - 1], 1, OUTCOME_SUCCEEDED) != OK)
            return (void *)1;
    }
    return NULL;
}

static void test_lease__no_job_is_leased_twice(void **state) {
    struct queue *q = *state;
    static struct claimer claimers[THREADS];
    pthread_t threads[THREADS];
    int total = 0;
    for (int i = 0; i < JOBS; i++)
        job_make(q, "test.plain");
    for (int i = 0; i < THREADS; i++) {
        claimers[i].q = q;
        pthread_create(&threads[i], NULL, claim_all, &claimers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
        total += claimers[i].count;
    }
    assert_int_equal(total, JOBS);
    assert_string_equal(test_sql_value(q->d->db,
                                       "select count(*) from jobs where state = 'succeeded'"
                                       " and epoch = 1 and attempt = 1"),
                        "60");
    assert_string_equal(test_sql_value(q->d->db, "select count(*) from job_events"), "180");
}

struct finisher {
    struct queue *q;
    const char *id;
    int64_t epoch;
    enum err err;
};

static void *finish_one(void *arg) {
    struct finisher *f = arg;
    f->err = finish_as(f->q, f->id, f->epoch, OUTCOME_SUCCEEDED);
    return NULL;
}

static void test_lease__finish_sent_by_many_counts_once(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    struct finisher finishers[THREADS];
    pthread_t threads[THREADS];
    int64_t epoch = lease(q, NULL);
    for (int i = 0; i < THREADS; i++) {
        finishers[i] = (struct finisher){.q = q, .id = id, .epoch = epoch};
        pthread_create(&threads[i], NULL, finish_one, &finishers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_err(OK, finishers[i].err);
    }
    assert_string_equal(notes.text, "queued>running;running>succeeded;success completed 0;");
}

/* --- fencing --- */

static void test_lease__old_epoch_is_refused_everywhere(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t old = lease(q, NULL), next, fresh;
    bool asked;
    let_lease_run_out(q, id);
    fresh = lease(q, NULL);
    assert_int_equal(fresh, old + 1);
    assert_err(ERR_CONFLICT, heartbeat(q, id, old, &asked));
    assert_err(ERR_CONFLICT, say(q, id, old, 1, "[{\"type\":\"log\"}]", &next));
    assert_err(ERR_CONFLICT, finish_as(q, id, old, OUTCOME_SUCCEEDED));
    assert_err(ERR_CONFLICT, crash(q, id, old));
    assert_state(q, id, "running");
    assert_err(OK, finish_as(q, id, fresh, OUTCOME_SUCCEEDED));
    assert_err(ERR_CONFLICT, finish_as(q, id, old, OUTCOME_SUCCEEDED));
    assert_err(ERR_CONFLICT, heartbeat(q, id, fresh, &asked));
    assert_string_equal(job_says_column(q, id, "attempt"), "2");
}

static void test_lease__of_another_token_is_refused(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL);
    struct queue other = {.d = q->d};
    bool asked;
    other.worker = worker_principal(q->d, "token-2");
    snprintf(other.worker_id, sizeof(other.worker_id), "%s",
             worker_hello(q->d, &other.worker, "w1"));
    assert_string_not_equal(other.worker_id, q->worker_id);
    assert_err(ERR_CONFLICT, heartbeat(&other, id, epoch, &asked));
    assert_err(ERR_CONFLICT, finish_as(&other, id, epoch, OUTCOME_SUCCEEDED));
    memcpy(other.worker_id, q->worker_id, ID_SIZE); /* and under a borrowed name */
    assert_err(ERR_NOT_FOUND, finish_as(&other, id, epoch, OUTCOME_SUCCEEDED));
    assert_state(q, id, "running");
}

/* --- losing contact --- */

static void test_lease__that_ran_out_is_leasable_at_once(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted"), *again;
    assert_int_equal(lease(q, NULL), 1);
    jobs_reap(q->d->app);
    assert_state(q, id, "running"); /* the lease still holds */
    let_lease_run_out(q, id);
    assert_state(q, id, "lost_contact");
    assert_int_equal(lease(q, &again), 2);
    assert_string_equal(again, id);
    assert_string_equal(notes.text, "queued>running;running>lost_contact;lost_contact>running;");
}

static void test_lease__worker_that_comes_back_goes_on(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL);
    bool asked;
    let_lease_run_out(q, id);
    assert_err(OK, heartbeat(q, id, epoch, &asked));
    assert_state(q, id, "running");
    let_lease_run_out(q, id);
    assert_err(OK, finish_as(q, id, epoch, OUTCOME_SUCCEEDED));
    assert_state(q, id, "succeeded");
    assert_string_equal(job_says_column(q, id, "attempt"), "1");
}

static void test_lease__lost_too_often_is_a_dead_letter(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lease(q, NULL), i + 1);
        let_lease_run_out(q, id);
    }
    assert_state(q, id, "failed");
    assert_string_equal(job_says_column(q, id, "error ->> 'code'"), "worker_lost");
    assert_non_null(strstr(notes.text, "running>lost_contact;lost_contact>failed;failure failed;"));
}

/* Its reply went to a worker that had just been killed. */
static void test_lease__nobody_was_heard_of_with_counts_no_attempt(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    for (int i = 0; i < 5; i++) {
        assert_int_equal(lease_silently(q, NULL), i + 1);
        let_lease_run_out(q, id);
        assert_state(q, id, "queued");
        assert_string_equal(job_says_column(q, id, "attempt"), "0");
    }
    test_sql(q->d->db, "update jobs set epoch = 50"); /* the job kills its workers */
    lease_silently(q, NULL);
    let_lease_run_out(q, id);
    assert_state(q, id, "lost_contact");
}

static void test_lease__first_one_is_short(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    const char *left = "round(extract(epoch from lease_until - now()))";
    bool asked;
    int64_t epoch = lease_silently(q, NULL);
    assert_string_equal(job_says_column(q, id, left), "10");
    assert_err(OK, heartbeat(q, id, epoch, &asked));
    assert_string_equal(job_says_column(q, id, left), "20");
}

static void test_lease__lost_while_cancelling_is_cancelled(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    lease(q, NULL);
    send_json(q->d, 200, &q->d->editor, "POST",
              arena_printf(q->d->arena, "/api/v1/jobs/%s/cancel", id), NULL);
    let_lease_run_out(q, id);
    assert_state(q, id, "cancelled");
}

static void test_lease__heartbeat_and_reaper_agree(void **state) {
    struct queue *q = *state;
    const char *id = job_make(q, "test.noted");
    int64_t epoch = lease(q, NULL);
    bool asked;
    test_sql(q->d->db, "update jobs set lease_until = now() + interval '1 second'");
    assert_err(OK, heartbeat(q, id, epoch, &asked));
    assert_string_equal(job_says_column(q, id, "lease_until > now() + interval '19 seconds'"), "t");
    jobs_reap(q->d->app);
    assert_state(q, id, "running");
}

/* --- who comes first --- */

static void test_lease__teams_take_turns(void **state) {
    struct queue *q = *state;
    for (int i = 0; i < 4; i++)
        job_make(q, "test.plain");
    const char *theirs = job_make_for(q, &q->d->stranger, q->d->theirs.project_id, "test.plain");
    const char *leased;
    assert_int_equal(lease(q, &leased), 1);
    assert_string_not_equal(leased, theirs);
    assert_int_equal(lease(q, &leased), 1);
    assert_string_equal(leased, theirs); /* although four of ours came before */
}

static void test_lease__one_slot_goes_from_team_to_team(void **state) {
    struct queue *q = *state;
    for (int i = 0; i < 3; i++)
        job_make(q, "test.plain");
    const char *theirs = job_make_for(q, &q->d->stranger, q->d->theirs.project_id, "test.plain");
    const char *leased;
    int64_t epoch = lease(q, &leased);
    assert_string_not_equal(leased, theirs);
    assert_err(OK, finish_as(q, leased, epoch, OUTCOME_SUCCEEDED));
    lease(q, &leased); /* nothing runs: it is their turn all the same */
    assert_string_equal(leased, theirs);
}

static void test_lease__only_kinds_asked_for(void **state) {
    struct queue *q = *state;
    job_make(q, "test.noted");
    static const char *const kinds[] = {"test.plain"};
    struct list list = {(void *)(uintptr_t)kinds, 1}, inputs;
    struct job_row row;
    struct ctx cx;
    bool found = true;
    work_begin(q, &cx);
    assert_err(OK, work_end(&cx, job_claim(&cx, q->worker_id, &list, &row, &inputs, &found)));
    assert_false(found);
}

/* --- the table of states --- */

static void test_state__changes_follow_the_table(void **state) {
    (void)state;
    static const char allowed[7][8] = {
        /* to: Q R L C S F X */
        "0100001", /* queued */
        "1011111", /* running */
        "1100111", /* lost contact */
        "0000111", /* cancelling */
        "0000000", /* succeeded */
        "1000000", /* failed */
        "1000000", /* cancelled */
    };
    for (int from = 0; from < 7; from++)
        for (int to = 0; to < 7; to++)
            if (job_change_is_allowed(from, to) != (allowed[from][to] == '1'))
                fail_msg("%s to %s", JOB_STATE_NAMES[from], JOB_STATE_NAMES[to]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_lease__no_job_is_leased_twice, queue_empty),
        cmocka_unit_test_setup(test_lease__finish_sent_by_many_counts_once, queue_empty),
        cmocka_unit_test_setup(test_lease__old_epoch_is_refused_everywhere, queue_empty),
        cmocka_unit_test_setup(test_lease__of_another_token_is_refused, queue_empty),
        cmocka_unit_test_setup(test_lease__that_ran_out_is_leasable_at_once, queue_empty),
        cmocka_unit_test_setup(test_lease__worker_that_comes_back_goes_on, queue_empty),
        cmocka_unit_test_setup(test_lease__lost_too_often_is_a_dead_letter, queue_empty),
        cmocka_unit_test_setup(test_lease__nobody_was_heard_of_with_counts_no_attempt, queue_empty),
        cmocka_unit_test_setup(test_lease__first_one_is_short, queue_empty),
        cmocka_unit_test_setup(test_lease__lost_while_cancelling_is_cancelled, queue_empty),
        cmocka_unit_test_setup(test_lease__heartbeat_and_reaper_agree, queue_empty),
        cmocka_unit_test_setup(test_lease__teams_take_turns, queue_empty),
        cmocka_unit_test_setup(test_lease__one_slot_goes_from_team_to_team, queue_empty),
        cmocka_unit_test_setup(test_lease__only_kinds_asked_for, queue_empty),
        cmocka_unit_test(test_state__changes_follow_the_table),
    };
    return cmocka_run_group_tests(tests, queue_setup, queue_teardown);
}
