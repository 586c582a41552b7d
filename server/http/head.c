/* Looking things up in a request's head. Linear: there are fewer than 60 headers. */
#include "http/head.h"

#include <string.h>
#include <strings.h>

const char *http_head_get(const struct http_head *head, const char *name) {
    for (size_t i = 0; i < head->header_count; i++)
        if (strcasecmp(head->headers[i].name, name) == 0)
            return head->headers[i].value;
    return NULL;
}

size_t http_head_count(const struct http_head *head, const char *name) {
    size_t count = 0;
    for (size_t i = 0; i < head->header_count; i++)
        count += strcasecmp(head->headers[i].name, name) == 0;
    return count;
}

static bool copy_value(const char *value, size_t length, char *ret, size_t cap) {
    if (length >= cap)
        return false;
    memcpy(ret, value, length);
    ret[length] = '\0';
    return true;
}

bool http_head_cookie(const struct http_head *head, const char *name, char *ret, size_t cap) {
    const char *at = http_head_get(head, "cookie");
    size_t name_length = strlen(name);
    size_t found = 0;
    bool fits = false;

    while (at && *at) {
        at += strspn(at, " \t;");
        size_t length = strcspn(at, ";");
        if (length > name_length && at[name_length] == '=' && !memcmp(at, name, name_length)) {
            found++;
            fits = copy_value(at + name_length + 1, length - name_length - 1, ret, cap);
        }
        at += length;
    }
    return found == 1 && fits;
}
