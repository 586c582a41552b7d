/* Requests that another site makes a browser send.
 *
 * A browser adds our cookies to whatever it is told to send, so a change of state that relies on
 * cookies must show that a page of ours asked for it: a header that only script of the same origin
 * can set (X-Slipway-Request: 1), and the browser's own word about where it came from. Programs
 * with a token in Authorization have nothing that a browser would add by itself and need neither.
 *
 * Cookies are the usual carrier, but signing in has none yet: any request that says where it came
 * from is held to it. */
#include "http/internal.h"

#include <string.h>
#include <strings.h>

/* "https://" + the Host header: nothing else is our origin; there is no port but this one. */
static bool is_own_origin(const struct http_head *head, const char *origin) {
    const char *host = http_head_get(head, "host");
    return host && strncmp(origin, "https://", 8) == 0 && strcasecmp(origin + 8, host) == 0;
}

/* What the browser says itself. Unknown = an old browser or a program. */
enum provenance { PROVENANCE_UNKNOWN, PROVENANCE_OWN, PROVENANCE_FOREIGN };

static enum provenance provenance_of(const struct http_head *head) {
    const char *site = http_head_get(head, "sec-fetch-site");
    const char *origin = http_head_get(head, "origin");
    if (origin && !is_own_origin(head, origin))
        return PROVENANCE_FOREIGN;
    if (site && strcmp(site, "same-origin") != 0)
        return PROVENANCE_FOREIGN;
    return site || origin ? PROVENANCE_OWN : PROVENANCE_UNKNOWN;
}

enum err origin_check(struct http_call *call) {
    const struct http_head *head = call->rq.head;
    bool changes = (call->request.method & (POST | PUT | PATCH | DELETE)) != 0;
    bool by_token = call->cx->who.kind == PRINCIPAL_TOKEN || call->cx->who.kind == PRINCIPAL_WORKER;
    const char *mark = http_head_get(head, "x-slipway-request");

    if (!changes || by_token)
        return OK;
    enum provenance provenance = provenance_of(head);
    bool cookies = call->cx->who.kind == PRINCIPAL_USER || http_head_get(head, "cookie");
    if (provenance == PROVENANCE_FOREIGN)
        return fail(call->cx, ERR_FORBIDDEN, "the request comes from another site");
    if (cookies && (provenance != PROVENANCE_OWN || !mark || strcmp(mark, "1") != 0))
        return fail(call->cx, ERR_FORBIDDEN,
                    "a request with cookies needs X-Slipway-Request: 1 and a same-origin page");
    return OK;
}
