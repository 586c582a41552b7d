/* The shapes of every route as TypeScript, for web/src/api/types.gen.ts: printed, never typed. */
#include "http/internal.h"

#include <stdlib.h>
#include <string.h>

struct printed {
    const struct shape *shape;
    enum shape_use use;
};

static int by_name(const void *a, const void *b) {
    const struct printed *x = a, *y = b;
    return strcmp(x->shape->name, y->shape->name);
}

/* Replies first: a shape used both ways is printed once, as what replies hold. */
static size_t collect(const struct http_registry *r, struct printed *ret) {
    static const enum shape_use USES[] = {SHAPE_REPLY, SHAPE_BODY};
    const struct shape *shapes[SHAPE_MAX];
    size_t count = 0;
    for (size_t u = 0; u < 2; u++) {
        size_t found = http_shapes(r, USES[u], shapes, SHAPE_MAX);
        for (size_t i = 0; i < found; i++) {
            size_t k = 0;
            while (k < count && ret[k].shape != shapes[i])
                k++;
            if (k == count)
                ret[count++] = (struct printed){shapes[i], USES[u]};
        }
    }
    return count;
}

void http_typescript(const struct http_registry *r, FILE *out) {
    struct printed shapes[2 * SHAPE_MAX];
    size_t count = collect(r, shapes);

    qsort(shapes, count, sizeof(shapes[0]), by_name);
    fputs("// Printed by `slipwayd routes --typescript` from the server's tables. Do not edit.\n\n"
          "export interface Page<T> {\n  items: T[];\n  next_cursor: string | null;\n}\n\n"
          "export interface Problem {\n  type: string;\n  title: string;\n  status: number;\n"
          "  code: string;\n  detail: string;\n  field: string | null;\n  request_id: string;\n"
          "  /** the bytes at fault in the field's text */\n"
          "  position?: { at: number; length: number };\n}\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fputs("\n", out);
        shape_typescript(shapes[i].shape, shapes[i].use, out);
    }
}
