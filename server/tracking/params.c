/* params.c: see params.h. */
#include "tracking/params.h"

#include "base/buf.h"

#include <string.h>

#define PARAM_MAX 6000 /* bytes of a value, as the schema has it */
#define PARAMS_MAX 500 /* of one run */

static void add(struct arena *arena, struct params *to, const char *key, const char *value) {
    if (to->count == PARAMS_MAX)
        return;
    size_t length = strlen(value);
    while (length > PARAM_MAX || (length > 0 && (value[length] & 0xC0) == 0x80))
        length--; /* never through the middle of a character */
    to->keys[to->count] = key;
    to->values[to->count++] = arena_strndup(arena, value, length);
}

/* "conv2d 24" of one layer; a residual one shows what it wraps. */
static void layer_text(json_t *layer, struct buf *text) {
    const char *type = json_string_value(json_object_get(layer, "type"));
    buf_text(text, type ? type : "?");
    json_t *out = json_object_get(layer, "out");
    if (json_is_integer(out))
        buf_printf(text, " %lld", (long long)json_integer_value(out));
    else if (json_is_string(out))
        buf_printf(text, " %s", json_string_value(out));
    json_t *inner = json_object_get(layer, "layers");
    if (json_is_array(inner))
        buf_printf(text, " of %zu", json_array_size(inner));
}

static void add_layers(struct arena *arena, struct params *to, const char *key, json_t *layers) {
    auto_buf text = {0};
    size_t i;
    json_t *layer;
    json_array_foreach(layers, i, layer) {
        if (i > 0)
            buf_text(&text, ", ");
        layer_text(layer, &text);
    }
    add(arena, to, key, text.data ? text.data : "");
}

static void flatten(struct arena *arena, struct params *to, const char *prefix, json_t *value) {
    const char *name;
    json_t *member;
    json_object_foreach(value, name, member) {
        const char *key = arena_printf(arena, "%s%s%s", prefix, *prefix ? "." : "", name);
        if (json_is_object(member))
            flatten(arena, to, key, member);
        else if (json_is_array(member) && strcmp(name, "layers") == 0)
            add_layers(arena, to, key, member);
        else if (json_is_string(member))
            add(arena, to, key, json_string_value(member));
        else if (!json_is_null(member)) {
            char *text =
                json_dumps(member, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
            arena_defer(arena, free, text);
            add(arena, to, key, text);
        }
    }
}

struct params params_of(struct arena *arena, json_t *json) {
    struct params ret = {.keys = arena_new_array(arena, const char *, PARAMS_MAX),
                         .values = arena_new_array(arena, const char *, PARAMS_MAX)};
    flatten(arena, &ret, "", json);
    return ret;
}
