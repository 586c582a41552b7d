/* Events of runners, each exactly once and in order.
 *
 * The holder of a lease numbers its events from 1. The row keeps the number wanted next and changes
 * in the transaction that stores what the events say, so a batch sent twice is known as such,
 * whoever lost the first reply. A runner is hostile: whatever does not have the form of an event is
 * refused with its place, and text is cut to what people can read. */

#include "base/cleanup.h"
#include "http/feed.h"
#include "jobs/jobs_private.h"
#include "sql/jobs.h"

#include <math.h>
#include <string.h>

enum { MESSAGE_MAX = 8192, PROGRESS_MESSAGE_MAX = 500, NAME_MAX_BYTES = 250 };

/* What a batch comes to, written once at its end. */
struct batch {
    struct job_row *row;
    const struct job_kind *kind;
    const char **levels, **messages; /* log lines */
    size_t log_count;
    const char *fraction, *message, *eta_s; /* of the last progress event; NULL = unchanged */
};

static const char *text_of(struct ctx *cx, json_t *event, const char *member, size_t max) {
    const char *text = json_string_value(json_object_get(event, member));
    if (!text || strlen(text) <= max)
        return text;
    while (max > 0 && ((unsigned char)text[max] & 0xc0) == 0x80)
        max--; /* not inside a character */
    return arena_strndup(cx->arena, text, max);
}

static enum err take_progress(struct ctx *cx, struct batch *b, json_t *event) {
    double fraction = json_number_value(json_object_get(event, "fraction"));
    json_t *eta = json_object_get(event, "eta_s");
    const char *message = text_of(cx, event, "message", PROGRESS_MESSAGE_MAX);
    if (!json_is_number(json_object_get(event, "fraction")) || !isfinite(fraction))
        return fail(cx, ERR_INVALID, "a progress event has a fraction between 0 and 1");
    b->fraction = db_real(cx, fraction);
    b->message = message ? message : b->message;
    b->eta_s = json_is_number(eta) ? db_real(cx, json_number_value(eta)) : NULL;
    return OK;
}

static void add_line(struct batch *b, const char *level, const char *message) {
    b->levels[b->log_count] = level;
    b->messages[b->log_count++] = message;
}

/* Beyond the cap one line says so, and the rest is dropped. */
static enum err take_log(struct ctx *cx, struct batch *b, json_t *event) {
    static const char *const levels[] = {"info", "warning", "error"};
    const char *message = text_of(cx, event, "message", MESSAGE_MAX);
    const char *level = json_string_value(json_object_get(event, "level"));
    if (!message || !level)
        return fail(cx, ERR_INVALID, "a log event has a level and a message");
    int64_t lines = b->row->log_lines + (int64_t)b->log_count;
    if (lines == LOG_LINES_MAX)
        add_line(b, "warning", "further lines are not kept: a job keeps 50,000");
    if (lines >= LOG_LINES_MAX)
        return OK;
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (strcmp(levels[i], level) == 0) {
            add_line(b, levels[i], message);
            return OK;
        }
    return fail(cx, ERR_INVALID, "a log event has the level info, warning or error");
}

static enum err take_metrics(struct ctx *cx, struct batch *b, json_t *event) {
    json_t *values = json_object_get(event, "values");
    if (!json_is_integer(json_object_get(event, "step")) || !json_is_object(values) ||
        json_object_size(values) > 100)
        return fail(cx, ERR_INVALID, "a metrics event has a step and at most 100 values");
    return b->kind && b->kind->on_metrics ? b->kind->on_metrics(cx, &b->row->job, event) : OK;
}

static enum err take_state(struct ctx *cx, struct batch *b, json_t *event) {
    if (!json_is_string(json_object_get(event, "state")))
        return fail(cx, ERR_INVALID, "a state event has a state");
    return b->kind && b->kind->on_state ? b->kind->on_state(cx, &b->row->job, event) : OK;
}

