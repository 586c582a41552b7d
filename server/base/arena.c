/* See arena.h. Blocks grow from 16 KiB and keep a chain; a request larger than a quarter of a block
 * gets its own, so that one large row does not waste the rest of the current one. */

#include "base/arena.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE ((size_t)16 * 1024)
#define ALIGNMENT (sizeof(max_align_t))

#if defined(__SANITIZE_ADDRESS__)
#define SEPARATE_ALLOCATIONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SEPARATE_ALLOCATIONS 1
#endif
#endif
#ifndef SEPARATE_ALLOCATIONS
#define SEPARATE_ALLOCATIONS 0
#endif

struct block {
    struct block *next;
    size_t size; /* of data */
    size_t used;
    _Alignas(max_align_t) unsigned char data[];
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *);
    void *data;
};

struct arena {
    struct block *blocks; /* the head is the one being filled; large ones stand behind it */
    struct deferred *defer;
    size_t used;
};

static _Noreturn void out_of_memory(size_t size) {
    fprintf(stderr, "{\"level\":\"error\",\"event\":\"memory.exhausted\",\"size\":%zu}\n", size);
    abort();
}

static struct block *block_new(size_t size) {
    struct block *b = malloc(sizeof(struct block) + size);
    if (!b)
        out_of_memory(size);
    *b = (struct block){.size = size};
    return b;
}

struct arena *arena_new(void) {
    struct arena *a = calloc(1, sizeof(*a));
    if (!a)
        out_of_memory(sizeof(*a));
    return a;
}

static void run_deferred(struct arena *a) {
    while (a->defer) {
        struct deferred *d = a->defer;
        a->defer = d->next;
        d->fn(d->data);
    }
}

void arena_reset(struct arena *a) {
    run_deferred(a);
    struct block *kept = NULL;
    for (struct block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        if (!SEPARATE_ALLOCATIONS && !kept && b->size == BLOCK_SIZE)
            kept = b;
        else
            free(b);
    }
    if (kept)
        *kept = (struct block){.size = BLOCK_SIZE};
    a->blocks = kept;
    a->used = 0;
}

void arena_free(struct arena *a) {
    if (!a)
        return;
    arena_reset(a);
    free(a->blocks);
    free(a);
}

static void *from_own_block(struct arena *a, size_t size) {
    struct block *b = block_new(size);
    b->used = size;
    if (a->blocks) {
        b->next = a->blocks->next;
        a->blocks->next = b;
    } else {
        a->blocks = b;
    }
    return b->data;
}

static void *from_current_block(struct arena *a, size_t size) {
    struct block *b = a->blocks;
    if (!b || b->size - b->used < size) {
        b = block_new(BLOCK_SIZE);
        b->next = a->blocks;
        a->blocks = b;
    }
    void *p = b->data + b->used;
    b->used += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t size) {
    if (size > SIZE_MAX / 2)
        out_of_memory(size);
    size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    a->used += rounded;
    /* The sanitizer must see the caller's size, not the rounded one, to catch an overrun. */
    void *p = SEPARATE_ALLOCATIONS       ? from_own_block(a, size)
              : rounded > BLOCK_SIZE / 4 ? from_own_block(a, rounded)
                                         : from_current_block(a, rounded);
    return memset(p, 0, size);
}

void *arena_memdup(struct arena *a, const void *data, size_t size) {
    void *p = arena_alloc(a, size);
    return size ? memcpy(p, data, size) : p;
}

char *arena_strdup(struct arena *a, const char *text) {
    return text ? arena_memdup(a, text, strlen(text) + 1) : NULL;
}

char *arena_strndup(struct arena *a, const char *text, size_t length) {
    size_t size = strnlen(text, length);
    char *p = arena_alloc(a, size + 1);
    memcpy(p, text, size);
    return p;
}

char *arena_vprintf(struct arena *a, const char *format, va_list args) {
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    assert(length >= 0);
    char *p = arena_alloc(a, (size_t)length + 1);
    vsnprintf(p, (size_t)length + 1, format, again);
    va_end(again);
    return p;
}

char *arena_printf(struct arena *a, const char *format, ...) {
    va_list args;
    va_start(args, format);
    char *p = arena_vprintf(a, format, args);
    va_end(args);
    return p;
}

void arena_defer(struct arena *a, void (*fn)(void *), void *data) {
    struct deferred *d = arena_new_struct(a, struct deferred);
    *d = (struct deferred){.next = a->defer, .fn = fn, .data = data};
    a->defer = d;
}

size_t arena_used(const struct arena *a) {
    return a->used;
}
