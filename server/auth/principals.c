/* The five-second memory of principals; see principals.h.
 *
 * A fixed table, each key has two places: bounded memory, no lists to walk, and a flood of unknown
 * tokens can only push others out (who are then asked for again). */

#include "auth/principals.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PLACES = 1024, LIFETIME_US = 5000000 };

struct entry {
    char key[PRINCIPAL_KEY_SIZE]; /* empty = free */
    int64_t asked_at;
    struct principal who;
};

struct principals {
    pthread_mutex_t lock;
    struct entry entries[PLACES]; /* under lock */
};

struct principals *principals_new(void) {
    struct principals *p = calloc(1, sizeof(*p));
    if (!p)
        abort();
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void principals_free(struct principals *p) {
    if (!p)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static size_t place_of(const char *key) {
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (const char *c = key; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return (size_t)(hash % (PLACES / 2)) * 2;
}

static bool is_fresh(const struct entry *e) {
    return e->key[0] && clock_mono_us() - e->asked_at < LIFETIME_US;
}

bool principals_find(struct principals *p, const char *key, struct principal *ret) {
    scope_lock(&p->lock);
    struct entry *pair = &p->entries[place_of(key)];
    for (int i = 0; i < 2; i++)
        if (is_fresh(&pair[i]) && strcmp(pair[i].key, key) == 0) {
            *ret = pair[i].who;
            return true;
        }
    return false;
}

void principals_put(struct principals *p, const char *key, int64_t asked_at,
                    const struct principal *who) {
    scope_lock(&p->lock);
    struct entry *pair = &p->entries[place_of(key)];
    bool second = strcmp(pair[0].key, key) != 0 &&
                  (strcmp(pair[1].key, key) == 0 || pair[1].asked_at < pair[0].asked_at);
    struct entry *e = &pair[second];
    memccpy(e->key, key, '\0', sizeof(e->key) - 1);
    e->asked_at = asked_at;
    e->who = *who;
}

void principals_forget(struct principals *p, const char *id) {
    scope_lock(&p->lock);
    for (size_t i = 0; i < PLACES; i++) {
        struct entry *e = &p->entries[i];
        if (strcmp(e->who.session_id, id) == 0 || strcmp(e->who.user_id, id) == 0 ||
            strcmp(e->who.team_id, id) == 0)
            e->key[0] = '\0';
    }
}
