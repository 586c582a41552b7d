/* libcurl behind the worker's five calls. Certificates are always verified; redirects are refused;
 * replies are bounded. */

#include "worker/api.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/jsontext.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#define REPLY_MAX_BYTES (8 * 1024 * 1024)
#define CALL_TIMEOUT_S 40L /* a lease poll waits 20 s on the server */

struct api {
    const struct worker *worker;
    CURL *curl;
    char authorization[300];
};

struct api *api_new(const struct worker *w) {
    struct api *api = calloc(1, sizeof(*api));
    if (!api || !(api->curl = curl_easy_init()))
        abort();
    api->worker = w;
    snprintf(api->authorization, sizeof(api->authorization), "Authorization: Bearer %s", w->token);
    return api;
}

void api_free(struct api *api) {
    if (!api)
        return;
    curl_easy_cleanup(api->curl);
    free(api);
}

void api_reply_done(struct api_reply *reply) {
    json_decref(reply->json);
    reply->json = NULL;
}

static size_t collect(char *data, size_t size, size_t count, void *user) {
    struct buf *body = user;
    if (body->size + size * count > REPLY_MAX_BYTES)
        return 0;
    buf_append(body, data, size * count);
    return size * count;
}

static int stop_when_stopping(void *user, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d) {
    (void)a, (void)b, (void)c, (void)d;
    const struct api *api = user;
    return atomic_load(&api->worker->stopping) ? 1 : 0;
}

/* What every call has in common; the caller adds its method and body. */
static struct curl_slist *prepare(struct api *api, const char *path, int64_t epoch) {
    const struct worker_options *o = &api->worker->options;
    char url[WORKER_PATH_MAX];
    snprintf(url, sizeof(url), "%s%s", o->server, path);
    curl_easy_reset(api->curl);
    curl_easy_setopt(api->curl, CURLOPT_URL, url);
    curl_easy_setopt(api->curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(api->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(api->curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(api->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(api->curl, CURLOPT_USERAGENT, "slipway-worker");
    if (o->ca_file)
        curl_easy_setopt(api->curl, CURLOPT_CAINFO, o->ca_file);
    struct curl_slist *headers = curl_slist_append(NULL, api->authorization);
    headers = curl_slist_append(headers, "Expect:");
    if (epoch) {
        char text[64];
        snprintf(text, sizeof(text), "X-Slipway-Epoch: %lld", (long long)epoch);
        headers = curl_slist_append(headers, text);
    }
    return headers;
}

static long perform(struct api *api, struct curl_slist *headers, char *ret_message, size_t cap) {
    curl_easy_setopt(api->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code = curl_easy_perform(api->curl);
    curl_slist_free_all(headers);
    long status = 0;
    if (code == CURLE_OK)
        curl_easy_getinfo(api->curl, CURLINFO_RESPONSE_CODE, &status);
    else if (ret_message)
        snprintf(ret_message, cap, "%s", curl_easy_strerror(code));
    return status;
}

static void read_reply(const struct buf *body, struct api_reply *ret) {
    struct err_info err;
    if (!body->size || json_parse(body->data, body->size, REPLY_MAX_BYTES, &ret->json, &err) != OK)
        return;
    const char *detail = json_string_value(json_object_get(ret->json, "detail"));
    if (detail)
        snprintf(ret->message, sizeof(ret->message), "%s", detail);
}

void api_call(struct api *api, const char *method, const char *path, const json_t *body,
              bool interruptible, struct api_reply *ret) {
    memset(ret, 0, sizeof(*ret));
    auto_buf reply = {0};
    auto_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct curl_slist *headers = prepare(api, path, 0);
    if (text)
        headers = curl_slist_append(headers, "Content-Type: application/json");
    curl_easy_setopt(api->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(api->curl, CURLOPT_POSTFIELDS, text ? text : "");
    curl_easy_setopt(api->curl, CURLOPT_TIMEOUT, CALL_TIMEOUT_S);
    curl_easy_setopt(api->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(api->curl, CURLOPT_WRITEDATA, &reply);
    if (interruptible) {
        curl_easy_setopt(api->curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(api->curl, CURLOPT_XFERINFOFUNCTION, stop_when_stopping);
        curl_easy_setopt(api->curl, CURLOPT_XFERINFODATA, api);
    }
    ret->status = perform(api, headers, ret->message, sizeof(ret->message));
    read_reply(&reply, ret);
}

struct download {
    int fd;
    int64_t left;
    struct sha256 *hash;
};

static size_t store(char *data, size_t size, size_t count, void *user) {
    struct download *d = user;
    size_t n = size * count;
    if ((int64_t)n > d->left)
        return 0;
    for (size_t done = 0; done < n;) {
        ssize_t wrote = write(d->fd, data + done, n - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return 0;
        done += (size_t)wrote;
    }
    sha256_update(d->hash, data, n);
    d->left -= (int64_t)n;
    return n;
}

enum err api_download(struct api *api, const char *path, int64_t epoch, int fd, const char *sha256,
                      int64_t size_bytes, struct err_info *err) {
    struct download d = {.fd = fd, .left = size_bytes, .hash = sha256_new()};
    char why[256] = "";
    struct curl_slist *headers = prepare(api, path, epoch);
    curl_easy_setopt(api->curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(api->curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
    curl_easy_setopt(api->curl, CURLOPT_LOW_SPEED_TIME, 30L);
    curl_easy_setopt(api->curl, CURLOPT_WRITEFUNCTION, store);
    curl_easy_setopt(api->curl, CURLOPT_WRITEDATA, &d);
    long status = perform(api, headers, why, sizeof(why));
    char got[SHA256_TEXT_SIZE];
    sha256_final_hex(d.hash, got);
    sha256_free(d.hash);
    if (status != 200)
        return err_set(err, ERR_UNAVAILABLE, NULL, "could not fetch an input: %s", why);
    if (d.left != 0 || strcmp(got, sha256) != 0)
        return err_set(err, ERR_UNAVAILABLE, NULL, "an input arrived damaged");
    return OK;
}

struct source {
    int fd;
    off_t at;
};

static size_t supply(char *data, size_t size, size_t count, void *user) {
    struct source *s = user;
    ssize_t n = pread(s->fd, data, size * count, s->at);
    if (n < 0)
        return CURL_READFUNC_ABORT;
    s->at += n;
    return (size_t)n;
}

long api_upload(struct api *api, const char *path, int64_t epoch, int fd, int64_t size_bytes) {
    struct source source = {.fd = fd};
    auto_buf reply = {0};
    struct curl_slist *headers = prepare(api, path, epoch);
    headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
    curl_easy_setopt(api->curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(api->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size_bytes);
    curl_easy_setopt(api->curl, CURLOPT_READFUNCTION, supply);
    curl_easy_setopt(api->curl, CURLOPT_READDATA, &source);
    curl_easy_setopt(api->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(api->curl, CURLOPT_WRITEDATA, &reply);
    curl_easy_setopt(api->curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
    curl_easy_setopt(api->curl, CURLOPT_LOW_SPEED_TIME, 30L);
    return perform(api, headers, NULL, 0);
}
