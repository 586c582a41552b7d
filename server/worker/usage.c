/* See usage.h. Field numbers are those of proc(5). */

#include "worker/usage.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

bool usage_read(pid_t pid, struct usage *ret) {
    char path[64], line[1024];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    auto_file *file = fopen(path, "re");
    if (!file || !fgets(line, sizeof(line), file))
        return false;
    const char *after_name = strrchr(line, ')'); /* field 2 may hold spaces and brackets */
    unsigned long user = 0, system = 0;
    long pages = 0;
    if (!after_name ||
        sscanf(after_name + 2,
               "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u "
               "%*u %ld",
               &user, &system, &pages) != 3)
        return false;
    int64_t ticks = sysconf(_SC_CLK_TCK);
    ret->cpu_us = (int64_t)(user + system) * 1000000 / ticks;
    ret->rss_bytes = (int64_t)pages * sysconf(_SC_PAGESIZE);
    return true;
}
