/* Private to http/: the service and one request on its way through the pipeline. */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"
#include "http/gate.h"
#include "http/server.h"

#include <stdatomic.h>

#define CURSOR_KEY_SIZE 32
#define PARAM_MAX 6
#define REPLY_HEADER_MAX 16

struct route_index;

struct http_registry {
    const struct http_hooks *hooks;
    const struct route **routes; /* of all tables, in the order of registration */
    size_t count;
    struct route_index *index; /* made once all tables are in; NULL before */
};

struct metrics;
struct admission;
struct fairness;
struct listener;

struct http_server {
    const struct http_options *options;
    struct http_registry *registry;
    struct metrics *metrics;
    struct admission *admission;
    struct fairness *fairness;
    struct listener *listener; /* NULL without sockets */
    unsigned char cursor_key[CURSOR_KEY_SIZE];
    int static_fd;        /* -1 = no UI */
    atomic_bool stopping; /* set once, by http_drain() */
};

enum reply_kind {
    REPLY_EMPTY,
    REPLY_OBJECT,
    REPLY_PAGE,
    REPLY_JSON,
    REPLY_BYTES,
    REPLY_FILE,
    REPLY_STREAM
};

struct reply {
    enum reply_kind kind;
    int status; /* 0 = the route's own */
    const void *object;
    struct list items;
    const char *next_cursor;
    json_t *json;
    const char *media_type; /* REPLY_BYTES */
    const void *data;
    size_t size;
    struct reply_file file;
    struct reply_stream stream;
    const char *location;
    const char *cache_control; /* NULL = "no-store" */
    struct http_header headers[REPLY_HEADER_MAX];
    size_t header_count;
};

struct param {
    const char *name; /* in the route's pattern, not terminated */
    size_t name_length;
    const char *value;
};

/* One request. `rq` is first: handlers hold a pointer to it, we find the rest from there. */
struct http_call {
    struct req rq;
    struct ctx *cx;
    struct http_server *server;
    struct http_io *io;
    struct gate_request request;
    struct param params[PARAM_MAX];
    size_t param_count;
    size_t route_number;   /* of rq.route in the registry; its count when there is none */
    unsigned allowed;      /* methods the path has, for Allow */
    bool mlflow;           /* the path belongs to MLflow's surface, a route or not */
    const char *body_text; /* JSON or raw body as it came; NULL = none */
    size_t body_size;
    int64_t body_received;
    bool body_ended;
    bool close;    /* after the reply */
    bool admitted; /* holds a slot of its rate class */
    bool counted;  /* holds one of all slots */
    bool big;      /* holds one of the slots of big bodies */
    bool replayed; /* answered from idempotency_keys */
    const char *idempotency_key;
    char request_hash[65];
    struct reply reply;
    enum err err;
    int sent_status;
    int64_t sent_bytes;
    int64_t started_us;
    int64_t pace_waited_us, pace_bytes; /* body.c: this window's waiting, its first byte */
    char payer[ID_SIZE];                /* the team that pays for it; "" = nobody */
    int64_t paid_us;                    /* processor time paid for */
};

static inline struct http_call *call_of(const struct req *rq) {
    return (struct http_call *)(void *)(uintptr_t)rq;
}

/* route.c: fills call->rq.route and params; ERR_NOT_FOUND, or ERR_INVALID with call->allowed set
 * when the path exists with other methods. */
MUST_USE enum err route_match(struct http_call *call);
void routes_index(struct http_registry *registry);
const char *method_to_string(int method);
const char *scope_to_string(enum scope scope);
enum role scope_least_role(enum scope scope);
unsigned scope_token(enum scope scope);

