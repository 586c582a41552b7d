/* The listener, with raw sockets: what smugglers, drippers and idlers send, byte for byte.
 *
 * Whatever is sent, there is one reply at most, it carries the security headers, and after a
 * refusal the connection is closed. Slow and silent peers end in bounded time while others are
 * served. */
#include "http/server.h"
#include "tests/http/tls_client.h"
#include "tests/support/cmocka_all.h"

#include "base/arena.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

/* civetweb's threads read the flag that mg_stop() sets without a lock; they look again soon. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void) {
    return "race:mg_stop";
}

static struct app app;
static char dir[] = "/tmp/slipway-server-XXXXXX";
static int port;
static atomic_int sunk; /* whole bodies that reached the end of put_sink() */

/* --- the server under test, with routes of its own --- */

struct echo {
    const char *text;
};
static const struct field ECHO_FIELDS[] = {
    FIELD(STRING, struct echo, text, .flags = FIELD_REQUIRED, .max = 100)};
static SHAPE(ECHO, "Echo", struct echo, ECHO_FIELDS);

static enum err get_plain(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx, (void)rq;
    reply_bytes(rp, "text/plain; charset=utf-8", "plain\n", 6);
    return OK;
}

static enum err get_failing(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq, (void)rp;
    return (fail)(cx, ERR_INTERNAL, "it failed"); /* cmocka has a macro of that name */
}

static enum err post_echo(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx;
    reply_object(rp, rq->body);
    return OK;
}

/* Slow enough to be under way when the server is told to stop. */
static enum err get_slow(struct ctx *cx, const struct req *rq, struct reply *rp) {
    usleep(700000);
    return get_plain(cx, rq, rp);
}

static enum err put_sink(struct ctx *cx, const struct req *rq, struct reply *rp) {
    char *piece = arena_alloc(cx->arena, 65536);
    size_t n = 1, total = 0;
    while (n > 0) {
        TRY(req_read(cx, rq, piece, 65536, &n));
        total += n;
    }
    atomic_fetch_add(&sunk, 1);
    reply_json(rp, json_pack("{s:I}", "size", (json_int_t)total));
    return OK;
}

static enum err get_big(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    int fd = open(arena_printf(cx->arena, "%s/big", dir), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int64_t size = (int64_t)1 << 30;
    assert_int_equal(ftruncate(fd, size), 0);
    reply_file(rp, &(struct reply_file){.fd = fd, .size_bytes = size, .file_name = "big"});
    return OK;
}

static const struct route ROUTES[] = {
    {GET, "/plain", SCOPE_PUBLIC, .handle = get_plain, .doc = "text", .flags = ROUTE_ANONYMOUS},
    {GET, "/failing", SCOPE_PUBLIC, .handle = get_failing, .doc = "500", .flags = ROUTE_ANONYMOUS},
    {GET, "/slow", SCOPE_PUBLIC, .handle = get_slow, .doc = "late", .flags = ROUTE_ANONYMOUS,
     .rate = RATE_SEARCH},
    {GET, "/big", SCOPE_PUBLIC, .handle = get_big, .doc = "1 GiB", .flags = ROUTE_ANONYMOUS},
    {POST, "/echo", SCOPE_PUBLIC, .body = &ECHO, .reply = &ECHO, .handle = post_echo, .doc = "back",
     .flags = ROUTE_ANONYMOUS},
    {PUT, "/sink", SCOPE_PUBLIC, .handle = put_sink, .doc = "swallow",
     .flags = ROUTE_ANONYMOUS | ROUTE_STREAM_BODY, .rate = RATE_UPLOAD},
    {PATCH, "/sink", SCOPE_PUBLIC, .handle = put_sink, .doc = "swallow",
     .flags = ROUTE_ANONYMOUS | ROUTE_STREAM_BODY, .rate = RATE_UPLOAD},
    {DELETE, "/plain", SCOPE_PUBLIC, .handle = get_plain, .doc = "text", .flags = ROUTE_ANONYMOUS},
};

static enum err nobody(struct ctx *cx, const struct http_head *head) {
    (void)cx, (void)head;
    return OK;
}

static const struct http_hooks HOOKS = {.authenticate = nobody};

static int free_port(void) {
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t length = sizeof(at);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &length), 0);
    return ntohs(at.sin_port);
}

