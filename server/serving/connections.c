/* connections.c: see connections.h. One lock, never held over I/O but a close(). One entry a
 * target: idle connections, counters not yet written, the last durations. A sweep that finds
 * nothing to write frees the entry, so a target that is gone leaves nothing behind. */
#include "serving/connections.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "serving/wire.h"

#include <stdlib.h>
#include <string.h>

#define IDLE_MAX 16       /* connections kept for a target */
#define DURATIONS 256     /* of the last requests, for the median */
#define RECALL_US 1000000 /* how long a name's target is believed */
#define RECALL_MAX 64

struct entry {
    struct entry *next;
    struct target target;
    int idle[IDLE_MAX];
    size_t idle_count;
    int64_t requests, errors; /* not yet written */
    int64_t durations_us[DURATIONS];
    size_t duration_count; /* ever; the ring's position is this modulo DURATIONS */
    unsigned sweep;        /* the last one that took its counters */
};

struct recalled {
    char key[256];
    struct target target;
    int64_t until_us; /* monotonic; 0 = empty */
};

struct connections {
    pthread_mutex_t lock;
    char *serve_dir;
    struct entry *entries;
    struct recalled recalled[RECALL_MAX];
    size_t next_recalled;
};

struct connections *connections_new(const char *serve_dir) {
    struct connections *c = calloc(1, sizeof(*c));
    if (!c || !(c->serve_dir = strdup(serve_dir)))
        abort();
    pthread_mutex_init(&c->lock, NULL);
    return c;
}

static void entry_free(struct entry *entry) {
    for (size_t i = 0; i < entry->idle_count; i++)
        close(entry->idle[i]);
    free(entry);
}

void connections_free(struct connections *c) {
    while (c->entries) {
        struct entry *entry = c->entries;
        c->entries = entry->next;
        entry_free(entry);
    }
    pthread_mutex_destroy(&c->lock);
    free(c->serve_dir);
    free(c);
}

/* Under the lock. The entry of the target's job, or NULL. */
static struct entry *entry_find(struct connections *c, const struct target *target) {
    struct entry *entry = c->entries;
    while (entry && strcmp(entry->target.job_id, target->job_id) != 0)
        entry = entry->next;
    return entry;
}

/* Under the lock. */
static struct entry *entry_ensure(struct connections *c, const struct target *target) {
    struct entry *entry = entry_find(c, target);
    if (entry)
        return entry;
    entry = calloc(1, sizeof(*entry));
    if (!entry)
        abort();
    entry->target = *target;
    entry->next = c->entries;
    c->entries = entry;
    return entry;
}

int connection_borrow(struct connections *c, const struct target *target, bool *ret_fresh) {
    char path[512];
    {
        scope_lock(&c->lock);
        struct entry *entry = entry_find(c, target);
        *ret_fresh = !entry || entry->idle_count == 0;
        if (!*ret_fresh)
            return entry->idle[--entry->idle_count];
    }
    snprintf(path, sizeof(path), "%s/%s.sock", c->serve_dir, target->job_id);
    return wire_connect(path);
}

void connection_return(struct connections *c, const struct target *target, int fd) {
    scope_lock(&c->lock);
    struct entry *entry = entry_ensure(c, target);
    if (entry->idle_count < IDLE_MAX)
        entry->idle[entry->idle_count++] = fd;
    else
        close(fd);
}

void target_count(struct connections *c, const struct target *target, bool failed,
                  int64_t elapsed_us) {
    scope_lock(&c->lock);
    struct entry *entry = entry_ensure(c, target);
    entry->requests++;
    entry->errors += failed;
    entry->durations_us[entry->duration_count++ % DURATIONS] = elapsed_us;
}

bool target_recall(struct connections *c, const char *key, struct target *ret) {
    scope_lock(&c->lock);
    int64_t now = clock_mono_us();
    for (size_t i = 0; i < RECALL_MAX; i++)
        if (c->recalled[i].until_us > now && strcmp(c->recalled[i].key, key) == 0) {
            *ret = c->recalled[i].target;
            return true;
        }
    return false;
}

void target_remember(struct connections *c, const char *key, const struct target *target) {
    if (strlen(key) >= sizeof(c->recalled[0].key))
        return;
    scope_lock(&c->lock);
    size_t at = c->next_recalled++ % RECALL_MAX;
    for (size_t i = 0; i < RECALL_MAX; i++)
        if (strcmp(c->recalled[i].key, key) == 0)
            at = i;
    struct recalled *recalled = &c->recalled[at];
    memcpy(recalled->key, key, strlen(key) + 1);
    recalled->target = *target;
    recalled->until_us = clock_mono_us() + RECALL_US;
}

void target_forget(struct connections *c, const struct target *target) {
    scope_lock(&c->lock);
    for (size_t i = 0; i < RECALL_MAX; i++)
        if (strcmp(c->recalled[i].target.job_id, target->job_id) == 0)
            c->recalled[i].until_us = 0;
    struct entry *entry = entry_find(c, target);
    while (entry && entry->idle_count > 0)
        close(entry->idle[--entry->idle_count]);
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t median(const struct entry *entry) {
    int64_t sorted[DURATIONS];
    size_t count = entry->duration_count < DURATIONS ? entry->duration_count : DURATIONS;
    memcpy(sorted, entry->durations_us, sizeof(sorted[0]) * count);
    qsort(sorted, count, sizeof(sorted[0]), by_size);
    return count ? sorted[count / 2] : 0;
}

bool target_sweep(struct connections *c, unsigned sweep, struct target_counts *ret) {
    scope_lock(&c->lock);
    for (struct entry **at = &c->entries; *at;) {
        struct entry *entry = *at;
        if (entry->sweep == sweep) {
            at = &entry->next;
        } else if (entry->requests > 0) {
            *ret = (struct target_counts){entry->target, entry->requests, entry->errors,
                                          median(entry)};
            entry->requests = entry->errors = 0;
            entry->sweep = sweep;
            return true;
        } else {
            *at = entry->next;
            entry_free(entry);
        }
    }
    return false;
}
