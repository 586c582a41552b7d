/* What a runner uses, read from /proc. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct usage {
    int64_t rss_bytes;
    int64_t cpu_us; /* user and system time since its start */
};

bool usage_read(pid_t pid, struct usage *ret); /* false when it is gone */
