/* A small service for tests of the pipeline: routes over notes that need no database, people made
 * of roles and tokens, an audit log of one line. */
#pragma once

#include "tests/support/test_http.h"

#include "base/arena.h"

extern struct app notes_app;
extern struct arena *notes_arena;
extern char notes_dir[];
extern char notes_audited[512]; /* the last audit row: "action object code" */
extern int notes_audits;
extern const struct http_hooks NOTES_HOOKS;
extern const struct shape NOTE;

/* Group set-up and tear-down of cmocka. */
int notes_setup(void **state);
int notes_teardown(void **state);

struct principal person(enum role role);
struct test_reply *as(enum role role, int status, const char *method, const char *path);
struct test_reply *post(int status, const char *path, const char *json);
/* A text member of the reply, "" if absent. */
const char *text_of(const struct test_reply *reply, const char *member);
enum err nothing(struct ctx *cx, const struct req *rq, struct reply *rp);

#define SEND(expected, ...)                                                                        \
    test_expect(&notes_app, notes_arena, (expected), &(struct test_request){__VA_ARGS__})
