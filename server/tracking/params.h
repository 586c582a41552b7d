/* A spec as parameters: "optimizer.lr" → "0.001". */
#pragma once

#include "base/arena.h"

#include <jansson.h>

struct params {
    const char **keys, **values;
    size_t count;
};

/* Objects become dotted names, scalars text. A list of layers becomes one line a person can compare
 * ("conv2d 24, relu, …"); other lists stay JSON. Values longer than 6,000 bytes are cut. json may
 * be NULL. All in the arena. */
struct params params_of(struct arena *arena, json_t *json);
