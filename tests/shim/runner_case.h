/* runner_case.h: the real train and predict programs on a job directory made here. */
#pragma once

#include "tests/support/cmocka_all.h"

#include "shim/safetensors.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct runner_case {
    char dir[64];
    char events_path[160]; /* what the program wrote to stdout */
    pid_t pid;
    int status; /* exit status; minus the signal when one ended it */
};

void runner_begin(struct runner_case *r);
void runner_end(struct runner_case *r);

/* Three classes of 8 x 8 pictures (or 3 channels), an eighth each for validation and test. */
void runner_add_pictures(struct runner_case *r, int rows, int channels);

/* A table: x1, x2 numeric (x2 with nulls), flag boolean, kind categorical a|b|c; targets: value
 * numeric, label categorical no|yes. */
void runner_add_table(struct runner_case *r, int rows);

/* job.json of that kind; extra_input may be NULL: a path inside the directory for
 * "checkpoint/last". */
void runner_job(struct runner_case *r, const char *kind, const char *spec, const char *extra_input);

/* Starts; waits for the end; both. arguments: more than the directory, NULL-terminated, or NULL. */
void runner_start(struct runner_case *r, const char *program, char *const *arguments);
void runner_wait(struct runner_case *r);
void runner_run(struct runner_case *r, const char *program);

/* A JSON file of the directory; owned. */
json_t *runner_json(const struct runner_case *r, const char *path);

/* The events as an array; each line is checked for its size and type. */
json_t *runner_events(const struct runner_case *r);

/* The last event that has `member` equal to `value`; NULL when there is none. Borrowed. */
const json_t *event_find(const json_t *events, const char *member, const char *value);

/* Waits until the file of events holds the words; fails after ten seconds. */
void runner_await(const struct runner_case *r, const char *words);

/* One exchange with a predict runner on socket fd; the body is owned and terminated. */
json_t *predict_exchange(int fd, const char *header, const void *body, size_t size, char **ret_body,
                         size_t *ret_size);
