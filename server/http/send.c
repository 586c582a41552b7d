/* Writes a finished reply out: status line, headers, body. The only place where a reply becomes
 * bytes of HTTP, so the only place that has to set the security headers, on every reply there is.
 *
 * A small body goes out in one write with its head (one TLS record); files go in pieces of 64 KiB,
 * so a reader however slow costs one buffer; a stream ends with its connection. */
#include "http/internal.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define PIECE_SIZE ((size_t)64 * 1024)
#define SMALL_BODY ((size_t)32 * 1024)
/* A reader that takes less than this in a window is cut off: it holds one of our threads. */
#define SEND_WINDOW_US (30 * 1000000LL)
#define SEND_WINDOW_BYTES ((int64_t)512 * 1024)

static const char POLICY[] =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self'; frame-src blob:; font-src 'self'; "
    "connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'\r\n";
/* Bytes that somebody uploaded, opened as a page: no script, no origin. */
static const char SANDBOX_POLICY[] =
    "Content-Security-Policy: sandbox; default-src 'none'; frame-ancestors 'none'\r\n";
static const char SECURITY_HEADERS[] =
    "X-Content-Type-Options: nosniff\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(), microphone=(), geolocation=()\r\n"
    "Strict-Transport-Security: max-age=63072000; includeSubDomains\r\n";

static void add_date(struct buf *head) {
    char text[64];
    struct tm at;
    time_t now = (time_t)(clock_now_us() / 1000000);
    gmtime_r(&now, &at);
    strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &at);
    buf_text(head, text);
}

static void add_common(const struct http_call *call, struct buf *head) {
    const struct reply *rp = &call->reply;
    bool foreign = rp->kind == REPLY_FILE && !rp->cache_control;

    buf_printf(head, "HTTP/1.1 %d %s\r\n", rp->status, status_to_string(rp->status));
    add_date(head);
    buf_text(head, foreign ? SANDBOX_POLICY : POLICY);
    buf_text(head, SECURITY_HEADERS);
    buf_printf(head, "X-Request-Id: %s\r\n", call->cx->request_id);
    buf_printf(head, "Cache-Control: %s\r\n", rp->cache_control ? rp->cache_control : "no-store");
    for (size_t i = 0; i < rp->header_count; i++)
        buf_printf(head, "%s: %s\r\n", rp->headers[i].name, rp->headers[i].value);
    if (call->close)
        buf_text(head, "Connection: close\r\n");
}

static bool put(struct http_call *call, const void *data, size_t size) {
    if (!http_io_write(call->io, data, size))
        return false;
    call->sent_bytes += (int64_t)size;
    return true;
}

static void send_bytes(struct http_call *call) {
    const struct reply *rp = &call->reply;
    auto_buf out = {0};
    bool body_allowed = rp->status != 204 && rp->status != 304;

    add_common(call, &out);
    if (rp->size > 0 && rp->media_type)
        buf_printf(&out, "Content-Type: %s\r\n", rp->media_type);
    if (body_allowed)
        buf_printf(&out, "Content-Length: %zu\r\n", rp->size);
    buf_text(&out, "\r\n");
    bool with_body = body_allowed && call->request.method != HEAD;
    if (with_body && rp->size <= SMALL_BODY)
        buf_append(&out, rp->data ? rp->data : "", rp->size);
    if (put(call, out.data, out.size) && with_body && rp->size > SMALL_BODY)
        (void)put(call, rp->data, rp->size);
}

/* Types a browser would run or render as a document of ours. */
static bool is_active(const char *media_type) {
    static const char *const ACTIVE[] = {"text/html", "application/xhtml+xml", "image/svg+xml",
                                         "text/xml",  "application/xml",       "application/pdf"};
    size_t length = strcspn(media_type, "; ");
    for (size_t i = 0; i < sizeof(ACTIVE) / sizeof(ACTIVE[0]); i++)
        if (strlen(ACTIVE[i]) == length && strncasecmp(media_type, ACTIVE[i], length) == 0)
            return true;
    return false;
}

/* RFC 6266: an ASCII name for old readers, and the true one percent-encoded. */
static void add_disposition(struct buf *head, const char *name) {
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-";
    buf_text(head, "Content-Disposition: attachment; filename=\"");
    for (const char *p = name; *p; p++)
        buf_append(head, strchr(PLAIN, *p) ? p : "_", 1);
    buf_text(head, "\"; filename*=UTF-8''");
    for (const char *p = name; *p; p++) {
        if (strchr(PLAIN, *p))
            buf_append(head, p, 1);
        else
            buf_printf(head, "%%%02X", (unsigned)(unsigned char)*p);
    }
    buf_text(head, "\r\n");
}

static bool matches_etag(const char *header, const char *etag) {
    size_t length = strlen(etag);
    if (!header)
        return false;
    for (const char *at = header; (at = strstr(at, etag)); at += length)
        if (at > header && at[-1] == '"' && at[length] == '"')
            return true;
    return strcmp(header, "*") == 0;
}

