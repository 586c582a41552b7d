/* ingest_names.c: an open-addressed table from (run, text) to small numbers. */
#include "tracking/metrics_private.h"

#include <string.h>

struct names names_new(struct arena *arena) {
    struct names names = {.arena = arena, .cap = 32, .slot_count = 64};
    names.items = arena_new_array(arena, struct name, names.cap);
    names.slots = arena_new_array(arena, uint32_t, names.slot_count);
    return names;
}

/* FNV-1a, then stirred, for its low bits are weak. */
static uint64_t hash_of(size_t run, const char *text, size_t length) {
    uint64_t hash = 14695981039346656037U ^ run;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211U;
    hash *= 1099511628211U;
    return hash ^ hash >> 29;
}

static void grow(struct names *names) {
    struct name *items = arena_new_array(names->arena, struct name, 2 * names->cap);
    memcpy(items, names->items, names->count * sizeof(*items));
    names->items = items;
    names->cap *= 2;
    names->slot_count = 2 * names->cap;
    names->slots = arena_new_array(names->arena, uint32_t, names->slot_count);
    for (size_t i = 0; i < names->count; i++) {
        size_t slot = items[i].hash & (names->slot_count - 1);
        while (names->slots[slot])
            slot = (slot + 1) & (names->slot_count - 1);
        names->slots[slot] = (uint32_t)i + 1;
    }
}

size_t names_add(struct names *names, size_t run, const char *text, size_t length) {
    if (names->count == names->cap)
        grow(names);
    uint64_t hash = hash_of(run, text, length);
    size_t slot = hash & (names->slot_count - 1);
    for (; names->slots[slot]; slot = (slot + 1) & (names->slot_count - 1)) {
        const struct name *name = &names->items[names->slots[slot] - 1];
        if (name->hash == hash && name->run == run && strncmp(name->text, text, length) == 0 &&
            name->text[length] == '\0')
            return names->slots[slot] - 1;
    }
    names->items[names->count] =
        (struct name){arena_strndup(names->arena, text, length), run, hash};
    names->slots[slot] = (uint32_t)++names->count;
    return names->count - 1;
}
