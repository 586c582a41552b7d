/* The frame of the surface: failures, ids, limits, replies, and the pages about the server itself.
 * See mlflow.h. */
#include "mlflow/mlflow.h"

#include "base/ident.h"
#include "config/config.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* The contract of MLflow this surface keeps, as its clients ask for it. */
#define CONTRACT_VERSION "3.11.0"
#define DEFAULT_ROOT "mlflow-artifacts:/"
#define HEX_LENGTH 32

/* --- failures --- */

static const struct {
    const char *name;
    enum err code;
    int status;
} ERRORS[] = {
#define X(symbol, name, err, status) [symbol] = {name, err, status},
    MLFLOW_ERROR_TABLE(X)
#undef X
};

enum err mlflow_fail(struct ctx *cx, enum mlflow_error error, const char *format, ...) {
    struct err_info err = {.code = ERRORS[error].code, .status = ERRORS[error].status};
    va_list args;
    va_start(args, format);
    vsnprintf(err.message, sizeof(err.message), format, args);
    va_end(args);
    snprintf(err.name, sizeof(err.name), "%s", ERRORS[error].name);
    cx->err = err;
    return err.code;
}

enum err mlflow_fail_run(struct ctx *cx, const char *run_id) {
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "Run with id=%s not found", run_id);
}

enum err mlflow_fail_experiment(struct ctx *cx, const char *experiment_id) {
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "No Experiment with id=%s exists",
                       experiment_id);
}

/* --- ids --- */

static bool is_hex(const char *text) {
    return strlen(text) == HEX_LENGTH && strspn(text, "0123456789abcdef") == HEX_LENGTH;
}

const char *mlflow_run_uuid(struct ctx *cx, const char *run_id) {
    if (!is_hex(run_id))
        return NULL;
    return arena_printf(cx->arena, "%.8s-%.4s-%.4s-%.4s-%.12s", run_id, run_id + 8, run_id + 12,
                        run_id + 16, run_id + 20);
}

const char *mlflow_run_id(struct ctx *cx, const char *uuid) {
    char *id = arena_alloc(cx->arena, HEX_LENGTH + 1);
    for (char *at = id; *uuid; uuid++)
        if (*uuid != '-')
            *at++ = *uuid;
    return id;
}

const char *mlflow_model_uuid(struct ctx *cx, const char *model_id) {
    return strncmp(model_id, "m-", 2) == 0 ? mlflow_run_uuid(cx, model_id + 2) : NULL;
}

const char *mlflow_model_id(struct ctx *cx, const char *uuid) {
    return arena_printf(cx->arena, "m-%s", mlflow_run_id(cx, uuid));
}

int64_t mlflow_experiment_number(const char *experiment_id) {
    size_t digits = strspn(experiment_id, "0123456789");
    if (digits == 0 || digits > 18 || experiment_id[digits])
        return -1;
    return strtoll(experiment_id, NULL, 10);
}

const char *mlflow_experiment_uri(struct ctx *cx, const char *location, int64_t number) {
    const char *file_root = cx->app->config->file_root;
    if (location)
        return location;
    return arena_printf(cx->arena, "%s%" PRId64, file_root ? file_root : DEFAULT_ROOT, number);
}

const char *mlflow_run_uri(struct ctx *cx, const char *location, int64_t number,
                           const char *run_uuid) {
    return arena_printf(cx->arena, "%s/%s/artifacts", mlflow_experiment_uri(cx, location, number),
                        mlflow_run_id(cx, run_uuid));
}

const char *mlflow_model_uri(struct ctx *cx, const char *location, int64_t number,
                             const char *model_uuid) {
    return arena_printf(cx->arena, "%s/models/%s/artifacts",
                        mlflow_experiment_uri(cx, location, number),
                        mlflow_model_id(cx, model_uuid));
}

/* --- limits --- */

/* Bytes of the first limit characters of UTF-8. */
static size_t prefix_size(const char *text, size_t limit) {
    size_t characters = 0, i = 0;
    for (; text[i]; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && characters++ == limit)
            break;
    return i;
}

size_t mlflow_length(const char *text) {
    size_t characters = 0;
    for (; *text; text++)
        characters += ((unsigned char)*text & 0xc0) != 0x80;
    return characters;
}

const char *mlflow_cut(struct ctx *cx, const char *text, size_t limit) {
    size_t size = prefix_size(text, limit);
    return text[size] ? arena_strndup(cx->arena, text, size) : text;
}

enum err mlflow_check_length(struct ctx *cx, const char *path, const char *text, size_t limit) {
    if (text[prefix_size(text, limit)])
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "'%s' exceeds the maximum length of %zu characters", path, limit);
    return OK;
}

/* What of Unicode is neither letter nor digit, as far as anybody would put it into a name: controls
 * and Latin punctuation, marks that combine, punctuation, arrows and symbols, CJK punctuation, what
 * has no character, pictures. */
static const struct {
    uint32_t first, last;
} NOT_WORDS[] = {{0x80, 0xa9},       {0xab, 0xb1},     {0xb4, 0xb4},     {0xb6, 0xb8},
                 {0xbb, 0xbb},       {0xbf, 0xbf},     {0xd7, 0xd7},     {0xf7, 0xf7},
                 {0x300, 0x36f},     {0x2000, 0x206f}, {0x20a0, 0x20ff}, {0x2190, 0x245f},
                 {0x2500, 0x2775},   {0x2794, 0x2bff}, {0x3000, 0x3004}, {0x3008, 0x3020},
                 {0xe000, 0xf8ff},   {0xfe00, 0xfe0f}, {0xfff0, 0xffff}, {0x1f000, 0x1faff},
                 {0xe0000, 0x10ffff}};

