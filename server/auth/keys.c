/* The signing keys under a running server: read again, replaced as a whole, never changed in place.
 *
 * A request may hold the old set while the new one takes its place, so old sets live until the end
 * of the process: a kilobyte a rotation, and nobody waits for anybody. */
#include "auth/auth_private.h"
#include "base/cleanup.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

struct old_keys {
    const struct token_keys *keys;
    struct old_keys *next;
};

static enum err keys_read(const char *dir, struct token_keys **ret, struct err_info *err) {
    struct token_keys *keys = calloc(1, sizeof(*keys));
    if (!keys)
        abort();
    enum err loaded = token_keys_load(dir, keys, err);
    if (loaded == OK)
        *ret = keys;
    else
        free(keys);
    return loaded;
}

static void keys_free(const struct token_keys *keys) {
    struct token_keys *owned = (struct token_keys *)(uintptr_t)keys;
    explicit_bzero(owned, sizeof(*owned));
    free(owned);
}

static bool keys_are_same(const struct token_keys *a, const struct token_keys *b) {
    bool same = a->count == b->count;
    for (int i = 0; same && i < a->count; i++)
        same = a->keys[i].number == b->keys[i].number &&
               memcmp(a->keys[i].secret, b->keys[i].secret, TOKEN_KEY_SIZE) == 0;
    return same;
}

enum err auth_keys_init(struct auth *auth, struct err_info *err) {
    struct token_keys *keys;
    TRY(keys_read(auth->key_dir, &keys, err));
    atomic_init(&auth->keys, keys);
    pthread_mutex_init(&auth->reload, NULL);
    return OK;
}

static void keys_replace(struct auth *auth, const struct token_keys *keys) {
    struct old_keys *old = malloc(sizeof(*old));
    if (!old)
        abort();
    *old = (struct old_keys){atomic_exchange(&auth->keys, keys), auth->old_keys};
    auth->old_keys = old;
    log_event(LOG_INFO, "keys.reloaded", LOG_N("signing", keys->keys[0].number),
              LOG_N("count", keys->count));
}

enum err auth_keys_reload(struct auth *auth, struct err_info *err) {
    struct token_keys *keys;
    TRY(keys_read(auth->key_dir, &keys, err));
    scope_lock(&auth->reload);
    if (keys_are_same(keys, atomic_load(&auth->keys)))
        keys_free(keys);
    else
        keys_replace(auth, keys);
    return OK;
}

void auth_keys_done(struct auth *auth) {
    keys_free(atomic_load(&auth->keys));
    while (auth->old_keys) {
        struct old_keys *old = auth->old_keys;
        auth->old_keys = old->next;
        keys_free(old->keys);
        free(old);
    }
    pthread_mutex_destroy(&auth->reload);
}
