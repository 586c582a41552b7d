/* ingest_batch.c: a batch of points ↔ the bytes of an inbox row.
 *
 * The keys, each once; how many points; each point's key; then the points as a chunk packs them. A
 * hundred points of a few keys take about 1,300 bytes: the row stays in its page, whereas arrays of
 * keys and numbers took three times as much and went through compression.
 *
 * A long batch of few keys comes with a digest, a batch of those points alone of which summaries
 * are made: what a run's last values are is known without unpacking a thousand points each. */
#include "tracking/metrics_private.h"

#include "base/ident.h"

#include <math.h>
#include <string.h>

/* So many points a key make a digest worth its while: it has one to four of them. */
#define DIGEST_WORTH 10

/* Texts of times have four digits of year. */
#define TIME_MIN (-62135596800000000LL)
#define TIME_MAX 253402300799999999LL

static bool key_is_valid(const char *key) {
    size_t length = strlen(key), characters = 0;
    for (size_t i = 0; i < length; i++)
        characters += (key[i] & 0xC0) != 0x80;
    return length > 0 && characters <= METRIC_KEY_MAX && utf8_is_valid(key, length);
}

static enum err refuse(struct ctx *cx, size_t index, const char *member, const char *sentence) {
    const char *field = arena_printf(cx->arena, "points[%zu].%s", index, member);
    return fail_field(cx, ERR_UNPROCESSABLE, field, "%s", sentence);
}

enum err batch_check(struct ctx *cx, const struct metric_point *points, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct metric_point *p = &points[i];
        if (!p->key || !key_is_valid(p->key))
            return refuse(cx, i, "key", "a metric's name must have 1 to 250 characters");
        if (p->at_us < TIME_MIN || p->at_us > TIME_MAX)
            return refuse(cx, i, "at", "a metric's time must be in the years 1 to 9999");
    }
    return OK;
}

static unsigned char *put_keys(unsigned char *at, const struct names *keys) {
    at = varint_put(at, keys->count);
    for (size_t i = 0; i < keys->count; i++) {
        size_t length = strlen(keys->items[i].text);
        at = varint_put(at, length);
        memcpy(at, keys->items[i].text, length);
        at += length;
    }
    return at;
}

/* A batch's points by the numbers of their keys. */
struct sorted_out {
    struct names keys;
    uint32_t *owners;
    struct sample *samples;
    size_t count;
};

static struct sorted_out sort_out(struct ctx *cx, const struct metric_point *points, size_t count) {
    struct sorted_out b = {names_new(cx->arena), arena_new_array(cx->arena, uint32_t, count),
                           arena_new_array(cx->arena, struct sample, count), count};
    for (size_t i = 0; i < count; i++) {
        const struct metric_point *p = &points[i];
        bool again = i > 0 && strcmp(points[i - 1].key, p->key) == 0;
        b.owners[i] =
            again ? b.owners[i - 1] : (uint32_t)names_add(&b.keys, 0, p->key, strlen(p->key));
        b.samples[i] = (struct sample){p->step, p->at_us, sample_value(p->value)};
    }
    return b;
}

static struct db_bytes encode(struct ctx *cx, const struct sorted_out *b) {
    size_t room = 20 + CHUNK_SIZE_MAX(b->count) + 10 * b->count;
    for (size_t i = 0; i < b->keys.count; i++)
        room += 10 + strlen(b->keys.items[i].text);
    unsigned char *data = arena_alloc(cx->arena, room), *at = put_keys(data, &b->keys);
    at = varint_put(at, b->count);
    for (size_t i = 0; i < b->count; i++)
        at = varint_put(at, b->owners[i]);
    at += chunk_encode(b->samples, b->count, at);
    return (struct db_bytes){data, (size_t)(at - data)};
}

/* Where the samples of one key are that a summary is made of. */
struct ends {
    uint32_t first, last, least, greatest;
    bool any, any_finite;
};

