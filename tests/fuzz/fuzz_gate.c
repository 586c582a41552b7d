/* A request's head as text, split into lines the way a lenient reader would, into the gate. What
 * passes must obey what the rest of the server relies on, and pass again. */
#include "tests/fuzz/fuzz.h"

#include "http/gate.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LINES_MAX 80

static const char *const HOSTS[] = {"localhost", "::1", NULL};

/* Cuts text at its first separator; the rest, or NULL. */
static char *cut(char *text, const char *separator) {
    char *at = text ? strstr(text, separator) : NULL;
    if (!at)
        return NULL;
    *at = '\0';
    return at + strlen(separator);
}

static void parse_head(char *text, struct http_header *headers, struct http_head *ret) {
    char *line = cut(text, "\r\n");
    char *target = cut(text, " ");
    char *version = cut(target, " HTTP/");
    ret->method = text;
    ret->target = target ? target : "/";
    ret->query = target ? cut(target, "?") : NULL;
    ret->version = version ? version : "1.1";
    ret->headers = headers;
    while (line && *line && ret->header_count < LINES_MAX) {
        char *next = cut(line, "\r\n");
        char *value = cut(line, ":");
        if (value)
            headers[ret->header_count++] = (struct http_header){line, value + strspn(value, " ")};
        line = next;
    }
}

static void check_passed(const struct http_head *head, const struct gate_request *request) {
    const char *length = http_head_get(head, "content-length");
    if (http_head_count(head, "host") != 1 || head->header_count >= GATE_HEADER_MAX)
        abort();
    if (length && http_head_get(head, "transfer-encoding"))
        abort();
    if (request->content_length > 0 && (!length || atoll(length) != request->content_length))
        abort();
    if (request->content_length != 0 && (request->method & (GET | HEAD | OPTIONS)))
        abort();
    if (request->path[0] != '/' || strlen(request->path) > strlen(head->target))
        abort();
}

static void check_again(const struct gate_rules *rules, const struct http_head *head,
                        const struct gate_verdict *first, const struct gate_request *request) {
    struct gate_request again;
    struct gate_verdict verdict = gate_check(rules, head, &again);
    if (verdict.status != first->status || verdict.close != first->close ||
        strcmp(again.path, request->path) != 0)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const struct gate_rules rules = {HOSTS};
    struct http_header headers[LINES_MAX];
    struct http_head head = {.header_count = 0};
    struct gate_request request;
    char cookie[64];
    char *text = malloc(size + 1);

    if (!text)
        abort();
    memcpy(text, bytes, size);
    text[size] = '\0';
    parse_head(text, headers, &head);
    struct gate_verdict verdict = gate_check(&rules, &head, &request);
    if (verdict.status ? !verdict.reason || !verdict.close : verdict.reason != NULL)
        abort();
    if (!verdict.status)
        check_passed(&head, &request);
    check_again(&rules, &head, &verdict, &request);
    if (http_head_cookie(&head, "a", cookie, sizeof(cookie)) && strlen(cookie) >= sizeof(cookie))
        abort();
    free(text);
    return 0;
}
