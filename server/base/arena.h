/* Memory of one lifetime, usually one request: allocated piece by piece, freed as a whole.
 *
 * arena_alloc() never returns NULL: running out of memory ends the process, and sizes that a client
 * chose are checked against a limit before they come here. Under AddressSanitizer every allocation
 * is a malloc of its own, so overruns are seen. An arena belongs to one thread. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);  /* runs the deferred clean-ups in reverse; NULL is fine */
void arena_reset(struct arena *a); /* the same, but keeps the first block for the next request */

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for any type */
void *arena_memdup(struct arena *a, const void *data, size_t size);
char *arena_strdup(struct arena *a, const char *text); /* NULL gives NULL */
char *arena_strndup(struct arena *a, const char *text, size_t length);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Calls fn(data) when the arena is freed or reset, the last registered first. */
void arena_defer(struct arena *a, void (*fn)(void *), void *data);

size_t arena_used(const struct arena *a); /* bytes handed out since the last reset */

#define arena_new_struct(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_new_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (size_t)(n)))
