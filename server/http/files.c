/* The UI's files, and ranges.
 *
 * A path of the UI is either a file below static_dir or, without a file extension, a page of the
 * application, which is index.html. Files are opened below the directory's descriptor, never
 * through a link; the gate has already refused everything with dot segments. A .br or .gz beside a
 * file is sent instead where the browser takes it. Names under /assets/ carry a hash of their
 * content, so they are cached for ever; everything else is asked for again each time. */
#include "http/internal.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define RANGE_DIGITS 18

static bool parse_number(const char **at, int64_t *ret) {
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > RANGE_DIGITS)
        return false;
    *ret = strtoll(*at, NULL, 10);
    *at += digits;
    return true;
}

enum range_kind range_parse(const char *header, int64_t size, int64_t *ret_first,
                            int64_t *ret_last) {
    int64_t first = 0, last = size - 1;
    if (strncasecmp(header, "bytes=", 6) != 0)
        return RANGE_NONE;
    const char *at = header + 6;
    bool suffix = *at == '-';
    if (suffix) {
        at++;
        if (!parse_number(&at, &first) || *at)
            return RANGE_NONE;
        if (first == 0)
            return RANGE_UNSATISFIABLE;
        first = first < size ? size - first : 0;
    } else {
        if (!parse_number(&at, &first) || *at++ != '-')
            return RANGE_NONE;
        if (*at && (!parse_number(&at, &last) || *at || last < first))
            return RANGE_NONE;
    }
    if (first >= size)
        return RANGE_UNSATISFIABLE;
    *ret_first = first;
    *ret_last = last < size ? last : size - 1;
    return RANGE_ONE;
}

static const struct {
    const char *extension, *media_type;
} MEDIA_TYPES[] = {{".html", "text/html; charset=utf-8"},
                   {".js", "text/javascript; charset=utf-8"},
                   {".css", "text/css; charset=utf-8"},
                   {".json", "application/json; charset=utf-8"},
                   {".map", "application/json; charset=utf-8"},
                   {".svg", "image/svg+xml"},
                   {".png", "image/png"},
                   {".ico", "image/vnd.microsoft.icon"},
                   {".woff2", "font/woff2"},
                   {".txt", "text/plain; charset=utf-8"},
                   {".webmanifest", "application/manifest+json"}};

static const char *media_type_of(const char *path) {
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof(MEDIA_TYPES) / sizeof(MEDIA_TYPES[0]); i++)
        if (strcmp(dot, MEDIA_TYPES[i].extension) == 0)
            return MEDIA_TYPES[i].media_type;
    return "application/octet-stream";
}

/* "gzip, br;q=0" does not take br. */
static bool accepts(const char *header, const char *coding) {
    size_t length = strlen(coding);
    for (const char *at = header; at && *at;) {
        at += strspn(at, ", \t");
        size_t item = strcspn(at, ",");
        if (strncasecmp(at, coding, length) == 0 && strchr(",; \t", at[length])) {
            const char *q = strstr(at, "q=0");
            return !(q && q < at + item && strspn(q + 3, ".0") == strcspn(q + 3, ", \t"));
        }
        at += item;
    }
    return false;
}

static int open_file(int dir, const char *path, struct stat *ret) {
    auto_fd fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, ret) != 0 || !S_ISREG(ret->st_mode))
        return -1;
    return take_fd(fd);
}

static int open_encoded(struct ctx *cx, const struct req *rq, struct reply *rp, const char *path,
                        struct stat *ret) {
    static const char *const CODINGS[][2] = {{"br", ".br"}, {"gzip", ".gz"}};
    int dir = cx->app->http->static_fd;
    const char *accepted = req_header(rq, "accept-encoding");

    for (size_t i = 0; i < 2; i++) {
        if (!accepts(accepted, CODINGS[i][0]))
            continue;
        int fd = open_file(dir, arena_printf(cx->arena, "%s%s", path, CODINGS[i][1]), ret);
        if (fd >= 0) {
            reply_header(cx, rp, "Content-Encoding", CODINGS[i][0]);
            return fd;
        }
    }
    return open_file(dir, path, ret);
}

static enum err reply_static(struct ctx *cx, const struct req *rq, struct reply *rp,
                             const char *path) {
    struct stat st;
    bool hashed = strncmp(path, "assets/", 7) == 0;
    int fd = open_encoded(cx, rq, rp, path, &st);
    if (fd < 0)
        return fail(cx, ERR_NOT_FOUND, "there is nothing at this path");
    reply_file(rp, &(struct reply_file){.fd = fd,
                                        .size_bytes = st.st_size,
                                        .media_type = media_type_of(path),
                                        .etag = arena_printf(cx->arena, "%llx-%llx-%llx",
                                                             (unsigned long long)st.st_ino,
                                                             (unsigned long long)st.st_mtim.tv_sec,
                                                             (unsigned long long)st.st_size)});
    rp->cache_control = hashed ? "public, max-age=31536000, immutable" : "no-cache";
    reply_header(cx, rp, "Vary", "Accept-Encoding");
    return OK;
}

enum err get_static(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *path = req_param(rq, "rest");
    const char *name = strrchr(path, '/');
    bool is_page = !strchr(name ? name : path, '.');
    size_t length = strlen(path);

    /* "x/" and "x//y" are not other names of "x" and "x/y". */
    if (cx->app->http->static_fd < 0 || (length && path[length - 1] == '/') || path[0] == '/' ||
        strstr(path, "//"))
        return fail(cx, ERR_NOT_FOUND, "there is nothing at this path");
    return reply_static(cx, rq, rp, is_page ? "index.html" : path);
}
