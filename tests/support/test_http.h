/* Requests without a socket: what goes through http_dispatch() comes back as status, headers and
 * JSON.
 *
 * Every reply is checked on the way: a success against the .reply table of its route (all members,
 * no others, right types), a refusal against problem+json or the Open Inference form, and each one
 * for the security headers and the request id. Each route that answered a success is noted in
 * SLIPWAY_TEST_HITS, where tests/api/coverage looks for those that never did. */
#pragma once

#include "http/server.h"
#include "tests/support/cmocka_all.h"

#define TEST_HEADERS_MAX 12

struct test_request {
    const char *method; /* NULL = GET */
    const char *path;   /* with its query */
    const char *json;   /* the body, with its content-type; NULL = none */
    const void *body;   /* or bytes of content_type; chunked = without a length */
    size_t size;
    const char *content_type;
    bool chunked;
    const struct principal *who; /* NULL = whoever the headers say */
    struct http_header headers[TEST_HEADERS_MAX];
    /* Without this a Host header is added, and for a PRINCIPAL_USER what the UI's script adds to
     * changes of state: Sec-Fetch-Site and X-Slipway-Request. */
    bool bare;
    size_t cut; /* the body breaks off after so many bytes; 0 = it is whole */
    int looks;  /* how often a stream is told that its client is still there */
};

struct test_reply {
    int status;
    const char *head; /* everything before the body */
    const char *body;
    size_t size;
    json_t *json;              /* NULL if the body is not JSON */
    bool closes;               /* the connection would end */
    const struct route *route; /* that answered; NULL if none was found */
    char request_id[ID_SIZE];
};

/* The reply lives in the arena. */
struct test_reply *test_send(struct app *app, struct arena *arena, const struct test_request *rq);
/* A header of the reply, "" if absent. */
const char *test_header(struct arena *arena, const struct test_reply *reply, const char *name);
/* test_send() and a failure that shows the body unless the status is this one. */
struct test_reply *test_expect(struct app *app, struct arena *arena, int status,
                               const struct test_request *rq);

/* Fails unless the value has exactly the members of the shape, with their types. */
void test_assert_shape(const struct shape *shape, const json_t *value);
