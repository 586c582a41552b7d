/* data_jsonl.c: one line of JSON Lines: an object whose values are plain. Checked with the JSON
 * library the rest of Slipway uses, which rejects duplicate keys and names the fault; the values
 * are then read by DuckDB. */
#include "runners/data_lines.h"

#include <string.h>

static const char *value_fault(const json_t *value) {
    if (json_is_object(value))
        return "an object";
    return json_is_array(value) ? "an array" : NULL;
}

enum run jsonl_check(struct import *im, const struct runner_input *in, int64_t number,
                     const char *line, size_t size) {
    json_error_t error;
    auto_json *object = json_loadb(
        line, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY, &error);
    if (!object)
        return refuse_line(im, in, number, REFUSE_INVALID_DATA, "the line is not valid JSON: %s",
                           error.text);
    if (!json_is_object(object))
        return refuse_line(im, in, number, REFUSE_INVALID_DATA,
                           "each line must be an object such as {\"a\":1}, this one is %s",
                           json_is_array(object) ? "an array" : "a bare value");
    if (json_object_size(object) > DATA_COLUMNS_MAX)
        return refuse_line(im, in, number, REFUSE_TOO_LARGE, "the object has more than %d members",
                           DATA_COLUMNS_MAX);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        const char *fault = value_fault(value);
        if (fault)
            return refuse_line(im, in, number, REFUSE_UNSUPPORTED,
                               "\"%.80s\" holds %s; only plain values can be columns", key, fault);
    }
    return RUN_DONE;
}