static void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run(const char *format, ...) {
    char command[512];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static const char *in_dir(const char *name) {
    static char texts[4][128];
    static int next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof(texts[0]), "%s/%s", dir, name);
    return text;
}

static int setup(void **state) {
    static const char *const HOSTS[] = {"localhost", NULL};
    static char listen[64], certificate[128], key[128];
    static struct http_options options = {.hosts = HOSTS, .threads = 32, .streams = 4};
    struct err_info err = {0};
    (void)state;

    assert_non_null(mkdtemp(dir));
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        "-subj /CN=localhost -keyout '%s/tls.key' -out '%s/tls.crt' 2>/dev/null",
        dir, dir);
    run("mkdir '%s/ui' && echo '<title>ui</title>' >'%s/ui/index.html'", dir, dir);
    port = free_port();
    snprintf(listen, sizeof(listen), "127.0.0.1:%d", port);
    snprintf(certificate, sizeof(certificate), "%s", in_dir("tls.crt"));
    snprintf(key, sizeof(key), "%s", in_dir("tls.key"));
    options.listen = listen;
    options.certificate = certificate;
    options.private_key = key;
    options.key_dir = dir;
    options.static_dir = in_dir("ui");
    assert_ok(cursor_key_create(dir, &err), &err);
    struct http_registry *registry = http_registry_new(&HOOKS);
    http_register(registry, ROUTES, ROUTES_COUNT(ROUTES));
    http_register(registry, HTTP_ROUTES, HTTP_ROUTE_COUNT);
    assert_ok(http_server_new(&options, registry, &app.http, &err), &err);
    assert_ok(http_listen(&app, &err), &err);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    http_drain(app.http);
    http_wait_idle(app.http, 5000);
    http_server_free(app.http);
    run("rm -rf '%s'", dir);
    return 0;
}

/* --- smuggling --- */

#define SECOND "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define JUNK "X-A: 1\r\nX-B: 2\r\nX-C: 3\r\nX-D: 4\r\nX-E: 5\r\nX-F: 6\r\nX-G: 7\r\n"
#define JUNK56 JUNK JUNK JUNK JUNK JUNK JUNK JUNK JUNK

struct attack {
    const char *what;
    const char *bytes;
    int status; /* 0 = any refusal */
};

