/* The gate, case by case: the attacks of its rules, and what must pass. */
#include "http/gate.h"

#include "http/http.h"
#include "tests/support/cmocka_all.h"

#include <string.h>

static const char *const HOSTS[] = {"localhost", "127.0.0.1", "::1", "box", NULL};
static const struct gate_rules RULES = {HOSTS};

#define H(header_name, header_value)                                                               \
    { (header_name), (header_value) }
#define OK_HOST H("Host", "localhost:8443")

struct gate_case {
    const char *what;
    int status; /* 0 = passes */
    const char *method, *target, *query, *version;
    struct http_header headers[6];
};

static struct gate_verdict check(const struct gate_case *c, struct gate_request *ret) {
    struct http_head head = {.method = c->method ? c->method : "GET",
                             .target = c->target ? c->target : "/x",
                             .query = c->query,
                             .version = c->version ? c->version : "1.1",
                             .headers = c->headers};
    while (head.header_count < 6 && c->headers[head.header_count].name)
        head.header_count++;
    return gate_check(&RULES, &head, ret);
}

static void run_cases(const struct gate_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct gate_request request;
        struct gate_verdict verdict = check(&cases[i], &request);
        if (verdict.status != cases[i].status)
            fail_msg("%s: %d instead of %d (%s)", cases[i].what, verdict.status, cases[i].status,
                     verdict.reason ? verdict.reason : "passed");
        if (verdict.status)
            assert_true(verdict.close && verdict.reason);
    }
}

#define RUN(cases) run_cases((cases), sizeof(cases) / sizeof((cases)[0]))

static void test_gate__reads_one_length_in_one_way(void **state) {
    static const struct gate_case CASES[] = {
        {"plain", 0, "POST", .headers = {OK_HOST, H("Content-Length", "3")}},
        {"zero on GET", 0, .headers = {OK_HOST, H("Content-Length", "0")}},
        {"15 digits", 0, "PUT", .headers = {OK_HOST, H("Content-Length", "999999999999999")}},
        {"16 digits", 400, "PUT", .headers = {OK_HOST, H("Content-Length", "1000000000000000")}},
        {"20 digits", 400, "PUT",
         .headers = {OK_HOST, H("Content-Length", "10000000000000000000")}},
        {"plus", 400, "POST", .headers = {OK_HOST, H("Content-Length", "+3")}},
        {"minus", 400, "POST", .headers = {OK_HOST, H("Content-Length", "-1")}},
        {"hex", 400, "POST", .headers = {OK_HOST, H("Content-Length", "0x3")}},
        {"list", 400, "POST", .headers = {OK_HOST, H("Content-Length", "3,3")}},
        {"tail", 400, "POST", .headers = {OK_HOST, H("Content-Length", "3x")}},
        {"blank inside", 400, "POST", .headers = {OK_HOST, H("Content-Length", "3 3")}},
        {"empty", 400, "POST", .headers = {OK_HOST, H("Content-Length", "")}},
        {"twice", 400, "POST",
         .headers = {OK_HOST, H("Content-Length", "3"), H("Content-Length", "3")}},
        {"twice, other case", 400, "POST",
         .headers = {OK_HOST, H("Content-Length", "3"), H("CONTENT-LENGTH", "0")}},
        {"body on GET", 400, "GET", .headers = {OK_HOST, H("Content-Length", "1")}},
        {"body on HEAD", 400, "HEAD", .headers = {OK_HOST, H("Content-Length", "1")}},
        {"chunked GET", 400, "GET", .headers = {OK_HOST, H("Transfer-Encoding", "chunked")}},
    };
    (void)state;
    RUN(CASES);
}