/* The part of the file to send. If-Range with another validator asks for the whole. */
static void choose_range(struct http_call *call, int64_t *first, int64_t *last) {
    struct reply *rp = &call->reply;
    const char *range = http_head_get(call->rq.head, "range");
    const char *if_range = http_head_get(call->rq.head, "if-range");
    const char *etag = rp->file.etag;

    *first = 0;
    *last = rp->file.size_bytes - 1;
    if (etag && matches_etag(http_head_get(call->rq.head, "if-none-match"), etag)) {
        rp->status = 304;
        return;
    }
    if (!range || rp->status != 200 || (if_range && !(etag && matches_etag(if_range, etag))))
        return;
    enum range_kind kind = range_parse(range, rp->file.size_bytes, first, last);
    if (kind == RANGE_ONE)
        rp->status = 206;
    else if (kind == RANGE_UNSATISFIABLE)
        rp->status = 416;
}

static void add_file_headers(struct http_call *call, struct buf *head, int64_t first,
                             int64_t last) {
    const struct reply_file *file = &call->reply.file;
    bool typed = file->media_type && is_header_text(file->media_type);
    const char *type = typed ? file->media_type : "application/octet-stream";
    bool own = call->reply.cache_control != NULL;

    buf_text(head, "Accept-Ranges: bytes\r\n");
    if (file->etag)
        buf_printf(head, "ETag: \"%s\"\r\n", file->etag);
    if (call->reply.status == 304)
        return;
    if (call->reply.status == 416) {
        buf_printf(head, "Content-Range: bytes */%lld\r\nContent-Length: 0\r\n",
                   (long long)file->size_bytes);
        return;
    }
    buf_printf(head, "Content-Type: %s\r\n", type);
    if (file->file_name || (!own && is_active(type)))
        add_disposition(head, file->file_name ? file->file_name : "file");
    if (call->reply.status == 206)
        buf_printf(head, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)first,
                   (long long)last, (long long)file->size_bytes);
    buf_printf(head, "Content-Length: %lld\r\n", (long long)(last - first + 1));
}

struct pace {
    int64_t started_us, sent;
};

static bool keeps_pace(struct pace *pace, int64_t sent) {
    int64_t now = clock_mono_us();
    if (now - pace->started_us <= SEND_WINDOW_US)
        return true;
    bool fast = sent - pace->sent >= SEND_WINDOW_BYTES;
    *pace = (struct pace){now, sent};
    return fast;
}

/* A file that shrank under us, or a reader that is gone, can only be told by closing early. */
static void send_pieces(struct http_call *call, int64_t first, int64_t last) {
    auto_free char *piece = malloc(PIECE_SIZE);
    struct pace pace = {clock_mono_us(), call->sent_bytes};
    int64_t at = first;

    while (piece && at <= last && keeps_pace(&pace, call->sent_bytes)) {
        int64_t left = last - at + 1;
        size_t want = left < (int64_t)PIECE_SIZE ? (size_t)left : PIECE_SIZE;
        ssize_t n = pread(call->reply.file.fd, piece, want, at);
        if (n <= 0 || !put(call, piece, (size_t)n))
            break;
        at += n;
    }
    if (at <= last)
        call->io->ops->close_after(call->io);
}

static void send_file(struct http_call *call) {
    auto_buf head = {0};
    int64_t first, last;

    choose_range(call, &first, &last);
    add_common(call, &head);
    add_file_headers(call, &head, first, last);
    buf_text(&head, "\r\n");
    int status = call->reply.status;
    bool with_body = (status == 200 || status == 206) && call->request.method != HEAD;
    if (put(call, head.data, head.size) && with_body)
        send_pieces(call, first, last);
}

static void send_stream(struct http_call *call) {
    struct reply *rp = &call->reply;
    auto_buf head = {0};

    call->close = true;
    call->io->ops->close_after(call->io);
    add_common(call, &head);
    buf_printf(&head, "Content-Type: %s\r\nX-Accel-Buffering: no\r\n\r\n", rp->stream.media_type);
    if (put(call, head.data, head.size) && call->request.method != HEAD)
        call->err = rp->stream.run(call->cx, call->io, rp->stream.arg);
}

void reply_send(struct http_call *call) {
    if (call->close)
        call->io->ops->close_after(call->io);
    if (call->reply.kind == REPLY_FILE)
        send_file(call);
    else if (call->reply.kind == REPLY_STREAM)
        send_stream(call);
    else
        send_bytes(call);
    call->sent_status = call->reply.status;
}

bool http_io_write(struct http_io *io, const void *data, size_t size) {
    return io->ops->write(io, data, size);
}

bool http_io_is_open(struct http_io *io) {
    return io->ops->is_open(io);
}
