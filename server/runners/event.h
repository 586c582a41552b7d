/* event.h: what a runner tells the worker while it works, one JSON object a line.
 *
 * Lines go to the descriptor SLIPWAY_EVENTS_FD names, or to stdout when a person runs the program.
 * No line is longer than EVENT_MAX_BYTES: text is cut, never the JSON around it. All calls may be
 * made from any thread. A worker that is gone ends the process: there is nobody to work for. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    EVENT_MAX_BYTES = 65536,   /* of a line, its newline included */
    EVENT_TEXT_BYTES = 8192,   /* of a message */
    EVENT_METRICS_MAX = 100,   /* values in one metrics event */
    EVENT_PROGRESS_PER_S = 10, /* faster progress is dropped, save the last */
};

enum event_level { EVENT_INFO, EVENT_WARNING, EVENT_ERROR };

struct event_metric {
    const char *name; /* "train/loss" */
    double value;     /* non-finite values travel as "NaN", "Infinity", "-Infinity" */
};

/* Chooses the descriptor; called by runner_main before anything else. */
void event_open(void);

/* fraction in 0..1; eta_s < 0 when unknown. At most ten a second are sent; 1.0 always is. */
void event_progress(double fraction, double eta_s, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* step is the optimiser step; a count above EVENT_METRICS_MAX is sent as several lines. */
void event_metrics(int64_t step, double epoch, const struct event_metric *metrics, size_t count);

void event_log(enum event_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* path is complete and will not change any more: the worker uploads it at once. */
void event_artifact(const char *name, const char *path, const char *media_type);

void event_state(const char *state);
