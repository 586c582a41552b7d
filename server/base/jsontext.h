/* The only way hostile JSON text becomes a json_t: size, depth and token count are checked by a
 * scan before jansson sees it, because jansson recurses and needs up to 77 times the text. */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

#define JSON_MAX_DEPTH 32
#define JSON_MAX_TOKENS 200000

/* New reference in *ret. Refuses duplicate members, depth, tokens, bytes beyond max_bytes. */
MUST_USE enum err json_parse(const char *text, size_t size, size_t max_bytes, json_t **ret,
                             struct err_info *err);
