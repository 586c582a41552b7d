/* Any bytes as a request of OTLP. What is accepted are spans whose ids have their sizes and whose
 * JSON is JSON; what is refused says why. */
#include "tests/fuzz/fuzz.h"

#include "base/ident.h"
#include "traces/otlp.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SPANS_MAX 1000

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    return 0;
}

static void check_span(const struct otlp_span *span) {
    size_t parent = strlen(span->parent_id);
    if (strlen(span->trace_id) != 32 || strlen(span->span_id) != 16 || (parent && parent != 16))
        abort();
    if (span->started_ns < 0 || span->ended_ns < 0 ||
        !utf8_is_valid(span->name, strlen(span->name)))
        abort();
    json_t *json = json_loads(span->json, 0, NULL);
    if (!json_is_object(json))
        abort();
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct arena *arena = arena_new();
    struct err_info err = {0};
    struct list spans;
    enum err decoded = otlp_decode(arena, bytes, size, SPANS_MAX, &spans, &err);
    if (decoded == OK) {
        if (spans.count > SPANS_MAX)
            abort();
        for (size_t i = 0; i < spans.count; i++)
            check_span(&((const struct otlp_span *)spans.items)[i]);
    } else if (!err.message[0] || (decoded != ERR_INVALID && decoded != ERR_UNPROCESSABLE)) {
        abort();
    }
    arena_free(arena);
    return 0;
}
