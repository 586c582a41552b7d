/* See wire.h. */
#include "tests/mlflow/wire.h"

#include <stdarg.h>

static const char *path_of(struct domains *d, const char *path) {
    return path[0] == '/' ? path : arena_printf(d->arena, "/api/2.0/mlflow/%s", path);
}

static struct test_reply *send(struct domains *d, const char *method, const char *path,
                               const char *json) {
    return test_send(
        d->app, d->arena,
        &(struct test_request){
            .method = method, .path = path_of(d, path), .json = json, .who = &d->editor});
}

static json_t *answer(const struct test_reply *reply, const char *path) {
    if (reply->status != 200)
        fail_msg("%s gave %d: %.400s", path, reply->status, reply->body);
    assert_non_null(reply->json);
    return reply->json;
}

static const char *refusal(const struct test_reply *reply, int status, const char *code,
                           const char *path) {
    const char *name = json_string_value(json_object_get(reply->json, "error_code"));
    if (reply->status != status || !name || strcmp(name, code) != 0)
        fail_msg("%s gave %d instead of %d %s: %.400s", path, reply->status, status, code,
                 reply->body);
    return text_at(reply->json, "message");
}

#define FORMATTED(d, format, text)                                                                 \
    const char *text;                                                                              \
    do {                                                                                           \
        va_list args_;                                                                             \
        va_start(args_, format);                                                                   \
        (text) = arena_vprintf((d)->arena, format, args_);                                         \
        va_end(args_);                                                                             \
    } while (0)

json_t *call(struct domains *d, const char *path, const char *format, ...) {
    FORMATTED(d, format, json);
    return answer(send(d, "POST", path, json), path);
}

json_t *look(struct domains *d, const char *format, ...) {
    FORMATTED(d, format, path);
    return answer(send(d, "GET", path, NULL), path);
}

const char *refused(struct domains *d, int status, const char *code, const char *path,
                    const char *format, ...) {
    FORMATTED(d, format, json);
    return refusal(send(d, "POST", path, json), status, code, path);
}

const char *look_refused(struct domains *d, int status, const char *code, const char *format, ...) {
    FORMATTED(d, format, path);
    return refusal(send(d, "GET", path, NULL), status, code, path);
}

const char *experiment_made(struct domains *d, const char *name) {
    return text_at(call(d, "experiments/create", "{\"name\":\"%s\"}", name), "experiment_id");
}

const char *run_opened(struct domains *d, const char *experiment_id, const char *name) {
    json_t *run = at(call(d, "runs/create", "{\"experiment_id\":\"%s\",\"run_name\":\"%s\"}",
                          experiment_id, name),
                     "run");
    return text_at(at(run, "info"), "run_id");
}

const char *logged(struct domains *d, const char *run_id, const char *kind, const char *key) {
    json_t *run = at(look(d, "runs/get?run_id=%s", run_id), "run");
    json_t *item, *items = json_object_get(at(run, "data"), kind);
    size_t i;
    json_array_foreach(items, i, item) {
        if (strcmp(text_at(item, "key"), key) == 0) {
            char *value = json_dumps(at(item, "value"), JSON_ENCODE_ANY);
            arena_defer(d->arena, free, value);
            return value;
        }
    }
    return NULL;
}
