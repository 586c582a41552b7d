/* Teams that ask at the same time get equal shares of the processors.
 *
 * Each team has an account of processor time. It is filled at the rate of the team's share: all
 * processors divided by the teams that asked for anything within the last second, and half of that
 * while one of the others owes nothing: who asks little should find a processor free, not only its
 * turn. What a request cost is taken out when it ends; what it will probably cost (the running mean
 * of the team's requests) already when it starts, so that a hundred at once do not all start on the
 * same credit.
 * A team in debt waits before its next request, and before the next piece of an upload. A team that
 * is alone owes nothing: no processor is kept idle for somebody who might come.
 *
 * Cost is the thread's processor time plus the time PostgreSQL worked for it; a commit's wait for
 * the disk is not in it. Debts are forgiven beyond DEBT_MAX_US, so one long search delays its team
 * by a bearable time, and at most WAITING_MAX requests of a team wait: more are refused. */
#include "http/internal.h"

#include "base/clock.h"

#include <string.h>
#include <time.h>

#define ACCOUNTS 64 /* teams that may be busy at once; those beyond share nothing, but pass */
#define BUSY_US 1000000
#define CREDIT_MAX_US 20000
#define DEBT_MAX_US 300000
#define WAITING_MAX 16
#define NAP_US 20000 /* a waiter looks again: another team may have gone */

struct account {
    char team[ID_SIZE];
    int64_t balance_us, mean_us; /* the latter of a request's cost */
    int64_t filled_at_us, asked_at_us;
    int waiting, running; /* a slow download may run long without keeping its team busy */
};

struct fairness {
    pthread_mutex_t lock; /* everything below */
    int processors;
    struct account accounts[ACCOUNTS];
};

struct fairness *fairness_new(int processors) {
    struct fairness *f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    pthread_mutex_init(&f->lock, NULL);
    f->processors = processors > 0 ? processors : 1;
    return f;
}

void fairness_free(struct fairness *f) {
    if (!f)
        return;
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static bool is_busy(const struct account *a, int64_t now_us) {
    return a->team[0] && (a->waiting > 0 || now_us - a->asked_at_us < BUSY_US);
}

/* The team's account, or that of a team which has gone quiet, made new; NULL when all are busy. */
static struct account *account_of(struct fairness *f, const char *team, int64_t now_us) {
    struct account *quiet = NULL;
    for (size_t i = 0; i < ACCOUNTS; i++) {
        struct account *a = &f->accounts[i];
        if (strcmp(a->team, team) == 0)
            return a;
        if (!is_busy(a, now_us) && a->running == 0)
            quiet = a;
    }
    if (quiet) {
        *quiet = (struct account){.filled_at_us = now_us, .balance_us = CREDIT_MAX_US};
        snprintf(quiet->team, sizeof(quiet->team), "%s", team);
    }
    return quiet;
}

/* How many teams ask, and whether one of the others owes nothing. */
static int busy_teams(const struct fairness *f, const struct account *self, int64_t now_us,
                      bool *ret_light) {
    int count = 0;
    *ret_light = false;
    for (size_t i = 0; i < ACCOUNTS; i++) {
        const struct account *a = &f->accounts[i];
        if (!is_busy(a, now_us))
            continue;
        count++;
        *ret_light |= a != self && a->balance_us >= 0;
    }
    return count;
}

/* Credits the time since it was last filled; a team that is alone owes nothing. */
static void fill(struct fairness *f, struct account *a, int64_t now_us) {
    bool light;
    int teams = busy_teams(f, a, now_us, &light);
    int64_t income_us = (now_us - a->filled_at_us) * f->processors / (teams > 0 ? teams : 1);
    if (light)
        income_us /= 2;
    a->filled_at_us = now_us;
    if (teams < 2 || a->balance_us + income_us > CREDIT_MAX_US)
        a->balance_us = CREDIT_MAX_US;
    else
        a->balance_us += income_us;
}

static void nap(struct fairness *f) {
    pthread_mutex_unlock(&f->lock);
    nanosleep(&(struct timespec){.tv_nsec = NAP_US * 1000L}, NULL);
    pthread_mutex_lock(&f->lock);
}

/* Returns with the account out of debt. */
static void wait_for_credit(struct fairness *f, struct account *a) {
    a->waiting++;
    for (fill(f, a, clock_mono_us()); a->balance_us < 0; fill(f, a, clock_mono_us()))
        nap(f);
    a->waiting--;
}

bool fairness_enter(struct fairness *f, const char *team) {
    scope_lock(&f->lock);
    int64_t now_us = clock_mono_us();
    struct account *a = account_of(f, team, now_us);
    if (!a)
        return true;
    a->asked_at_us = now_us;
    if (a->waiting >= WAITING_MAX)
        return false;
    wait_for_credit(f, a);
    a->running++;
    a->balance_us -= a->mean_us;
    return true;
}

static void pay(struct account *a, int64_t cost_us) {
    a->balance_us -= cost_us;
    if (a->balance_us < -DEBT_MAX_US)
        a->balance_us = -DEBT_MAX_US;
}

void fairness_pace(struct fairness *f, const char *team, int64_t cost_us) {
    scope_lock(&f->lock);
    struct account *a = account_of(f, team, clock_mono_us());
    if (!a)
        return;
    a->asked_at_us = clock_mono_us();
    pay(a, cost_us);
    wait_for_credit(f, a);
}

void fairness_leave(struct fairness *f, const char *team, int64_t cost_us) {
    scope_lock(&f->lock);
    struct account *a = account_of(f, team, clock_mono_us());
    if (!a || a->running == 0)
        return; /* it came when every account was taken */
    a->running--;
    pay(a, cost_us - a->mean_us);
    a->mean_us += (cost_us - a->mean_us) / 8;
}
