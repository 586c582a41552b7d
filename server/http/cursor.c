/* Page cursors: the sort keys of the last row, sealed with a MAC over team, route and keys.
 *
 * Without the seal a client could write keys of its own: another team's rows stay invisible (every
 * query names its team), but positions in a list would become an oracle. A cursor of another route
 * or team is refused like a forged one. The key is a file of key_dir, so cursors survive restarts.
 */
#include "http/internal.h"

#include "base/digest.h"
#include "base/ident.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/stat.h>

#define MAC_SIZE 16
#define CURSOR_MAX                                                                                 \
    4096 /* a search's carries a text of up to 256 bytes for each of its order keys */

enum err cursor_key_load(const char *key_dir, unsigned char ret[CURSOR_KEY_SIZE],
                         struct err_info *err) {
    char path[4096];
    struct stat st;
    snprintf(path, sizeof(path), "%s/cursor.key", key_dir);
    auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not open key \"%s\": %s", path,
                       strerror(errno));
    if (st.st_mode & 077)
        return err_set(err, ERR_INTERNAL, NULL, "key \"%s\" is accessible to others", path);
    if (read(fd, ret, CURSOR_KEY_SIZE) != CURSOR_KEY_SIZE)
        return err_set(err, ERR_INTERNAL, NULL, "key \"%s\" is too short", path);
    return OK;
}

enum err cursor_key_create(const char *key_dir, struct err_info *err) {
    char path[4096];
    unsigned char key[CURSOR_KEY_SIZE];
    snprintf(path, sizeof(path), "%s/cursor.key", key_dir);
    random_bytes(key, sizeof(key));
    auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno == EEXIST)
        return OK;
    if (fd < 0 || write(fd, key, sizeof(key)) != (ssize_t)sizeof(key) || fsync(fd) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not write key \"%s\": %s", path,
                       strerror(errno));
    return OK;
}

/* Lengths are part of what is sealed, so that no two triples read the same. */
static void cursor_mac(struct ctx *cx, const char *keys, size_t size, unsigned char ret[MAC_SIZE]) {
    const char *route = cx->route ? cx->route->path : "";
    const char *text = arena_printf(cx->arena, "%s|%zu|%s|%zu|%.*s", cx->who.team_id, strlen(route),
                                    route, size, (int)size, keys);
    unsigned char mac[EVP_MAX_MD_SIZE];
    HMAC(EVP_sha256(), cx->app->http->cursor_key, CURSOR_KEY_SIZE, (const unsigned char *)text,
         strlen(text), mac, NULL);
    memcpy(ret, mac, MAC_SIZE);
}

const char *cursor_encode(struct ctx *cx, const char *const *keys, int count) {
    auto_json *array = json_array();
    for (int i = 0; i < count; i++)
        json_array_append_new(array, keys[i] ? json_string(keys[i]) : json_null());
    auto_free char *text = json_dumps(array, JSON_COMPACT);
    if (!text)
        abort();
    size_t size = strlen(text);
    unsigned char *sealed = arena_alloc(cx->arena, MAC_SIZE + size);
    cursor_mac(cx, text, size, sealed);
    memcpy(sealed + MAC_SIZE, text, size);
    size_t cap = (MAC_SIZE + size) * 4 / 3 + 4;
    char *ret = arena_alloc(cx->arena, cap);
    base64url_encode(sealed, MAC_SIZE + size, ret, cap);
    return ret;
}

static enum err bad_cursor(struct ctx *cx) {
    return fail_field(cx, ERR_INVALID, "cursor", "this cursor was not given by this list");
}

static enum err read_keys(struct ctx *cx, const char *text, size_t size, const char **ret_keys,
                          int count) {
    auto_json *array = json_loadb(text, size, 0, NULL);
    if (!json_is_array(array) || json_array_size(array) != (size_t)count)
        return bad_cursor(cx);
    for (int i = 0; i < count; i++)
        ret_keys[i] = arena_strdup(cx->arena, json_string_value(json_array_get(array, (size_t)i)));
    return OK;
}

enum err cursor_decode(struct ctx *cx, const char *cursor, const char **ret_keys, int count) {
    char sealed[CURSOR_MAX];
    unsigned char mac[MAC_SIZE];
    size_t size = 0;

    if (strlen(cursor) > CURSOR_MAX ||
        !base64url_decode(cursor, strlen(cursor), sealed, sizeof(sealed), &size) ||
        size <= MAC_SIZE)
        return bad_cursor(cx);
    cursor_mac(cx, sealed + MAC_SIZE, size - MAC_SIZE, mac);
    if (!equal_in_constant_time(mac, sealed, MAC_SIZE))
        return bad_cursor(cx);
    return read_keys(cx, sealed + MAC_SIZE, size - MAC_SIZE, ret_keys, count);
}

int64_t page_limit(const struct page_query *page) {
    return page->limit > 0 ? page->limit : 50;
}
