/* predict.c: a request's way to a runner and back. The body is never looked at: its content type
 * and, for binary tensors, the length of the JSON before them are all that is read here. */
#include "serving/internal.h"

#include "base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_US 30000000 /* a request that takes longer is given up */

static enum err content_of(struct ctx *cx, const struct req *rq, struct wire_request *ret) {
    static const char *const IMAGES[] = {"image/png", "image/jpeg", "image/webp"};
    const char *length = req_header(rq, "Inference-Header-Content-Length");
    ret->json_length = -1;
    ret->content = "json";
    for (size_t i = 0; i < sizeof(IMAGES) / sizeof(IMAGES[0]); i++)
        if (strcmp(rq->content_type, IMAGES[i]) == 0)
            ret->content = "image";
    if (strncmp(rq->content_type, "image/", 6) == 0 && strcmp(ret->content, "image") != 0)
        return fail(cx, ERR_INVALID, "images must be PNG, JPEG or WebP");
    if (!length)
        return OK;
    char *end;
    errno = 0;
    long long value = strtoll(length, &end, 10);
    if (*length < '0' || *length > '9' || *end || errno || (size_t)value > rq->raw_size)
        return fail(cx, ERR_INVALID,
                    "Inference-Header-Content-Length is not a length within the body");
    ret->content = "binary";
    ret->json_length = value;
    return OK;
}

/* One exchange, on a second connection when an idle one turned out to be closed. */
static enum wire_result exchange(struct ctx *cx, const struct target *target,
                                 const struct wire_request *request, struct wire_reply *ret) {
    struct connections *connections = serving_connections(cx->app->serving);
    int64_t deadline_us = clock_mono_us() + ANSWER_US;
    for (;;) {
        bool fresh;
        int fd = connection_borrow(connections, target, &fresh);
        if (fd < 0)
            return WIRE_GONE;
        enum wire_result result = wire_exchange(fd, cx->arena, request, deadline_us, ret);
        if (result == WIRE_OK)
            connection_return(connections, target, fd);
        else
            close(fd);
        if (result != WIRE_GONE || fresh)
            return result;
    }
}

/* The target of a name, remembered or reached. */
static enum err target_find(struct ctx *cx, const struct model_ref *model, const char *key,
                            bool recall, struct target *ret) {
    struct connections *connections = serving_connections(cx->app->serving);
    if (recall && target_recall(connections, key, ret))
        return OK;
    struct model_version version;
    bool found = true;
    if (model->version_id)
        TRY(model_version_get(cx, model->version_id, &version));
    else
        TRY(model_version_by_name(cx, model->name, model->version, &version, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "Request for unknown model: '%s' is not found", model->name);
    TRY(model_version_require_servable(cx, &version));
    TRY(endpoint_reach(cx, &version, ret));
    target_remember(connections, key, ret);
    return OK;
}

static enum err wire_failed(struct ctx *cx, enum wire_result result) {
    if (result == WIRE_TIMEOUT)
        return fail(cx, ERR_TIMEOUT, "the model did not answer within %d seconds",
                    ANSWER_US / 1000000);
    enum err err =
        fail(cx, ERR_UNAVAILABLE,
             result == WIRE_GONE ? "the model's runner is gone; it is being started again"
                                 : "the model's runner broke off its answer");
    cx->err.retry_after_s = 1;
    return err;
}

/* What may be seen depends on the caller where projects have roles of their own, or the token is
 * for some only: then nobody else's look-up counts. */
static const char *key_of(struct ctx *cx, const struct model_ref *model) {
    const struct principal *who = &cx->who;
    const char *eyes =
        arena_printf(cx->arena, "%s %s %s", who->team_id, who->by_project ? who->user_id : "",
                     who->limited ? who->session_id : "");
    if (model->version_id)
        return arena_printf(cx->arena, "%s id %s", eyes, model->version_id);
    return arena_printf(cx->arena, "%s name %s %lld", eyes, model->name, (long long)model->version);
}

enum err predict(struct ctx *cx, const struct req *rq, const struct model_ref *model,
                 struct wire_reply *ret) {
    struct wire_request request = {
        .id = cx->request_id, .body = rq->raw, .body_size = rq->raw_size};
    TRY(content_of(cx, rq, &request));
    const char *key = key_of(cx, model);
    struct connections *connections = serving_connections(cx->app->serving);
    enum wire_result result = WIRE_GONE;
    struct target target;
    int64_t start_us = clock_mono_us();
    /* A remembered target may have gone since: then once more, with the truth. */
    for (int try = 0; try < 2 && result == WIRE_GONE; try++) {
        TRY(target_find(cx, model, key, try == 0, &target));
        TRY(db_commit(cx)); /* the runner is not waited for in a transaction */
        result = exchange(cx, &target, &request, ret);
        if (result == WIRE_GONE)
            target_forget(connections, &target);
    }
    bool failed = result != WIRE_OK || ret->status >= 400;
    target_count(connections, &target, failed, clock_mono_us() - start_us);
    return result == WIRE_OK ? OK : wire_failed(cx, result);
}
