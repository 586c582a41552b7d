/* Walking a directory of the person who imports: plain files only, links are not followed. */
#pragma once

#include "base/err.h"

#include <jansson.h>

/* New reference: the names in a directory, sorted; an empty array when there is none. kind is
 * DT_DIR or DT_REG. */
json_t *tree_names(const char *directory, unsigned char kind);

/* Calls fn with each plain file below the directory: its whole path, and that relative to the
 * directory. */
typedef enum err tree_fn(void *arg, const char *path, const char *name, struct err_info *err);
MUST_USE enum err tree_walk(const char *directory, tree_fn *fn, void *arg, struct err_info *err);