static void ends_add(struct ends *e, const struct sample *samples, uint32_t i) {
    const struct sample *s = &samples[i];
    if (!e->any || sample_compare(s, &samples[e->first]) < 0)
        e->first = i;
    if (!e->any || sample_compare(s, &samples[e->last]) > 0)
        e->last = i;
    e->any = true;
    if (!isfinite(s->value))
        return;
    if (!e->any_finite || s->value < samples[e->least].value)
        e->least = i;
    if (!e->any_finite || s->value > samples[e->greatest].value)
        e->greatest = i;
    e->any_finite = true;
}

/* Only what a summary is made of; nothing where that is not much less. */
static struct db_bytes digest(struct ctx *cx, const struct sorted_out *b) {
    struct sorted_out few = *b;
    if (b->count < DIGEST_WORTH * b->keys.count)
        return (struct db_bytes){0};
    struct ends *ends = arena_new_array(cx->arena, struct ends, b->keys.count);
    bool *kept = arena_new_array(cx->arena, bool, b->count);
    for (size_t i = 0; i < b->count; i++)
        ends_add(&ends[b->owners[i]], b->samples, (uint32_t)i);
    for (size_t i = 0; i < b->keys.count; i++) {
        kept[ends[i].first] = kept[ends[i].last] = true;
        if (ends[i].any_finite)
            kept[ends[i].least] = kept[ends[i].greatest] = true;
    }
    few.owners = arena_new_array(cx->arena, uint32_t, b->count);
    few.samples = arena_new_array(cx->arena, struct sample, b->count);
    few.count = 0;
    for (size_t i = 0; i < b->count; i++)
        if (kept[i]) {
            few.owners[few.count] = b->owners[i];
            few.samples[few.count++] = b->samples[i];
        }
    return encode(cx, &few);
}

struct batch batch_encode(struct ctx *cx, const struct metric_point *points, size_t count) {
    struct sorted_out b = sort_out(cx, points, count);
    return (struct batch){encode(cx, &b), digest(cx, &b)};
}

struct pile pile_new(struct arena *arena) {
    return (struct pile){.names = names_new(arena)};
}

static void reserve(struct pile *pile, size_t count) {
    if (pile->count + count <= pile->cap)
        return;
    size_t cap = 2 * (pile->count + count);
    struct arena *arena = pile->names.arena;
    uint32_t *owners = arena_new_array(arena, uint32_t, cap);
    struct sample *samples = arena_new_array(arena, struct sample, cap);
    if (pile->count) {
        memcpy(owners, pile->owners, pile->count * sizeof(*owners));
        memcpy(samples, pile->samples, pile->count * sizeof(*samples));
    }
    pile->owners = owners;
    pile->samples = samples;
    pile->cap = cap;
}

/* The batch's keys as numbers of the pile's names; NULL when the bytes are damaged. */
static const unsigned char *get_keys(struct pile *pile, size_t run, const unsigned char *at,
                                     const unsigned char *end, uint32_t **ret,
                                     uint64_t *ret_count) {
    uint64_t length;
    if (!(at = varint_get(at, end, ret_count)) || *ret_count > (uint64_t)(end - at))
        return NULL;
    *ret = arena_new_array(pile->names.arena, uint32_t, *ret_count + 1);
    for (uint64_t i = 0; i < *ret_count; i++) {
        if (!(at = varint_get(at, end, &length)) || length > (uint64_t)(end - at) ||
            memchr(at, '\0', length))
            return NULL;
        (*ret)[i] = (uint32_t)names_add(&pile->names, run, (const char *)at, length);
        at += length;
    }
    return at;
}

bool pile_add(struct pile *pile, size_t run, struct db_bytes batch) {
    const unsigned char *at = batch.data, *end = at + batch.size;
    uint64_t key_count, count, key;
    uint32_t *keys;
    size_t decoded;
    if (!(at = get_keys(pile, run, at, end, &keys, &key_count)) ||
        !(at = varint_get(at, end, &count)) || count > (uint64_t)(end - at))
        return false;
    reserve(pile, count);
    for (uint64_t i = 0; i < count; i++) {
        if (!(at = varint_get(at, end, &key)) || key >= key_count)
            return false;
        pile->owners[pile->count + i] = keys[key];
    }
    if (!chunk_decode(at, (size_t)(end - at), pile->samples + pile->count, count, &decoded) ||
        decoded != count)
        return false;
    pile->count += count;
    return true;
}