static const struct attack ATTACKS[] = {
    {"length, then coding",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"
     "\r\n0\r\n\r\n" SECOND,
     400},
    {"coding, then length",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"
     "\r\n0\r\n\r\n" SECOND,
     400},
    {"two lengths",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: "
     "44\r\n\r\n" SECOND,
     400},
    {"length +3", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: +3\r\n\r\nabc" SECOND,
     0},
    {"length -1", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\nabc" SECOND,
     0},
    {"length 0x3",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x3\r\n\r\nabc" SECOND, 400},
    {"length 3,3",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3,3\r\n\r\nabc" SECOND, 400},
    {"length 3x", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3x\r\n\r\nabc" SECOND,
     400},
    {"empty length", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: \r\n\r\nabc" SECOND,
     0},
    {"length of 20 digits",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
     "10000000000000000000\r\n\r\nabc" SECOND,
     400},
    {"no length", "POST /echo HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 0},
    {"no length, DELETE", "DELETE /plain HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 200},
    {"coding xchunked",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" SECOND,
     0},
    {"coding identity",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" SECOND,
     0},
    {"coding chunked, identity",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n"
     "0\r\n\r\n" SECOND,
     0},
    {"two codings",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND,
     0},
    {"chunked where no stream is read",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" SECOND,
     400},
    {"chunk size -1",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
     "chunked\r\n\r\n-1\r\nabc\r\n" SECOND,
     400},
    {"chunk size FFFFFFFFFFFFFFFF",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
     "FFFFFFFFFFFFFFFF\r\nabc\r\n" SECOND,
     400},
    {"chunk size ZZ",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
     "chunked\r\n\r\nZZ\r\nabc\r\n" SECOND,
     400},
    {"chunk extension",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3;a=b\r\nabc\r\n0\r\n\r\n" SECOND,
     400},
    {"trailer",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n0\r\nX: 1\r\n\r\n" SECOND,
     400},
    {"chunk without its end",
     "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: "
     "chunked\r\n\r\n3\r\nabcdef" SECOND,
     400},
    {"bare line feeds", "POST /echo HTTP/1.1\nHost: localhost\nContent-Length: 3\n\nabc" SECOND, 0},
    {"one bare line feed",
     "POST /echo HTTP/1.1\r\nHost: localhost\nX: 1\r\nContent-Length: 3\r\n\r\nabc" SECOND, 0},
    {"folded line",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nX: 1\r\n 2\r\nContent-Length: 3\r\n\r\nabc" SECOND,
     0},
    {"folded line, then length",
     "POST /plain HTTP/1.1\r\nHost: localhost\r\nX: 1\r\n\t2\r\nContent-Length: 44\r\n\r\n" SECOND,
     0},
    {"blank before colon",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length : 3\r\n\r\nabc" SECOND, 0},
    {"line without colon",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length 3\r\n\r\nabc" SECOND, 0},
    {"60 headers",
     "GET /plain HTTP/1.1\r\nHost: localhost\r\n" JUNK56 "A: 1\r\nB: 1\r\nC: 1\r\n\r\n", 400},
    {"70 headers, then length",
     "POST /plain HTTP/1.1\r\nHost: localhost\r\n" JUNK56 JUNK JUNK
     "Content-Length: 44\r\n\r\n" SECOND,
     0},
    {"CR in a value", "GET /plain HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n" SECOND, 0},
    {"CR LF in the path", "GET /pla%0d%0ain HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 400},
    {"NUL in the path", "GET /plain%00 HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 400},
    {"dot segments", "GET /x/../plain HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 400},
    {"encoded dot segments", "GET /x/%2e%2e/plain HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 400},
    {"encoded slash", "GET /x%2fplain HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 400},
    {"no host", "GET /plain HTTP/1.1\r\nX: 1\r\n\r\n" SECOND, 400},
    {"two hosts", "GET /plain HTTP/1.1\r\nHost: localhost\r\nHost: evil\r\n\r\n" SECOND, 400},
    {"foreign host", "GET /plain HTTP/1.1\r\nHost: evil.example\r\n\r\n" SECOND, 421},
    {"body on GET", "GET /plain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n\r\n" SECOND,
     400},
    {"TRACE", "TRACE /plain HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 0},
    {"unknown verb", "BREW /plain HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 0},
    {"HTTP/1.2", "GET /plain HTTP/1.2\r\nHost: localhost\r\n\r\n" SECOND, 505},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" SECOND, 0},
    {"two blanks in the line", "GET  /plain HTTP/1.1\r\nHost: localhost\r\n\r\n" SECOND, 0},
    {"no version", "GET /plain\r\nHost: localhost\r\n\r\n" SECOND, 0},
    {"body of another kind left unread",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: "
     "44\r\n\r\n" SECOND,
     400},
    {"body where none belongs",
     "DELETE /plain HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n\r\n" SECOND, 400},
    {"body too large",
     "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
     "Content-Length: 99999999\r\n\r\n" SECOND,
     413},
};

static void assert_has_headers(const char *what, const struct buf *out) {
    static const char *const ALWAYS[] = {"Content-Security-Policy: ",
                                         "X-Content-Type-Options: nosniff",
                                         "Referrer-Policy: ",
                                         "Strict-Transport-Security: ",
                                         "Cross-Origin-Opener-Policy: ",
                                         "X-Request-Id: ",
                                         "Cache-Control: ",
                                         "Date: "};
    for (size_t i = 0; i < sizeof(ALWAYS) / sizeof(ALWAYS[0]); i++)
        if (!out->data || !strstr(out->data, ALWAYS[i]))
            fail_msg("%s: the reply has no %s: %s", what, ALWAYS[i], out->data ? out->data : "");
    if (strstr(out->data, "Server:") || strstr(out->data, "Access-Control"))
        fail_msg("%s: a header too many: %s", what, out->data);
}

static int status_of(const struct buf *out) {
    return out->data && out->size > 12 ? atoi(out->data + 9) : 0;
}

static void run_attack(const struct attack *a) {
    struct tls_client c;
    auto_buf out = {0};
    assert_true(tls_open(&c, port));
    assert_true(tls_send(&c, a->bytes, strlen(a->bytes)));
    bool closed = tls_drain(&c, &out, 1000);
    tls_close(&c);
    if (!closed)
        fail_msg("%s: the connection stayed open: %s", a->what, out.data ? out.data : "");
    if (count_replies(&out) != 1)
        fail_msg("%s: %d replies: %s", a->what, count_replies(&out), out.data ? out.data : "");
    int status = status_of(&out);
    if (a->status ? status != a->status : status < 400)
        fail_msg("%s: status %d: %s", a->what, status, out.data);
    assert_has_headers(a->what, &out);
}

static void test_server__answers_no_smuggled_request(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(ATTACKS) / sizeof(ATTACKS[0]); i++)
        run_attack(&ATTACKS[i]);
    assert_int_equal(atomic_load(&sunk), 0);
}

static void test_server__drops_a_body_that_ends_early(void **state) {
    static const char *const BODIES[] = {
        "PUT /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nonly this",
        "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"};
    int before = atomic_load(&sunk);
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct tls_client c;
        auto_buf out = {0};
        assert_true(tls_open(&c, port));
        assert_true(tls_send(&c, BODIES[i], strlen(BODIES[i])));
        SSL_shutdown(c.ssl);
        shutdown(c.fd, SHUT_WR);
        assert_true(tls_drain(&c, &out, 2000));
        tls_close(&c);
    }
    assert_int_equal(atomic_load(&sunk), before);
}

/* --- what must work --- */

static void assert_served(struct tls_client *c, const char *request, int status) {
    auto_buf out = {0};
    assert_true(tls_send(c, request, strlen(request)));
    tls_drain(c, &out, 300);
    if (status_of(&out) != status || count_replies(&out) != 1)
        fail_msg("%s\ngave %s", request, out.data ? out.data : "nothing");
    assert_has_headers(request, &out);
}

static void test_server__keeps_a_good_connection(void **state) {
    struct tls_client c;
    (void)state;
    assert_true(tls_open(&c, port));
    assert_served(&c, SECOND, 200);
    assert_served(&c,
                  "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                  "Content-Length: 12\r\n\r\n{\"text\":\"a\"}",
                  200);
    assert_served(&c,
                  "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
                  200);
    assert_served(&c, "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", 200);
    assert_served(&c, "GET /plain/x HTTP/1.1\r\nHost: localhost\r\n\r\n", 404);
    assert_served(&c, "GET /failing HTTP/1.1\r\nHost: localhost\r\n\r\n", 500);
    assert_served(&c, "HEAD /livez HTTP/1.1\r\nHost: localhost\r\n\r\n", 200);
    tls_close(&c);
}

static void test_server__speaks_no_old_tls(void **state) {
    (void)state;
    SSL_CTX *old = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(old, 0);
    SSL_CTX_set_max_proto_version(old, TLS1_1_VERSION);
    auto_fd fd = tcp_connect(port);
    SSL *ssl = SSL_new(old);
    SSL_set_fd(ssl, fd);
    assert_int_not_equal(SSL_connect(ssl), 1);
    SSL_free(ssl);
    SSL_CTX_free(old);
}

static void test_server__refuses_a_key_that_others_may_read(void **state) {
    struct err_info err = {0};
    struct app other = app;
    (void)state;
    assert_int_equal(chmod(in_dir("tls.key"), 0640), 0);
    assert_err(ERR_INTERNAL, http_listen(&other, &err));
    assert_non_null(strstr(err.message, "accessible to others"));
    assert_int_equal(chmod(in_dir("tls.key"), 0600), 0);
    assert_int_equal(chmod(in_dir("cursor.key"), 0604), 0);
    struct http_registry *registry = http_registry_new(&HOOKS);
    const struct http_options options = {.key_dir = dir};
    assert_err(ERR_INTERNAL, http_server_new(&options, registry, &other.http, &err));
    http_registry_free(registry);
}

/* --- slow and silent peers --- */

struct slow {
    const char *what;
    const char *head;
    char drip;
    int pause_ms;
    int limit_ms; /* the connection must be over by then */
    int64_t took_ms;
};

/* One byte at a time until the server has had enough. */
static void *run_slow(void *arg) {
    struct slow *s = arg;
    struct tls_client c;
    int64_t started = clock_mono_us();
    auto_buf out = {0};
    bool over = !tls_open(&c, port) || !tls_send(&c, s->head, strlen(s->head));
    while (!over && clock_mono_us() - started < 40 * 1000000LL) {
        over = tls_drain(&c, &out, s->pause_ms) || !tls_send(&c, &s->drip, 1);
    }
    tls_close(&c);
    s->took_ms = (clock_mono_us() - started) / 1000;
    return NULL;
}

static uint64_t hits_of(const char *path) {
    for (size_t i = 0; i < http_route_count(app.http); i++)
        if (strcmp(http_route_at(app.http, i)->path, path) == 0)
            return http_route_hits(app.http, i);
    return 0;
}

/* Takes nothing of what should be a gigabyte. The client would see what lies in the kernel's
 * buffers for a long time yet: the server has let go when the request is counted. */
static void *run_slow_reader(void *arg) {
    struct slow *s = arg;
    struct tls_client c;
    int64_t started = clock_mono_us();
    assert_true(tls_open(&c, port));
    tls_send(&c, s->head, strlen(s->head));
    while (hits_of("/big") == 0 && clock_mono_us() - started < 40 * 1000000LL)
        usleep(50000);
    tls_close(&c);
    s->took_ms = (clock_mono_us() - started) / 1000;
    return NULL;
}

/* The slowest of a few requests by somebody healthy, in ms. */
static int64_t slowest_healthy(int seconds) {
    int64_t worst = 0, end = clock_mono_us() + seconds * 1000000LL;
    do {
        struct tls_client c;
        auto_buf out = {0};
        int64_t started = clock_mono_us();
        assert_true(tls_open(&c, port));
        const char *request = "GET /plain HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        assert_true(tls_send(&c, request, strlen(request)));
        assert_true(tls_drain(&c, &out, 5000));
        tls_close(&c);
        assert_int_equal(status_of(&out), 200);
        int64_t took = (clock_mono_us() - started) / 1000;
        worst = took > worst ? took : worst;
        usleep(100000);
    } while (clock_mono_us() < end);
    return worst;
}

static void test_server__ends_slow_peers_and_serves_the_others(void **state) {
    static const char HELLO[] = "\x16\x03\x01\x02\x00\x01"; /* a record that never ends */
    struct slow slow[] = {
        {"document",
         "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
         "Content-Length: 1000\r\n\r\n",
         '{', 200, 13000, 0},
        {"upload", "PUT /sink HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", 'a',
         200, 13000, 0},
        {"chunks", "PUT /sink HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
         '0', 200, 13000, 0},
        {"head", "GET /plain HTTP/1.1\r\nHost: localhost\r\nX: ", 'a', 200, 8000, 0},
        {"silence", "", 'G', 7000, 8000, 0},
    };
    struct slow reader = {"reader", "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n", 0, 0, 13000, 0};
    pthread_t threads[6];
    int idle[128];
    (void)state;

    for (size_t i = 0; i < 128; i++) {
        idle[i] = tcp_connect(port);
        if (i % 2)
            assert_true(write(idle[i], HELLO, sizeof(HELLO) - 1) > 0);
    }
    for (size_t i = 0; i < 5; i++)
        pthread_create(&threads[i], NULL, run_slow, &slow[i]);
    pthread_create(&threads[5], NULL, run_slow_reader, &reader);
    assert_true(slowest_healthy(8) < 1000);
    for (size_t i = 0; i < 6; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < 5; i++)
        if (slow[i].took_ms > slow[i].limit_ms)
            fail_msg("%s took %lld ms", slow[i].what, (long long)slow[i].took_ms);
    if (reader.took_ms > reader.limit_ms)
        fail_msg("the reader was served for %lld ms", (long long)reader.took_ms);
    for (size_t i = 0; i < 128; i++)
        close(idle[i]);
}

/* --- limits and the end --- */

static void *run_get_slow(void *arg) {
    struct tls_client c;
    auto_buf out = {0};
    const char *request = "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (tls_open(&c, port) && tls_send(&c, request, strlen(request)))
        tls_drain(&c, &out, 1500);
    tls_close(&c);
    *(int *)arg = status_of(&out);
    if (status_of(&out) == 503 && (!strstr(out.data, "\r\nRetry-After: 1\r\n") ||
                                   !strstr(out.data, "\r\nConnection: close\r\n")))
        *(int *)arg = -1;
    return NULL;
}

static void test_server__refuses_what_is_too_much_of_a_kind(void **state) {
    pthread_t threads[12];
    int statuses[12], served = 0, refused = 0;
    (void)state;
    for (int i = 0; i < 12; i++)
        pthread_create(&threads[i], NULL, run_get_slow, &statuses[i]);
    usleep(300000);
    assert_true(slowest_healthy(0) < 1000); /* other kinds go on */
    for (int i = 0; i < 12; i++) {
        pthread_join(threads[i], NULL);
        served += statuses[i] == 200;
        refused += statuses[i] == 503;
    }
    assert_int_equal(served, 8);
    assert_int_equal(refused, 4);
}

/* Last: nothing is served afterwards. */
static void test_server__finishes_what_is_under_way_before_it_ends(void **state) {
    pthread_t thread;
    int status;
    (void)state;
    pthread_create(&thread, NULL, run_get_slow, &status);
    usleep(300000);
    http_drain(app.http);
    struct tls_client c;
    assert_true(tls_open(&c, port));
    assert_served(&c, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n", 503);
    tls_close(&c);
    http_wait_idle(app.http, 5000);
    pthread_join(thread, NULL);
    assert_int_equal(status, 200);
    http_close(app.http);
    assert_int_equal(tcp_connect(port), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server__answers_no_smuggled_request),
        cmocka_unit_test(test_server__drops_a_body_that_ends_early),
        cmocka_unit_test(test_server__keeps_a_good_connection),
        cmocka_unit_test(test_server__speaks_no_old_tls),
        cmocka_unit_test(test_server__refuses_a_key_that_others_may_read),
        cmocka_unit_test(test_server__refuses_what_is_too_much_of_a_kind),
        cmocka_unit_test(test_server__ends_slow_peers_and_serves_the_others),
        cmocka_unit_test(test_server__finishes_what_is_under_way_before_it_ends),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
