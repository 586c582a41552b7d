/* chunk_merge.c: new samples into the chunks of a series.
 *
 * A sample belongs to the last chunk that begins at or before it, or else to the first one. A chunk
 * that gained nothing is left alone, which makes a repeated batch cost reading only. One that
 * outgrew CHUNK_MAX is divided: into full chunks when it grew at its end or is the last one, since
 * more will follow there; otherwise into equal ones, so that each has room for what comes between.
 */
#include "tracking/chunk.h"

#include <string.h>

/* A growing answer; each merged chunk adds its pieces. */
struct merge {
    struct arena *arena;
    const struct sample *last; /* of the series before; NULL = it is new */
    struct chunk_changes changes;
    size_t change_cap;
};

static void add_change(struct merge *m, struct chunk_change change) {
    struct chunk_changes *c = &m->changes;
    if (c->count == m->change_cap) {
        size_t cap = m->change_cap ? 2 * m->change_cap : 8;
        struct chunk_change *items = arena_new_array(m->arena, struct chunk_change, cap);
        if (c->count)
            memcpy(items, c->items, c->count * sizeof(*items));
        c->items = items;
        m->change_cap = cap;
    }
    c->items[c->count++] = change;
}

/* Both, in order and each sample once; the new ones are added to the changes too. */
static struct chunk unite(struct merge *m, const struct chunk *old, const struct sample *samples,
                          size_t count) {
    struct chunk both = {arena_new_array(m->arena, struct sample, old->count + count), 0};
    struct chunk *added = &m->changes.added;
    size_t i = 0, k = 0;
    while (i < old->count || k < count) {
        int order = i == old->count ? 1
                    : k == count    ? -1
                                    : sample_compare(&old->samples[i], &samples[k]);
        if (order > 0)
            added->samples[added->count++] = samples[k];
        both.samples[both.count++] = order > 0 ? samples[k] : old->samples[i];
        i += order <= 0;
        k += order >= 0;
    }
    return both;
}

static void divide(struct merge *m, const struct chunk *whole, bool grew_at_end) {
    size_t pieces = (whole->count + CHUNK_MAX - 1) / CHUNK_MAX;
    for (size_t i = 0; i < pieces; i++) {
        size_t from = grew_at_end ? i * CHUNK_MAX : whole->count * i / pieces;
        size_t to = grew_at_end ? from + CHUNK_MAX : whole->count * (i + 1) / pieces;
        to = to < whole->count ? to : whole->count;
        add_change(m, (struct chunk_change){.put = {whole->samples + from, to - from}});
    }
}

static void merge_one(struct merge *m, const struct chunk *old, const struct sample *samples,
                      size_t count) {
    struct chunk whole = unite(m, old, samples, count);
    if (whole.count == old->count)
        return;
    const struct sample *end = old->count ? &old->samples[old->count - 1] : NULL;
    bool at_end = !end || sample_compare(&samples[0], end) > 0 ||
                  (m->last && sample_compare(end, m->last) == 0);
    if (old->count && sample_compare(&whole.samples[0], &old->samples[0]) != 0)
        add_change(m, (struct chunk_change){.drop = &old->samples[0]});
    divide(m, &whole, at_end);
}

/* How many of the samples come before this one. */
static size_t count_before(const struct sample *samples, size_t count, const struct sample *end) {
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (sample_compare(&samples[middle], end) < 0)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

struct chunk_changes chunk_merge(struct arena *arena, const struct chunk *chunks,
                                 size_t chunk_count, const struct sample *last,
                                 const struct sample *samples, size_t count) {
    struct merge m = {.arena = arena, .last = last};
    static const struct chunk EMPTY;
    m.changes.added.samples = arena_new_array(arena, struct sample, count);
    if (chunk_count == 0)
        merge_one(&m, &EMPTY, samples, count);
    for (size_t i = 0; i < chunk_count; i++) {
        size_t mine =
            i + 1 < chunk_count ? count_before(samples, count, &chunks[i + 1].samples[0]) : count;
        if (mine > 0)
            merge_one(&m, &chunks[i], samples, mine);
        samples += mine;
        count -= mine;
    }
    return m.changes;
}