static void test_gate__takes_no_coding_but_chunked_alone(void **state) {
    static const struct gate_case CASES[] = {
        {"chunked", 0, "PUT", .headers = {OK_HOST, H("Transfer-Encoding", "chunked")}},
        {"upper case", 0, "PUT", .headers = {OK_HOST, H("transfer-encoding", "CHUNKED")}},
        {"with a length", 400, "PUT",
         .headers = {OK_HOST, H("Transfer-Encoding", "chunked"), H("Content-Length", "3")}},
        {"length first", 400, "PUT",
         .headers = {OK_HOST, H("Content-Length", "3"), H("Transfer-Encoding", "chunked")}},
        {"identity", 400, "PUT", .headers = {OK_HOST, H("Transfer-Encoding", "identity")}},
        {"xchunked", 400, "PUT", .headers = {OK_HOST, H("Transfer-Encoding", "xchunked")}},
        {"gzip, chunked", 400, "PUT",
         .headers = {OK_HOST, H("Transfer-Encoding", "gzip, chunked")}},
        {"chunked, identity", 400, "PUT",
         .headers = {OK_HOST, H("Transfer-Encoding", "chunked, identity")}},
        {"leading blank kept", 400, "PUT",
         .headers = {OK_HOST, H("Transfer-Encoding", "\tchunked")}},
        {"two", 400, "PUT",
         .headers = {OK_HOST, H("Transfer-Encoding", "identity"),
                     H("Transfer-Encoding", "chunked")}},
        {"in 1.0", 400, "PUT", .version = "1.0",
         .headers = {OK_HOST, H("Transfer-Encoding", "chunked")}},
    };
    (void)state;
    RUN(CASES);
}

static void test_gate__answers_to_its_own_names_only(void **state) {
    static const struct gate_case CASES[] = {
        {"no port", 0, .headers = {H("Host", "localhost")}},
        {"any port", 0, .headers = {H("Host", "box:1")}},
        {"upper case, final dot", 0, .headers = {H("Host", "LocalHost.:8443")}},
        {"IPv4", 0, .headers = {H("Host", "127.0.0.1:8443")}},
        {"IPv6", 0, .headers = {H("Host", "[::1]:8443")}},
        {"foreign", 421, .headers = {H("Host", "evil.example")}},
        {"foreign IPv6", 421, .headers = {H("Host", "[::2]")}},
        {"suffix", 421, .headers = {H("Host", "localhost.evil.example")}},
        {"missing", 400, .headers = {H("Accept", "*/*")}},
        {"empty", 400, .headers = {H("Host", "")}},
        {"two", 400, .headers = {OK_HOST, H("host", "evil.example")}},
        {"user part", 400, .headers = {H("Host", "localhost:1@evil")}},
        {"port of letters", 400, .headers = {H("Host", "localhost:http")}},
        {"port too long", 400, .headers = {H("Host", "localhost:844300")}},
        {"open bracket", 400, .headers = {H("Host", "[::1")}},
        {"path", 400, .headers = {H("Host", "localhost/x")}},
        {"only a dot", 400, .headers = {H("Host", ".")}},
    };
    (void)state;
    RUN(CASES);
}

