/* The rules of the gate, one small function each, in the order of the table at the bottom.
 *
 * The attacks behind them, all replayed by tests/http against the running server: a length beside a
 * transfer coding, two lengths, lengths in forms only some parsers take ("+3", "0x3", "3,3"),
 * codings nobody decodes, more headers than the library keeps, missing or foreign hosts (DNS
 * rebinding), paths whose meaning changes when they are decoded twice. What the library itself cuts
 * off (folded lines, bare line feeds, unknown versions) never reaches this file.
 *
 * When you add a rule, add its row to RULES and its cases to tests/http/test_gate.c. */
#include "http/gate.h"

#include "base/ident.h"
#include "http/http.h"

#include <string.h>
#include <strings.h>

#define HOST_MAX 255

struct refusal {
    int status;
    const char *reason;
};

static const struct refusal PASS = {0, NULL};

#define REFUSE(status_code, sentence) ((struct refusal){(status_code), (sentence)})

static const struct {
    const char *name;
    int method;
} METHODS[] = {{"GET", GET},       {"POST", POST}, {"PUT", PUT},        {"PATCH", PATCH},
               {"DELETE", DELETE}, {"HEAD", HEAD}, {"OPTIONS", OPTIONS}};

static struct refusal check_method(const struct gate_rules *rules, const struct http_head *head,
                                   struct gate_request *ret) {
    (void)rules;
    for (size_t i = 0; i < sizeof(METHODS) / sizeof(METHODS[0]); i++)
        if (strcmp(head->method, METHODS[i].name) == 0)
            ret->method = METHODS[i].method;
    if (!ret->method)
        return REFUSE(405, "this method is not known here");
    return PASS;
}

static struct refusal check_version(const struct gate_rules *rules, const struct http_head *head,
                                    struct gate_request *ret) {
    (void)rules, (void)ret;
    if (strcmp(head->version, "1.1") != 0 && strcmp(head->version, "1.0") != 0)
        return REFUSE(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    return PASS;
}

static bool is_token(const char *text) {
    static const char ALLOWED[] = "!#$%&'*+-.^_`|~0123456789"
                                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return *text && text[strspn(text, ALLOWED)] == '\0';
}

static bool is_field_value(const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if ((*p < 0x20 && *p != '\t') || *p == 0x7f)
            return false;
    return true;
}

/* Headers a decision hangs on: two of one would let two readers decide differently. */
static const char *const SINGLE_HEADERS[] = {"host",
                                             "content-length",
                                             "transfer-encoding",
                                             "content-type",
                                             "content-encoding",
                                             "authorization",
                                             "cookie",
                                             "origin",
                                             "sec-fetch-site",
                                             "range",
                                             "if-none-match",
                                             "if-range",
                                             "idempotency-key",
                                             "upload-offset",
                                             "upload-length",
                                             "tus-resumable",
                                             "expect",
                                             "upload-metadata",
                                             "x-slipway-epoch",
                                             "last-event-id"};

static struct refusal check_headers(const struct gate_rules *rules, const struct http_head *head,
                                    struct gate_request *ret) {
    (void)rules, (void)ret;
    if (head->header_count >= GATE_HEADER_MAX)
        return REFUSE(400, "the request has too many headers");
    for (size_t i = 0; i < head->header_count; i++)
        if (!is_token(head->headers[i].name) || !is_field_value(head->headers[i].value))
            return REFUSE(400, "a header has a character that is not allowed there");
    for (size_t i = 0; i < sizeof(SINGLE_HEADERS) / sizeof(SINGLE_HEADERS[0]); i++)
        if (http_head_count(head, SINGLE_HEADERS[i]) > 1)
            return REFUSE(400, "a header is repeated that may stand only once");
    return PASS;
}

/* 1 to 15 digits: no sign, no blank, no base prefix, nothing that overflows. */
static bool parse_length(const char *text, int64_t *ret) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 15 || text[digits])
        return false;
    int64_t value = 0;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (text[i] - '0');
    *ret = value;
    return true;
}

static struct refusal check_framing(const struct gate_rules *rules, const struct http_head *head,
                                    struct gate_request *ret) {
    (void)rules;
    const char *length = http_head_get(head, "content-length");
    const char *coding = http_head_get(head, "transfer-encoding");
    if (length && coding)
        return REFUSE(400, "content-length and transfer-encoding exclude each other");
    if (length && !parse_length(length, &ret->content_length))
        return REFUSE(400, "content-length is not a number of up to 15 digits");
    if (coding && strcasecmp(coding, "chunked") != 0)
        return REFUSE(400, "the only transfer-encoding accepted is \"chunked\"");
    if (coding && strcmp(head->version, "1.1") != 0)
        return REFUSE(400, "transfer-encoding needs HTTP/1.1");
    if (coding)
        ret->content_length = -1;
    if (ret->content_length != 0 && (ret->method & (GET | HEAD | OPTIONS)))
        return REFUSE(400, "a request with this method has no body");
    return PASS;
}