/* Its blob was uploaded before; what is named checkpoint/… the next attempt starts from. */
static enum err take_artifact(struct ctx *cx, struct batch *b, json_t *event) {
    const char *name = text_of(cx, event, "name", NAME_MAX_BYTES);
    const char *sha256 = json_string_value(json_object_get(event, "sha256"));
    const char *media_type = text_of(cx, event, "media_type", NAME_MAX_BYTES);
    if (!name || !*name || !sha256 || !sha256_text_is_valid(sha256))
        return fail(cx, ERR_INVALID, "an artifact event has a name and a sha256");
    struct blob blob;
    TRY(blob_require(cx, sha256, &blob));
    const struct job *job = &b->row->job;
    if (strncmp(name, "checkpoint/", 11) == 0)
        TRY(db_exec(cx, &SQL_job_checkpoint_set, ARGS(job->team_id, job->id, name, blob.sha256),
                    NULL));
    struct job_output file = {.name = name,
                              .media_type = media_type ? media_type : "application/octet-stream",
                              .size_bytes = blob.size_bytes};
    memcpy(file.sha256, blob.sha256, sizeof(file.sha256));
    return b->kind && b->kind->on_artifact ? b->kind->on_artifact(cx, job, &file) : OK;
}

static const struct {
    const char *type;
    enum err (*handle)(struct ctx *cx, struct batch *b, json_t *event);
} EVENT_TYPES[] = {{"progress", take_progress},
                   {"metrics", take_metrics},
                   {"log", take_log},
                   {"artifact", take_artifact},
                   {"state", take_state}};

static enum err take_event(struct ctx *cx, struct batch *b, json_t *event) {
    const char *type = json_string_value(json_object_get(event, "type"));
    for (size_t i = 0; type && i < sizeof(EVENT_TYPES) / sizeof(EVENT_TYPES[0]); i++)
        if (strcmp(EVENT_TYPES[i].type, type) == 0)
            return EVENT_TYPES[i].handle(cx, b, event);
    return fail(cx, ERR_INVALID, "an event has one of the known types");
}

static enum err write_batch(struct ctx *cx, const struct batch *b, int64_t next_seq) {
    const struct job *job = &b->row->job;
    if (b->log_count) {
        TRY(db_exec(cx, &SQL_job_log_add,
                    ARGS(job->team_id, job->id, db_int(cx, b->row->log_lines),
                         db_text_array(cx, b->levels, b->log_count),
                         db_text_array(cx, b->messages, b->log_count)),
                    NULL));
        TRY(feed_post(cx, "job", job->id, "logs"));
    }
    if (b->fraction)
        TRY(feed_post(cx, "job", job->id, "progress"));
    return db_exec(cx, &SQL_job_advance,
                   ARGS(job->team_id, job->id, db_int(cx, next_seq),
                        db_int(cx, b->row->log_lines + (int64_t)b->log_count), b->fraction,
                        b->message, b->eta_s),
                   NULL);
}

enum err job_events_take(struct ctx *cx, struct job_row *row, int64_t first_seq, json_t *events,
                         int64_t *ret_next) {
    if (first_seq > row->next_seq)
        return fail_field(cx, ERR_CONFLICT, "first_seq", "the next event wanted is %lld",
                          (long long)row->next_seq);
    size_t count = json_array_size(events);
    /* One place more than events: the notice that lines are dropped. */
    struct batch batch = {.row = row,
                          .kind = job_kind_find(cx->app->jobs, row->job.kind),
                          .levels = arena_new_array(cx->arena, const char *, count + 1),
                          .messages = arena_new_array(cx->arena, const char *, count + 1)};
    *ret_next = row->next_seq;
    for (size_t i = 0; i < count; i++) {
        if (first_seq + (int64_t)i < row->next_seq)
            continue; /* known */
        if (take_event(cx, &batch, json_array_get(events, i)) != OK) {
            snprintf(cx->err.field, sizeof(cx->err.field), "events[%zu]", i);
            return cx->err.code;
        }
        (*ret_next)++;
    }
    return *ret_next == row->next_seq ? OK : write_batch(cx, &batch, *ret_next);
}
