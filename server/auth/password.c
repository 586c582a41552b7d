/* Passwords: rules, hashing, verification; see password.h.
 *
 * Argon2id with 64 MiB, three passes, one lane: measured 118 ms on the reference machine, well
 * above OWASP's least (19 MiB, two passes, 13 ms). Two slots bound what a flood of sign-ins can
 * cost: 128 MiB and two cores' worth of work, while everything else goes on. */

#include "auth/password.h"

#include "base/clock.h"
#include "base/ident.h"

#include <argon2.h>
#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MEMORY_KIB = 64 * 1024, PASSES = 3, LANES = 1, SALT_SIZE = 16, HASH_SIZE = 32 };
enum { SLOTS = 2, SLOT_WAIT_S = 5 };

static const char CURRENT_PREFIX[] = "$argon2id$v=19$m=65536,t=3,p=1$";

/* The hash of no password that anybody will find, with today's parameters. */
static const char DUMMY_HASH[] = "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
                                 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static sem_t slots;
static pthread_once_t slots_once = PTHREAD_ONCE_INIT;

static void slots_init(void) {
    sem_init(&slots, 0, SLOTS);
}

static enum err slot_take(struct ctx *cx) {
    pthread_once(&slots_once, slots_init);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += SLOT_WAIT_S;
    while (sem_timedwait(&slots, &until) != 0) {
        if (errno == EINTR)
            continue;
        enum err err = fail(cx, ERR_RATE_LIMITED, "too many people are signing in right now");
        cx->err.retry_after_s = SLOT_WAIT_S;
        return err;
    }
    return OK;
}

enum err password_hash(struct ctx *cx, const char *password, char ret[PASSWORD_HASH_SIZE]) {
    unsigned char salt[SALT_SIZE];
    random_bytes(salt, sizeof(salt));
    TRY(slot_take(cx));
    int code = argon2id_hash_encoded(PASSES, MEMORY_KIB, LANES, password, strlen(password), salt,
                                     sizeof(salt), HASH_SIZE, ret, PASSWORD_HASH_SIZE);
    sem_post(&slots);
    if (code != ARGON2_OK) {
        enum err err = fail(cx, ERR_UNAVAILABLE, "could not hash the password");
        fail_detail(cx, "argon2: %s", argon2_error_message(code));
        return err;
    }
    return OK;
}

enum err password_verify(struct ctx *cx, const char *hash, const char *password, bool *ret_ok) {
    TRY(slot_take(cx));
    int code = argon2id_verify(hash ? hash : DUMMY_HASH, password, strlen(password));
    sem_post(&slots);
    if (code != ARGON2_OK && code != ARGON2_VERIFY_MISMATCH) {
        enum err err = fail(cx, ERR_UNAVAILABLE, "could not check the password");
        fail_detail(cx, "argon2: %s", argon2_error_message(code));
        return err;
    }
    *ret_ok = hash && code == ARGON2_OK;
    return OK;
}

bool password_hash_is_old(const char *hash) {
    return strncmp(hash, CURRENT_PREFIX, sizeof(CURRENT_PREFIX) - 1) != 0;
}

static int compare_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_common(struct ctx *cx, const char *password) {
    char *lower = arena_strdup(cx->arena, password);
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *key = lower;
    return bsearch(&key, COMMON_PASSWORDS, COMMON_PASSWORD_COUNT, sizeof(COMMON_PASSWORDS[0]),
                   compare_text) != NULL;
}

enum err password_check(struct ctx *cx, const char *field, const char *password, const char *email,
                        const char *name) {
    size_t length = strlen(password);
    if (length < PASSWORD_MIN || length > PASSWORD_MAX)
        return fail_field(cx, ERR_INVALID, field, "a password has %d to %d bytes", PASSWORD_MIN,
                          PASSWORD_MAX);
    if (is_common(cx, password))
        return fail_field(cx, ERR_INVALID, field,
                          "this password is on the list of the most common ones");
    if (strcasecmp(password, email) == 0 || strcasecmp(password, name) == 0)
        return fail_field(cx, ERR_INVALID, field, "a password must not be the e-mail or the name");
    return OK;
}