static struct refusal check_expect(const struct gate_rules *rules, const struct http_head *head,
                                   struct gate_request *ret) {
    (void)rules, (void)ret;
    const char *expect = http_head_get(head, "expect");
    if (expect && strcasecmp(expect, "100-continue") != 0)
        return REFUSE(417, "the only expectation known is \"100-continue\"");
    return PASS;
}

static bool is_port(const char *text) {
    size_t digits = strspn(text, "0123456789");
    return digits >= 1 && digits <= 5 && text[digits] == '\0';
}

/* "name", "name:port", "[v6]:port" → the name in lower case, without port and final dot. */
static bool parse_host(const char *text, char ret[HOST_MAX + 1]) {
    static const char NAME[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    size_t start = *text == '[';
    size_t length = strspn(text + start, start ? "0123456789abcdefABCDEF:." : NAME);
    const char *rest = text + start + length;

    if (start && *rest++ != ']')
        return false;
    if (length == 0 || length > HOST_MAX || (*rest && (*rest != ':' || !is_port(rest + 1))))
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = text[start + i];
        ret[i] = (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
    }
    if (!start && ret[length - 1] == '.')
        length--;
    ret[length] = '\0';
    return length > 0;
}

static struct refusal check_host(const struct gate_rules *rules, const struct http_head *head,
                                 struct gate_request *ret) {
    (void)ret;
    const char *host = http_head_get(head, "host");
    char name[HOST_MAX + 1];
    if (!host || !parse_host(host, name))
        return REFUSE(400, "the request needs one well-formed host header");
    for (const char *const *allowed = rules->hosts; *allowed; allowed++)
        if (strcmp(*allowed, name) == 0)
            return PASS;
    return REFUSE(421, "this server does not answer to that host name");
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool decode_escape(const char *raw, char *ret) {
    int high = hex_digit(raw[1]);
    int low = high < 0 ? -1 : hex_digit(raw[2]);
    if (low < 0)
        return false;
    unsigned char c = (unsigned char)(high * 16 + low);
    *ret = (char)c;
    return c >= 0x20 && c != 0x7f && c != '/' && c != '\\';
}

static bool has_dot_segment(const char *path) {
    for (const char *at = path; *at; at += strcspn(at, "/")) {
        at++;
        size_t length = strcspn(at, "/");
        if ((length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.'))
            return true;
    }
    return false;
}

bool gate_decode_path(const char *raw, char *ret) {
    size_t length = 0;
    for (const char *at = raw; *at; at++) {
        if (*at == '%') {
            if (!decode_escape(at, &ret[length++]))
                return false;
            at += 2;
        } else {
            ret[length++] = *at;
        }
    }
    ret[length] = '\0';
    return utf8_is_valid(ret, length) && !has_dot_segment(ret);
}

static struct refusal check_target(const struct gate_rules *rules, const struct http_head *head,
                                   struct gate_request *ret) {
    /* What RFC 3986 lets stand in a segment, and clients leave alone when they encode a file name;
     * without ";", whose parameters some proxies cut off. */
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "/_.~%-!*'()+,=:@$&";
    (void)rules;
    if (head->target[0] != '/')
        return REFUSE(400, "the request target is not a path");
    if (strlen(head->target) > GATE_PATH_MAX)
        return REFUSE(414, "the path is too long");
    if (head->target[strspn(head->target, ALLOWED)])
        return REFUSE(400, "the path has a character that must be percent-encoded");
    if (!gate_decode_path(head->target, ret->path))
        return REFUSE(400, "the path has an escape or a segment that is not allowed");
    return PASS;
}

static struct refusal check_query(const struct gate_rules *rules, const struct http_head *head,
                                  struct gate_request *ret) {
    (void)rules, (void)ret;
    if (!head->query)
        return PASS;
    if (strlen(head->query) > GATE_QUERY_MAX)
        return REFUSE(414, "the query is too long");
    for (const char *p = head->query; *p; p++)
        if (*p <= 0x20 || *p >= 0x7f || strchr("\"<>\\^`{|}#", *p))
            return REFUSE(400, "the query has a character that must be percent-encoded");
    return PASS;
}

static struct refusal (*const RULES[])(const struct gate_rules *, const struct http_head *,
                                       struct gate_request *) = {
    check_method, check_version, check_headers, check_framing,
    check_expect, check_host,    check_target,  check_query};

/* A body nobody announced would be read as the next request: such a connection never goes on. */
static bool ends_connection(const struct http_head *head, int method) {
    return (method & (POST | PUT | PATCH | DELETE)) && !http_head_get(head, "content-length") &&
           !http_head_get(head, "transfer-encoding");
}

struct gate_verdict gate_check(const struct gate_rules *rules, const struct http_head *head,
                               struct gate_request *ret) {
    *ret = (struct gate_request){0};
    for (size_t i = 0; i < sizeof(RULES) / sizeof(RULES[0]); i++) {
        struct refusal refusal = RULES[i](rules, head, ret);
        if (refusal.status)
            return (struct gate_verdict){refusal.status, refusal.reason, true};
    }
    return (struct gate_verdict){0, NULL, ends_connection(head, ret->method)};
}
