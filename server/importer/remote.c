/* libcurl behind three calls. Certificates are verified, redirects refused, replies bounded. */
#include "importer/remote.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPLY_MAX_BYTES ((size_t)256 << 20) /* a page of runs with all they logged */
#define TRIES 7
#define STALLED_S 60L

struct remote {
    struct remote_options options;
    CURL *curl;
};

struct remote *remote_new(const struct remote_options *options) {
    struct remote *r = calloc(1, sizeof(*r));
    if (!r || !(r->curl = curl_easy_init()))
        abort();
    r->options = *options;
    return r;
}

void remote_free(struct remote *r) {
    if (!r)
        return;
    curl_easy_cleanup(r->curl);
    free(r);
}

const char *remote_url(const struct remote *r) {
    return r->options.url;
}

char *uri_encode(const char *text, int keep_slashes) {
    static const char PLAIN[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    auto_buf out = {0};
    buf_text(&out, "");
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (strchr(PLAIN, *c) || (keep_slashes && *c == '/'))
            buf_append(&out, c, 1);
        else
            buf_printf(&out, "%%%02X", *c);
    return strdup(out.data ? out.data : "");
}

static size_t collect(char *data, size_t size, size_t count, void *user) {
    struct buf *body = user;
    if (body->size + size * count > REPLY_MAX_BYTES)
        return 0;
    buf_append(body, data, size * count);
    return size * count;
}

/* What every call has in common; the caller adds its method and body. */
static struct curl_slist *prepare(struct remote *r, const char *path) {
    const struct remote_options *o = &r->options;
    auto_buf url = {0};
    buf_printf(&url, "%s%s", o->url, path);
    curl_easy_reset(r->curl);
    curl_easy_setopt(r->curl, CURLOPT_URL, url.data); /* libcurl copies it */
    curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(r->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(r->curl, CURLOPT_LOW_SPEED_TIME, STALLED_S);
    curl_easy_setopt(r->curl, CURLOPT_USERAGENT, "slipway-import");
    if (o->ca_file)
        curl_easy_setopt(r->curl, CURLOPT_CAINFO, o->ca_file);
    if (o->user) {
        curl_easy_setopt(r->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(r->curl, CURLOPT_USERNAME, o->user);
        curl_easy_setopt(r->curl, CURLOPT_PASSWORD, o->password ? o->password : "");
    }
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    if (o->token) {
        auto_buf bearer = {0};
        buf_printf(&bearer, "Authorization: Bearer %s", o->token);
        headers = curl_slist_append(headers, bearer.data);
    }
    return headers;
}

static enum err code_of(long status, const char *name) {
    if (strstr(name, "ALREADY_EXISTS") || status == 409)
        return ERR_CONFLICT;
    if (status == 404)
        return ERR_NOT_FOUND;
    if (status == 401 || status == 403)
        return ERR_FORBIDDEN;
    return status >= 500 ? ERR_UNAVAILABLE : ERR_INVALID;
}

/* MLflow's error, Slipway's problem, or only the status. */
static enum err refuse(struct remote *r, long status, const struct buf *body,
                       struct err_info *err) {
    auto_json *json = body->size ? json_loadb(body->data, body->size, 0, NULL) : NULL;
    const char *name = json_string_value(json_object_get(json, "error_code"));
    const char *message = json_string_value(json_object_get(json, "message"));
    if (!message)
        message = json_string_value(json_object_get(json, "detail"));
    enum err code = code_of(status, name ? name : "");
    if (message)
        return err_set(err, code, NULL, "%s", message);
    return err_set(err, code, NULL, "%s answered %ld", r->options.url, status);
}

static bool is_worth_another_try(CURLcode code, long status) {
    return (code != CURLE_OK && code != CURLE_PEER_FAILED_VERIFICATION &&
            code != CURLE_WRITE_ERROR && code != CURLE_READ_ERROR) ||
           status == 429 || status == 502 || status == 503 || status == 504;
}

/* As long as the server asks for, else 0.5 s, 1 s, 2 s, … */
static void rest(struct remote *r, int attempt) {
    curl_off_t seconds = 0;
    curl_easy_getinfo(r->curl, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 60)
        seconds = 60;
    long half_seconds = seconds > 0 ? (long)seconds * 2 : 1L << attempt;
    nanosleep(
        &(struct timespec){.tv_sec = half_seconds / 2, .tv_nsec = half_seconds % 2 * 500000000L},
        NULL);
}

struct attempt {
    struct buf *reply; /* emptied before each try */
    FILE *sent, *received;
};

static enum err perform(struct remote *r, struct curl_slist *headers, const struct attempt *a,
                        struct err_info *err) {
    long status = 0;
    CURLcode code = CURLE_OK;
    curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, headers);
    for (int attempt = 0; attempt < TRIES; attempt++) {
        buf_done(a->reply);
        *a->reply = (struct buf){0};
        if (a->sent)
            rewind(a->sent);
        if (a->received &&
            (fseek(a->received, 0, SEEK_SET) != 0 || ftruncate(fileno(a->received), 0) != 0))
            break;
        code = curl_easy_perform(r->curl);
        status = 0;
        curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
        if (!is_worth_another_try(code, status) || attempt + 1 == TRIES)
            break;
        rest(r, attempt);
    }
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return err_set(err, ERR_UNAVAILABLE, NULL, "%s: %s", r->options.url,
                       curl_easy_strerror(code));
    return status >= 200 && status < 300 ? OK : refuse(r, status, a->reply, err);
}

enum err remote_call(struct remote *r, const char *method, const char *path, const json_t *body,
                     json_t **ret, struct err_info *err) {
    auto_buf reply = {0};
    auto_free char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    struct curl_slist *headers = prepare(r, path);
    if (text) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, text);
    }
    curl_easy_setopt(r->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, &reply);
    *ret = NULL;
    TRY(perform(r, headers, &(struct attempt){.reply = &reply}, err));
    *ret = reply.size ? json_loadb(reply.data, reply.size, JSON_ALLOW_NUL, NULL) : json_object();
    if (!*ret)
        return err_set(err, ERR_UNAVAILABLE, NULL, "%s did not answer in JSON", r->options.url);
    return OK;
}

/* An error's body must not become the file: it goes to the reply's buffer. */
struct sink {
    struct remote *remote;
    FILE *file;
    struct buf *reply;
};

static size_t store(char *data, size_t size, size_t count, void *user) {
    struct sink *sink = user;
    long status = 0;
    curl_easy_getinfo(sink->remote->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status >= 300)
        return collect(data, size, count, sink->reply);
    return fwrite(data, 1, size * count, sink->file);
}

enum err remote_fetch(struct remote *r, const char *path, FILE *to, struct err_info *err) {
    auto_buf reply = {0};
    struct sink sink = {r, to, &reply};
    struct curl_slist *headers = prepare(r, path);
    curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, store);
    curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, &sink);
    TRY(perform(r, headers, &(struct attempt){.reply = &reply, .received = to}, err));
    return fflush(to) == 0 ? OK
                           : err_set(err, ERR_INTERNAL, NULL, "a temporary file is not writable");
}

enum err remote_send(struct remote *r, const char *path, FILE *from, int64_t size,
                     struct err_info *err) {
    auto_buf reply = {0};
    struct curl_slist *headers = prepare(r, path);
    headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
    curl_easy_setopt(r->curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(r->curl, CURLOPT_READDATA, from);
    curl_easy_setopt(r->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, &reply);
    return perform(r, headers, &(struct attempt){.reply = &reply, .sent = from}, err);
}
