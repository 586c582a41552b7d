/* The only way from slipwayd to other servers (identity providers, webhooks): HTTPS requests
 * through one address filter. libcurl is used in outbound.c alone. */
#pragma once

#include "ctx.h"

#include <stddef.h>

struct outbound_request {
    const char *url;
    const char *form;          /* body of a POST, already encoded; NULL = GET */
    const char *json;          /* the same in JSON; NULL = none */
    const char *authorization; /* value of the header; NULL = none */
    /* Further ones, "Name: value", up to a NULL; NULL = none. */
    const char *const *headers;
    size_t excerpt; /* bytes of the reply's body that are of interest; 0 = all, or it fails */
};

struct outbound_reply {
    int status;
    int64_t retry_after_s; /* what its Retry-After says; 0 = none */
    const char *body;      /* in the arena, NUL-terminated */
    size_t size;
};

/* ERR_UNPROCESSABLE for an address that may not be asked, ERR_UNAVAILABLE when it does not answer
 * as it should within ten seconds; the sentences are for whoever set the address up. Commits the
 * open transaction: none is held while waiting. */
MUST_USE enum err outbound_send(struct ctx *cx, const struct outbound_request *request,
                                struct outbound_reply *ret);
/* ERR_UNPROCESSABLE for an address that never may be asked: not https, with credentials, or in
 * numbers a private one. Asks no name server: what a name stands for is looked at when it is
 * used. */
MUST_USE enum err outbound_check(struct ctx *cx, const char *url);
/* Tests only: answers instead of the network; NULL = the network again. */
typedef enum err outbound_fn(struct ctx *cx, const struct outbound_request *request,
                             struct outbound_reply *ret);
void outbound_replace(outbound_fn *fn);
/* Whether an address in text may be asked: public, or listed in networks (CIDR with commas; NULL =
 * none). For tests. */
bool outbound_allows(const char *address, const char *networks);
