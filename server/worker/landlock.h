/* Landlock for machines whose kernel forbids unprivileged namespaces. */
#pragma once

#include <stdbool.h>

int landlock_abi(void); /* 0 = the kernel has none */

/* A ruleset descriptor: `readable` may be read and executed, `writable` written. Lists end with
 * NULL; paths that do not exist are skipped. -1 with errno on failure. */
int landlock_ruleset(const char *const *readable, const char *const *writable);

/* In the child, after no_new_privs: async-signal-safe. */
bool landlock_restrict(int ruleset_fd);
