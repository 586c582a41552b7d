/* Arranging the domains for tests: people of two teams, requests in one line, and jobs that end
 * without a worker: the helpers call the kind's callbacks as jobs/ does, in one transaction. */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "jobs/jobs.h"
#include "tests/support/database.h"
#include "tests/support/test_service.h"

#include <string.h>

struct domains {
    struct test_service *service;
    struct app *app;
    struct arena *arena;
    struct test_db *db;
    struct test_team ours, theirs;
    struct principal editor, viewer, admin, stranger; /* the last is an editor of the other team */
};

/* Group set-up and tear-down of cmocka: *state is the struct domains. */
int domains_setup(void **state);
int domains_teardown(void **state);

/* As an editor of our team; the path may have conversions. */
json_t *get_ok(struct domains *d, const char *path, ...) __attribute__((format(printf, 2, 3)));
void get_fails(struct domains *d, int status, const struct principal *who, const char *path, ...)
    __attribute__((format(printf, 4, 5)));
struct test_reply *send_json(struct domains *d, int status, const struct principal *who,
                             const char *method, const char *path, const char *json);

/* Members of a JSON value by path: text_at(run, "metrics"), item_at(page, 0). Absent ones fail. */
json_t *at(json_t *json, const char *member);
const char *text_at(json_t *json, const char *member);
int64_t int_at(json_t *json, const char *member);
double real_at(json_t *json, const char *member);
json_t *item_at(json_t *page, size_t index);
/* The field of a problem, "" if it names none. */
const char *field_of(const struct test_reply *reply);

/* A file in one upload of our team; its id. */
const char *upload_make(struct domains *d, const char *file_name, const char *text);
/* Our project's dataset; its id. */
const char *dataset_make(struct domains *d, const char *name);
/* Queues an import of a small file; the version. */
json_t *import_start(struct domains *d, const char *dataset_id);

struct fake_file {
    const char *name, *text;
};
/* The job as it would be told to its kind. */
void job_of(struct ctx *cx, const char *id, struct job *ret);
void job_changes(struct domains *d, const char *id, enum job_state from, enum job_state to);
void job_succeeds(struct domains *d, const char *id, const char *result,
                  const struct fake_file *files, size_t count);
void job_fails(struct domains *d, const char *id, enum job_state to, const char *error);
/* One event of the runner: metrics, state. */
void job_says(struct domains *d, const char *id, const char *event);
/* As job_succeeds(), but the callback must refuse. */
enum err job_success_refused(struct domains *d, const char *id, const char *result);

/* Ready versions: 1x28x28 digits in ten classes, and a small table with a categorical target. */
json_t *image_version_make(struct domains *d, const char *name);
json_t *table_version_make(struct domains *d, const char *name);

extern const char DIGITS_SPEC[]; /* a train spec that fits image_version_make() */
/* A training run of our project, queued. */
json_t *run_make(struct domains *d, const char *name);
/* The same, succeeded with a model. */
json_t *run_done_make(struct domains *d, const char *name);
/* A registered version of a model of that name. */
json_t *model_version_make(struct domains *d, const char *model);

/* No team sees another's rows, not even by a statement without "where": counts the table's rows as
 * each team. */
void assert_wall(struct domains *d, const char *table);
