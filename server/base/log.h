/* One JSON line a fact on standard error. Values are escaped, a line is at most 8 KiB.
 *
 * Only the dispatcher, the worker loop and main() log errors; library code returns them. */
#pragma once

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_field {
    const char *name;
    enum { LOG_TEXT, LOG_INT, LOG_REAL } type;
    const char *text; /* NULL prints null */
    int64_t number;
    double real;
};

#define LOG_T(field_name, value) ((struct log_field){(field_name), LOG_TEXT, (value), 0, 0.0})
#define LOG_N(field_name, value)                                                                   \
    ((struct log_field){(field_name), LOG_INT, 0, (int64_t)(value), 0.0})
#define LOG_R(field_name, value) ((struct log_field){(field_name), LOG_REAL, 0, 0, (value)})

void log_init(enum log_level least);
/* Names the request and the principal in every further line of this thread; NULL forgets them. */
void log_context(const char *request_id, const char *principal);
void log_fields(enum log_level level, const char *event, const struct log_field *fields, int count);

/* log_event(LOG_INFO, "server.started", LOG_T("listen", address), LOG_N("threads", 64)); */
#define log_event(level, event, ...)                                                               \
    log_fields((level), (event), (const struct log_field[]){__VA_ARGS__},                          \
               (int)(sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)))
