/* A request body: the scan and parse of jsontext, then decoding into nested fields and encoding
 * what came of it. The first byte chooses the limit of bytes, so that refusals are reached too. */
#include "tests/fuzz/fuzz.h"

#include "base/field.h"
#include "base/jsontext.h"

#include <stdlib.h>

struct part {
    const char *type;
    int64_t size;
};
static const struct field PART_FIELDS[] = {
    FIELD(STRING, struct part, type, .flags = FIELD_REQUIRED, .pattern = "^[a-z]+$"),
    FIELD(INT, struct part, size, .min = 1, .max = 100),
};
static SHAPE(PART, "Part", struct part, PART_FIELDS);

static const char *const COLOURS[] = {"red", "green", NULL};

struct body {
    const char *name, *id;
    int64_t count, at;
    double rate;
    bool on;
    int colour;
    json_t *extra;
    struct part *head;
    struct list parts, tags;
};
static const struct field BODY_FIELDS[] = {
    FIELD(STRING, struct body, name, .max = 20),
    FIELD(UUID, struct body, id, .flags = FIELD_NULLABLE),
    FIELD(INT, struct body, count, .flags = FIELD_NULLABLE),
    FIELD(TIME, struct body, at),
    FIELD(REAL, struct body, rate),
    FIELD(BOOL, struct body, on),
    FIELD(ENUM, struct body, colour, .names = COLOURS),
    FIELD(JSON, struct body, extra),
    FIELD(OBJECT, struct body, head, .nested = &PART, .flags = FIELD_NULLABLE),
    FIELD(LIST, struct body, parts, .nested = &PART),
    FIELD(STRINGS, struct body, tags),
};
static SHAPE(BODY, "Body", struct body, BODY_FIELDS);

/* What was accepted can be said again: every member is there and the text is valid. */
static void check_encoding(const struct body *body) {
    json_t *encoded = field_encode(&BODY, body);
    char *text = json_dumps(encoded, 0);
    if (!text || json_object_size(encoded) != BODY.field_count)
        abort();
    free(text);
    json_decref(encoded);
}

static void try_query_values(struct arena *arena, const char *text, size_t size) {
    struct body body;
    struct err_info err;
    const char *value = arena_strndup(arena, text, size);
    for (size_t i = 0; i < BODY.field_count; i++)
        if (field_decode_text(arena, &BODY.fields[i], value, &body, &err) != OK && !err.message[0])
            abort();
}

/* One order of members in every run, so that a finding can be repeated. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    json_object_seed(1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < 1)
        return 0;
    json_t *json;
    struct body body;
    struct err_info err;
    struct arena *arena = arena_new();
    const char *text = (const char *)bytes + 1;
    try_query_values(arena, text, size - 1);
    if (json_parse(text, size - 1, (size_t)bytes[0] * 64, &json, &err) == OK) {
        if (field_decode(arena, &BODY, json, &body, NULL, &err) == OK)
            check_encoding(&body);
        else if (!err.message[0])
            abort();
        json_decref(json);
    }
    arena_free(arena);
    return 0;
}