static void test_gate__decodes_paths_once_and_refuses_the_rest(void **state) {
    static const struct gate_case CASES[] = {
        {"root", 0, .target = "/", .headers = {OK_HOST}},
        {"blank", 0, .target = "/a%20b", .headers = {OK_HOST}},
        {"UTF-8", 0, .target = "/%e6%95%b0", .headers = {OK_HOST}},
        {"browser's marks", 0, .target = "/a(1)!*'.csv", .headers = {OK_HOST}},
        {"dots in names", 0, .target = "/a..b/...", .headers = {OK_HOST}},
        {"no slash", 400, .target = "x", .headers = {OK_HOST}},
        {"star", 400, .target = "*", .headers = {OK_HOST}},
        {"absolute", 400, .target = "http://localhost/x", .headers = {OK_HOST}},
        {"dot segment", 400, .target = "/a/../b", .headers = {OK_HOST}},
        {"dot segment at the end", 400, .target = "/a/..", .headers = {OK_HOST}},
        {"single dot", 400, .target = "/./a", .headers = {OK_HOST}},
        {"encoded dots", 400, .target = "/a/%2e%2E/b", .headers = {OK_HOST}},
        {"half encoded dots", 400, .target = "/a/.%2e/b", .headers = {OK_HOST}},
        {"encoded slash", 400, .target = "/a%2fb", .headers = {OK_HOST}},
        {"encoded backslash", 400, .target = "/a%5c..%5cb", .headers = {OK_HOST}},
        {"backslash", 400, .target = "/a\\b", .headers = {OK_HOST}},
        {"NUL", 400, .target = "/a%00b", .headers = {OK_HOST}},
        {"CR LF", 400, .target = "/a%0d%0aX:1", .headers = {OK_HOST}},
        {"DEL", 400, .target = "/a%7f", .headers = {OK_HOST}},
        {"overlong UTF-8", 400, .target = "/..%c0%af", .headers = {OK_HOST}},
        {"raw UTF-8", 400, .target = "/\xe6\x95\xb0", .headers = {OK_HOST}},
        {"half an escape", 400, .target = "/a%2", .headers = {OK_HOST}},
        {"bad escape", 400, .target = "/a%zz", .headers = {OK_HOST}},
        {"matrix parameter", 400, .target = "/x;a", .headers = {OK_HOST}},
        {"fragment", 400, .target = "/x#y", .headers = {OK_HOST}},
        {"blank raw", 400, .target = "/a b", .headers = {OK_HOST}},
        {"query", 0, .query = "a=1&b=%20+c:d,e", .headers = {OK_HOST}},
        {"quote in query", 400, .query = "a=\"", .headers = {OK_HOST}},
        {"bracket in query", 400, .query = "a=<script>", .headers = {OK_HOST}},
        {"control in query", 400, .query = "a=\x01", .headers = {OK_HOST}},
    };
    (void)state;
    RUN(CASES);
}

static void test_gate__decodes_no_second_time(void **state) {
    const struct gate_case c = {"", 0, .target = "/%252e%252e%252fx", .headers = {OK_HOST}};
    struct gate_request request;
    (void)state;
    assert_int_equal(check(&c, &request).status, 0);
    assert_string_equal(request.path, "/%2e%2e%2fx");
}

static void test_gate__refuses_odd_heads(void **state) {
    static const struct gate_case CASES[] = {
        {"trace", 405, "TRACE", .headers = {OK_HOST}},
        {"connect", 405, "CONNECT", .headers = {OK_HOST}},
        {"lower case", 405, "get", .headers = {OK_HOST}},
        {"invented", 405, "BREW", .headers = {OK_HOST}},
        {"override is not heard", 0, "POST",
         .headers = {OK_HOST, H("X-HTTP-Method-Override", "DELETE")}},
        {"1.2", 505, .version = "1.2", .headers = {OK_HOST}},
        {"2.0", 505, .version = "2.0", .headers = {OK_HOST}},
        {"blank in name", 400, .headers = {OK_HOST, H("Content-Length ", "3")}},
        {"empty name", 400, .headers = {OK_HOST, H("", "3")}},
        {"control in value", 400, .headers = {OK_HOST, H("X", "a\x01")}},
        {"CR in value", 400, .headers = {OK_HOST, H("X", "a\rb")}},
        {"two tokens", 400,
         .headers = {OK_HOST, H("Authorization", "Bearer a"), H("authorization", "Bearer b")}},
        {"two cookies", 400, .headers = {OK_HOST, H("Cookie", "a=1"), H("Cookie", "a=2")}},
        {"expectation", 417, "POST",
         .headers = {OK_HOST, H("Content-Length", "1"), H("Expect", "200-ok")}},
        {"continue", 0, "POST",
         .headers = {OK_HOST, H("Content-Length", "1"), H("Expect", "100-Continue")}},
    };
    (void)state;
    RUN(CASES);
}

static struct gate_verdict check_many_headers(size_t count) {
    struct http_header headers[GATE_HEADER_MAX + 1] = {OK_HOST};
    struct gate_request request;
    for (size_t i = 1; i < count; i++)
        headers[i] = (struct http_header){"X-Junk", "1"};
    const struct http_head head = {"GET", "/", NULL, "1.1", headers, count, ""};
    return gate_check(&RULES, &head, &request);
}