/* body.c */
MUST_USE enum err body_check(struct http_call *call); /* limits that need no byte of it */
MUST_USE enum err body_decode(struct http_call *call);
MUST_USE enum err query_decode(struct http_call *call);
/* The body as it came, NUL-terminated, in call->body_text. */
MUST_USE enum err body_read_whole(struct http_call *call);
size_t body_limit(const struct route *route);
bool is_utf8_json(const char *content_type); /* NULL is not */
/* application/x-www-form-urlencoded, one name or value; NULL if it is malformed. */
const char *query_text(struct arena *arena, const char *raw, size_t length);
/* The null of what a message leaves out (field.h); everything else starts as zero. */
void shape_set_absent(const struct shape *shape, void *object);

/* surface.c: what is MLflow's own about paths and refusals. */
bool surface_is_mlflow(const char *path);
void surface_resolve(struct http_call *call);
int surface_status(const struct err_info *err);
json_t *surface_problem(const struct http_call *call, int status);

/* message.c: body and query of ROUTE_MLFLOW. */
MUST_USE enum err message_decode(struct http_call *call);

/* reply.c */
MUST_USE enum err reply_encode(struct http_call *call);
void reply_reset(struct reply *rp); /* closes and releases what it holds */
void reply_problem(struct http_call *call, int status);
const char *status_to_string(int status);
bool is_header_text(const char *text); /* no control characters */

/* send.c: writes the reply out, sets sent_status and sent_bytes. */
void reply_send(struct http_call *call);

/* files.c */
enum err get_static(struct ctx *cx, const struct req *rq, struct reply *rp);
/* One range of a representation; false = the header is ignored (malformed or more than one). */
enum range_kind { RANGE_NONE, RANGE_ONE, RANGE_UNSATISFIABLE };
enum range_kind range_parse(const char *header, int64_t size, int64_t *ret_first,
                            int64_t *ret_last);

/* origin.c */
MUST_USE enum err origin_check(struct http_call *call);

/* idempotency.c */
MUST_USE enum err idempotency_begin(struct http_call *call, bool *ret_replayed);
MUST_USE enum err idempotency_store(struct http_call *call);

/* admission.c: bounded numbers of requests at once. */
struct admission *admission_new(const struct http_options *options);
void admission_free(struct admission *a);
bool admission_enter(struct admission *a); /* one of all requests */
void admission_leave(struct admission *a);
bool admission_enter_class(struct admission *a, enum rate_class rate);
void admission_leave_class(struct admission *a, enum rate_class rate);
/* A body whose decoding takes much memory; waits its turn for a while. */
#define ADMISSION_BIG_BYTES ((size_t)256 * 1024)
bool admission_enter_big(struct admission *a);
void admission_leave_big(struct admission *a);
int admission_count(struct admission *a);
void admission_wait_empty(struct admission *a, int timeout_ms);

/* fairness.c: equal shares of the processors for the teams that ask at the same time. */
struct fairness *fairness_new(int processors);
void fairness_free(struct fairness *f);
/* Waits while the team has had more than its share; false when too many of its requests do. */
bool fairness_enter(struct fairness *f, const char *team);
void fairness_leave(struct fairness *f, const char *team, int64_t cost_us);
/* Pays for a piece of a long request and waits like a new one. */
void fairness_pace(struct fairness *f, const char *team, int64_t cost_us);
/* What the request has cost since this was last asked. dispatch.c */
int64_t call_take_cost(struct http_call *call);

/* metrics.c */
struct metrics *metrics_new(size_t route_count);
void metrics_free(struct metrics *m);
void metrics_count(struct metrics *m, size_t route, int status, int64_t duration_us);
uint64_t metrics_hits(const struct metrics *m, size_t route);
void metrics_print(const struct app *app, struct buf *out);

/* cursor.c. A key file is refused when others may read it. */
MUST_USE enum err cursor_key_load(const char *key_dir, unsigned char ret[CURSOR_KEY_SIZE],
                                  struct err_info *err);

/* openapi.c: every shape of a visible route, each once. */
#define SHAPE_MAX 256
size_t http_shapes(const struct http_registry *r, enum shape_use use, const struct shape **ret,
                   size_t cap);
