/* run_list.c: a page of runs as JSON. Thousands of parameters and metrics make a page, so it is
 * written straight into a buffer: a tree of JSON values would cost several times what reading the
 * rows does. The members are those of RUN_SHAPE, and tests compare. */
#include "tracking/run_list.h"

#include "base/clock.h"
#include "base/jsonwrite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void write_texts(struct json_writer *w, const char *name, const struct list *texts) {
    const struct run_text *text = texts->items;
    jw_member_begin(w, name, '{');
    for (size_t i = 0; i < texts->count; i++)
        jw_member_text(w, text[i].key, text[i].value);
    jw_end(w, '}');
}

/* What the database wrote is JSON, but for NaN and infinity, which are words here. */
static void write_number(struct json_writer *w, const char *text) {
    if (strpbrk(text, "NI"))
        jw_text(w, text);
    else
        jw_raw(w, text);
}

static void write_values(struct json_writer *w, const struct list *values) {
    const struct run_value *value = values->items;
    jw_member_begin(w, "metrics", '{');
    for (size_t i = 0; i < values->count; i++) {
        jw_name(w, value[i].key);
        write_number(w, value[i].text);
    }
    jw_end(w, '}');
}

/* The least or the greatest value of each metric that has one; null when nobody asked. */
static void write_extremes(struct json_writer *w, const char *name,
                           const struct run_details *details, size_t extreme) {
    const struct run_value *value = details->metrics.items;
    if (!details->with_ranges) {
        jw_member_text(w, name, NULL);
        return;
    }
    jw_member_begin(w, name, '{');
    for (size_t i = 0; i < details->metrics.count; i++) {
        const char *text = *(const char *const *)(const void *)((const char *)&value[i] + extreme);
        if (!text)
            continue;
        jw_name(w, value[i].key);
        jw_raw(w, text);
    }
    jw_end(w, '}');
}

static void write_time(struct json_writer *w, const char *name, int64_t at_us) {
    char text[TIME_TEXT_SIZE];
    if (at_us)
        time_to_string(at_us, text);
    jw_member_text(w, name, at_us ? text : NULL);
}

static void write_version(struct json_writer *w, int64_t version) {
    jw_name(w, "dataset_version");
    if (version == FIELD_NO_INT)
        jw_text(w, NULL);
    else
        jw_int(w, version);
}

static void write_names(struct json_writer *w, const struct run *run) {
    jw_member_text(w, "id", run->id);
    jw_member_text(w, "project_id", run->project_id);
    jw_member_text(w, "experiment_id", run->experiment_id);
    jw_member_text(w, "experiment_name", run->experiment_name);
    jw_member_int(w, "experiment_number", run->experiment_number);
    jw_member_text(w, "name", run->name);
    jw_member_text(w, "state", RUN_STATE_NAMES[run->state]);
    jw_member_text(w, "parent_id", run->parent_id);
    jw_member_text(w, "source", run->source);
    jw_member_text(w, "user_name", run->user_name);
    jw_member_text(w, "job_id", run->job_id);
    jw_member_text(w, "dataset_version_id", run->dataset_version_id);
    jw_member_text(w, "dataset_name", run->dataset_name);
    write_version(w, run->dataset_version);
    jw_member_text(w, "created_by", run->created_by);
    jw_member_text(w, "notes", run->notes);
    jw_member_text(w, "device", run->device);
}

static void write_spec(struct json_writer *w, const json_t *spec) {
    char *text = spec ? json_dumps(spec, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    jw_name(w, "spec");
    if (text)
        buf_text(w->out, text);
    else
        jw_text(w, NULL);
    w->next = true;
    free(text);
}

void run_write(struct json_writer *w, const struct run_details *details) {
    const struct run *run = &details->run;
    jw_begin(w, '{');
    write_names(w, run);
    write_time(w, "archived_at", run->archived_at);
    write_time(w, "created_at", run->created_at);
    write_time(w, "started_at", run->started_at);
    write_time(w, "finished_at", run->finished_at);
    write_texts(w, "tags", &details->tags);
    write_texts(w, "params", &details->params);
    write_values(w, &details->metrics);
    write_extremes(w, "metrics_min", details, offsetof(struct run_value, least));
    write_extremes(w, "metrics_max", details, offsetof(struct run_value, greatest));
    jw_name(w, "progress");
    jw_real(w, run->progress);
    jw_member_text(w, "message", run->message);
    jw_name(w, "eta_s");
    if (isnan(run->eta_s))
        jw_text(w, NULL);
    else
        jw_real(w, run->eta_s);
    jw_member_text(w, "evaluation", NULL);
    write_spec(w, run->spec);
    jw_end(w, '}');
}

void reply_runs(struct ctx *cx, struct reply *rp, const struct list *runs, const char *next) {
    struct buf out = {0};
    struct json_writer w = {.out = &out};
    const struct run_details *details = runs->items;
    jw_begin(&w, '{');
    jw_member_begin(&w, "items", '[');
    for (size_t i = 0; i < runs->count; i++)
        run_write(&w, &details[i]);
    jw_end(&w, ']');
    jw_member_text(&w, "next_cursor", next);
    jw_end(&w, '}');
    arena_defer(cx->arena, free, out.data);
    reply_bytes(rp, "application/json; charset=utf-8", out.data, out.size);
}
