/* A gzipped body unpacked, up to a limit: the only file with zlib. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

/* ret_data lives in the arena. ERR_INVALID when it is no gzip, ERR_TOO_LARGE beyond max bytes. */
MUST_USE enum err gunzip(struct arena *arena, const void *data, size_t size, size_t max,
                         char **ret_data, size_t *ret_size, struct err_info *err);