static void test_gate__refuses_more_headers_than_the_library_keeps(void **state) {
    (void)state;
    assert_int_equal(check_many_headers(GATE_HEADER_MAX - 1).status, 0);
    assert_int_equal(check_many_headers(GATE_HEADER_MAX).status, 400);
}

static void test_gate__limits_lengths(void **state) {
    char path[GATE_PATH_MAX + 3], query[GATE_QUERY_MAX + 2];
    struct gate_case c = {.target = path, .query = query, .headers = {OK_HOST}};
    struct gate_request request;
    (void)state;
    memset(path, 'a', sizeof(path));
    path[0] = '/';
    path[GATE_PATH_MAX] = '\0';
    memset(query, 'a', sizeof(query));
    query[GATE_QUERY_MAX] = '\0';
    assert_int_equal(check(&c, &request).status, 0);
    query[GATE_QUERY_MAX] = 'a';
    query[GATE_QUERY_MAX + 1] = '\0';
    assert_int_equal(check(&c, &request).status, 414);
    query[0] = '\0';
    path[GATE_PATH_MAX] = 'a';
    path[GATE_PATH_MAX + 1] = '\0';
    assert_int_equal(check(&c, &request).status, 414);
}

static void test_gate__ends_connections_whose_body_nobody_announced(void **state) {
    static const char *const METHODS[] = {"POST", "PUT", "PATCH", "DELETE"};
    struct gate_request request;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const struct gate_case open = {"", .method = METHODS[i], .headers = {OK_HOST}};
        const struct gate_case framed = {"", .method = METHODS[i],
                                         .headers = {OK_HOST, H("Content-Length", "0")}};
        assert_true(check(&open, &request).close);
        assert_false(check(&framed, &request).close);
    }
    assert_false(check(&(struct gate_case){"", .headers = {OK_HOST}}, &request).close);
}

static void test_gate__says_what_passed(void **state) {
    const struct gate_case c = {"", .method = "PATCH", .target = "/a%2Db",
                                .headers = {OK_HOST, H("Content-Length", "12")}};
    struct gate_request request;
    (void)state;
    assert_int_equal(check(&c, &request).status, 0);
    assert_int_equal(request.method, PATCH);
    assert_int_equal(request.content_length, 12);
    assert_string_equal(request.path, "/a-b");
}

static void test_head__finds_cookies_that_stand_there_once(void **state) {
    static const struct http_header HEADERS[] = {
        H("Cookie", "a=1; __Host-session=abc;b=; __Host-session2=x; twice=1; twice=2")};
    const struct http_head head = {"GET", "/", NULL, "1.1", HEADERS, 1, ""};
    char value[8];
    (void)state;
    assert_true(http_head_cookie(&head, "a", value, sizeof(value)));
    assert_string_equal(value, "1");
    assert_true(http_head_cookie(&head, "__Host-session", value, sizeof(value)));
    assert_string_equal(value, "abc");
    assert_true(http_head_cookie(&head, "b", value, sizeof(value)));
    assert_string_equal(value, "");
    assert_false(http_head_cookie(&head, "twice", value, sizeof(value)));
    assert_false(http_head_cookie(&head, "session", value, sizeof(value)));
    assert_false(http_head_cookie(&head, "__Host-session", value, 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gate__reads_one_length_in_one_way),
        cmocka_unit_test(test_gate__takes_no_coding_but_chunked_alone),
        cmocka_unit_test(test_gate__answers_to_its_own_names_only),
        cmocka_unit_test(test_gate__decodes_paths_once_and_refuses_the_rest),
        cmocka_unit_test(test_gate__decodes_no_second_time),
        cmocka_unit_test(test_gate__refuses_odd_heads),
        cmocka_unit_test(test_gate__refuses_more_headers_than_the_library_keeps),
        cmocka_unit_test(test_gate__limits_lengths),
        cmocka_unit_test(test_gate__ends_connections_whose_body_nobody_announced),
        cmocka_unit_test(test_gate__says_what_passed),
        cmocka_unit_test(test_head__finds_cookies_that_stand_there_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