static uint32_t next_character(const char **at) {
    const unsigned char *c = (const unsigned char *)*at;
    size_t more = c[0] < 0x80 ? 0 : c[0] < 0xe0 ? 1 : c[0] < 0xf0 ? 2 : 3;
    uint32_t code = more ? c[0] & (0x3fu >> more) : c[0];
    for (size_t i = 1; i <= more; i++)
        code = code << 6 | (c[i] & 0x3fu);
    *at += more + 1;
    return code;
}

static bool is_permitted(uint32_t c) {
    if (c < 0x80)
        return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
               strchr("/_.- :", (int)c);
    for (size_t i = 0; i < sizeof(NOT_WORDS) / sizeof(NOT_WORDS[0]); i++)
        if (c >= NOT_WORDS[i].first && c <= NOT_WORDS[i].last)
            return false;
    return true;
}

static bool has_permitted_characters(const char *name) {
    while (*name)
        if (!is_permitted(next_character(&name)))
            return false;
    return true;
}

/* The path that this one means: "a//b", "./a/b" and "a/c/../b" are all "a/b". */
static const char *normal_path(struct ctx *cx, const char *path) {
    size_t size = strlen(path), length = 0;
    char *ret = arena_alloc(cx->arena, size + 2);
    size_t root = *path == '/';
    ret[0] = '/';
    length = root;
    for (const char *at = path; *at; at += *at == '/') {
        size_t n = strcspn(at, "/");
        bool up = n == 2 && at[0] == '.' && at[1] == '.';
        const char *last = memrchr(ret, '/', length);
        const char *segment = last ? last + 1 : ret;
        bool kept = length > root && strncmp(segment, "..", length - (size_t)(segment - ret)) != 0;
        if (up && (kept || root))
            length = segment > ret + root ? (size_t)(segment - ret) - 1 : root;
        else if (n > 0 && !(n == 1 && at[0] == '.')) {
            if (length > root)
                ret[length++] = '/';
            memcpy(ret + length, at, n);
            length += n;
        }
        at += n;
    }
    ret[length] = '\0';
    return length ? ret : ".";
}

/* Most names have no dot at a segment's start and no slash at the ends: nothing to make normal. */
static bool is_normal(struct ctx *cx, const char *name) {
    if (*name && *name != '/' && *name != '.' && !strstr(name, "//") && !strstr(name, "/.") &&
        name[strlen(name) - 1] != '/')
        return true;
    const char *normal = normal_path(cx, name);
    return strcmp(normal, name) == 0 && strcmp(normal, ".") != 0 && strncmp(normal, "..", 2) != 0 &&
           *normal != '/';
}

bool mlflow_name_is_good(struct ctx *cx, const char *name) {
    return has_permitted_characters(name) && is_normal(cx, name);
}

enum err mlflow_check_name(struct ctx *cx, const char *path, const char *name) {
    const char *shown = mlflow_cut(cx, name, 120);
    if (!has_permitted_characters(name))
        return mlflow_fail(
            cx, MLFLOW_INVALID_PARAMETER_VALUE,
            "Invalid value \"%s\" for parameter '%s' supplied: Names may only contain "
            "alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and "
            "slashes (/).",
            shown, path);
    if (!is_normal(cx, name))
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value \"%s\" for parameter '%s' supplied: Names may be treated "
                           "as files in certain cases, and must not resolve to other names when "
                           "treated as such. This name would resolve to '%s'",
                           shown, path, mlflow_cut(cx, normal_path(cx, name), 40));
    return OK;
}

static const struct field MLFLOW_TAG_FIELDS[] = {
    FIELD(STRING, struct mlflow_tag, key, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct mlflow_tag, value),
};
SHAPE(MLFLOW_TAG, "MlflowTag", struct mlflow_tag, MLFLOW_TAG_FIELDS);

/* --- replies --- */

static void release_buf(void *buf) {
    buf_done(buf);
}

struct json_writer *mlflow_json(struct ctx *cx) {
    struct json_writer *w = arena_new_struct(cx->arena, struct json_writer);
    w->out = arena_new_struct(cx->arena, struct buf);
    arena_defer(cx->arena, release_buf, w->out);
    return w;
}

void mlflow_send(struct reply *rp, const struct json_writer *w) {
    reply_bytes(rp, "application/json", w->out->data, w->out->size);
}

/* --- the server itself --- */

static enum err get_health(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx, (void)rq;
    reply_bytes(rp, "text/plain; charset=utf-8", "OK", 2);
    return OK;
}

static enum err get_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx, (void)rq;
    reply_bytes(rp, "text/plain; charset=utf-8", CONTRACT_VERSION, strlen(CONTRACT_VERSION));
    return OK;
}

static enum err get_server_info(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct json_writer *w = mlflow_json(cx);
    (void)rq;
    jw_begin(w, '{');
    jw_member_text(w, "store_type", "SqlStore");
    jw_name(w, "workspaces_enabled");
    jw_bool(w, false);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

const struct route MLFLOW_ROUTES[] = {
    {GET, "/health", SCOPE_PUBLIC, .handle = get_health,
     .flags = ROUTE_MLFLOW | ROUTE_ANONYMOUS | ROUTE_UNCOUNTED | ROUTE_BEFORE_SETUP,
     .doc = "Whether the process answers, as MLflow's clients ask."},
    {GET, "/version", SCOPE_PUBLIC, .handle = get_version,
     .flags = ROUTE_MLFLOW | ROUTE_ANONYMOUS | ROUTE_BEFORE_SETUP,
     .doc = "The version of MLflow whose contract is kept."},
    {GET, "/api/3.0/mlflow/server-info", SCOPE_SIGNED_IN, .handle = get_server_info,
     .flags = ROUTE_MLFLOW, .doc = "What MLflow's clients ask about the store."},
};
const size_t MLFLOW_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_ROUTES);
