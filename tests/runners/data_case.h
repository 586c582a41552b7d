/* data_case.h: one import from the outside: a job directory, the real program, what it left behind.
 *
 *     struct data_case *c = *state;
 *     case_add_text(c, "table.csv", "a,b\n1,2\n");
 *     case_run(c);
 *     case_assert_refused(c, "invalid_data", "line 2", "fields");
 *
 * case_begin and case_end are the set-up and tear-down of a test; a test may call case_again to
 * start over within itself. */
#ifndef SLIPWAY_TESTS_DATA_CASE_H
#define SLIPWAY_TESTS_DATA_CASE_H

#include "tests/support/cmocka_all.h"

#include "safetensors.h"

#include <jansson.h>
#include <sys/types.h>

struct data_case {
    char dir[64];
    json_t *spec, *inputs;
    pid_t pid;
    int status;                          /* exit status; -1 while running or after a signal */
    json_t *result, *manifest, *refusal; /* NULL when the file is not there */
    json_t *events;                      /* array */
    struct safetensors tensors;
};

int case_begin(void **state);
int case_end(void **state);
void case_again(struct data_case *c);

/* The spec as jansson's text; the default is {}. */
void case_spec(struct data_case *c, const char *text);

void case_add(struct data_case *c, const char *file_name, const void *bytes, size_t size);
void case_add_text(struct data_case *c, const char *file_name, const char *text);
void case_add_file(struct data_case *c, const char *path);

void case_run(struct data_case *c);

/* The halves of case_run, for tests that act in between. */
void case_start(struct data_case *c);
void case_wait(struct data_case *c);

/* Exit 0 and everything that must be there then. */
void case_assert_imported(struct data_case *c);

/* Exit 2, and nothing but outputs/error.json left, with this code, place (NULL = none asked for)
 * and part of the message. */
void case_assert_refused(struct data_case *c, const char *code, const char *place,
                         const char *words);

const void *case_tensor(struct data_case *c, const char *name, tsh_dtype dtype, size_t count);
json_int_t case_int(const json_t *object, const char *name);
const char *case_text(const json_t *object, const char *name);
const json_t *case_column(const struct data_case *c, const char *name);

/* Rows of a class by name, -1 when there is none. */
json_int_t case_class(const struct data_case *c, const char *name);

#endif
