/* Texts composed at run time that come again. A filter's text holds no value, so the same question
 * has the same text; parsing it and weaving row-level security into it costs 0.3 ms, planning it
 * 1 to 2. One that has come KEPT_USES times is prepared from then on like a statement of the table.
 *
 * A prepared text takes 100 to 300 KB in each connection that used it and is never forgotten, so
 * there are KEPT_MAX at most: a client that asks ever new questions fills them, and from then on
 * new texts cost what they cost before. One lock, held for a look at a few hundred bytes. */
#include "db/internal.h"

#include "base/digest.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 32
#define KEPT_USES 3
#define CANDIDATES 256 /* texts that are being counted, by hash */

struct kept {
    struct db_stmt st;
    uint64_t hash;
    char name[24];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct kept
    kept[KEPT_MAX]; /* guarded by lock until count covers it; constant from then on */
static size_t kept_count;
static struct {
    uint64_t hash;
    int uses;
} candidates[CANDIDATES];

/* FNV-1a. */
static uint64_t hash_of(const char *text) {
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

static const struct db_stmt *find(uint64_t hash, const char *text) {
    for (size_t i = 0; i < kept_count; i++)
        if (kept[i].hash == hash && strcmp(kept[i].st.sql, text) == 0)
            return &kept[i].st;
    return NULL;
}

/* Counts one use; the text of another use of its place begins again. */
static bool comes_often(uint64_t hash) {
    size_t i = hash % CANDIDATES;
    if (candidates[i].hash != hash) {
        candidates[i].hash = hash;
        candidates[i].uses = 0;
    }
    return ++candidates[i].uses >= KEPT_USES;
}

static const struct db_stmt *keep(uint64_t hash, const char *text, int param_count) {
    struct kept *to = &kept[kept_count];
    char *copy = strdup(text);
    if (!copy)
        abort();
    snprintf(to->name, sizeof(to->name), "kept/%zu", kept_count);
    to->hash = hash;
    to->st = (struct db_stmt){
        .name = to->name, .sql = copy, .cardinality = DB_MANY, .param_count = param_count};
    kept_count++;
    return &to->st;
}

const struct db_stmt *kept_statement(const char *text, int param_count) {
    uint64_t hash = hash_of(text);
    pthread_mutex_lock(&lock);
    const struct db_stmt *st = find(hash, text);
    if (!st && kept_count < KEPT_MAX && comes_often(hash))
        st = keep(hash, text, param_count);
    pthread_mutex_unlock(&lock);
    return st;
}
