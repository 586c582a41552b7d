/* The only way from slipwayd to other servers: HTTPS requests through one address filter. Private
 * to auth/; libcurl is used in outbound.c alone. */
#pragma once

#include "ctx.h"

#include <stddef.h>

struct outbound_request {
    const char *url;
    const char *form;          /* body of a POST, already encoded; NULL = GET */
    const char *authorization; /* value of the header; NULL = none */
};

struct outbound_reply {
    int status;
    const char *body; /* in the arena, NUL-terminated */
    size_t size;
};

/* ERR_UNPROCESSABLE for an address that may not be asked, ERR_UNAVAILABLE when it does not answer
 * as it should within ten seconds; the sentences are for whoever set the address up. Commits the
 * open transaction: none is held while waiting. */
MUST_USE enum err outbound_send(struct ctx *cx, const struct outbound_request *request,
                                struct outbound_reply *ret);
/* Tests only: answers instead of the network; NULL = the network again. */
typedef enum err outbound_fn(struct ctx *cx, const struct outbound_request *request,
                             struct outbound_reply *ret);
void outbound_replace(outbound_fn *fn);
/* Whether an address in text may be asked: public, or listed in networks (CIDR with commas; NULL =
 * none). For tests. */
bool outbound_allows(const char *address, const char *networks);
