/* See jsontext.h. The scan only measures: it follows strings and brackets and leaves the grammar to
 * jansson, which sees nothing that the scan has not bounded. */

#include "base/jsontext.h"

#include <stdbool.h>
#include <string.h>

struct scan {
    const char *at, *end;
    int depth;
    size_t tokens;
};

/* Steps over a string whose opening quote was read; an unterminated one ends the text. */
static void skip_string(struct scan *s) {
    while (s->at < s->end && *s->at != '"')
        s->at += *s->at == '\\' && s->at + 1 < s->end ? 2 : 1;
    if (s->at < s->end)
        s->at++;
}

/* A table, because every byte of every body comes here. NUL ends a literal too. */
static bool ends_literal(char c) {
    static const bool ENDS[256] = {
        ['\0'] = true, ['"'] = true, ['['] = true, [']'] = true,  ['{'] = true,  ['}'] = true,
        [','] = true,  [':'] = true, [' '] = true, ['\t'] = true, ['\r'] = true, ['\n'] = true};
    return ENDS[(unsigned char)c];
}

static void skip_literal(struct scan *s) {
    while (s->at < s->end && !ends_literal(*s->at))
        s->at++;
}

/* Counts one token or steps over one separator. False when a limit is passed. */
static bool scan_step(struct scan *s) {
    char c = *s->at++;
    if (c == '[' || c == '{') {
        s->tokens++;
        return ++s->depth <= JSON_MAX_DEPTH && s->tokens <= JSON_MAX_TOKENS;
    }
    if (c == ']' || c == '}') {
        s->depth--;
        return true;
    }
    if (c == '"')
        skip_string(s);
    else if (ends_literal(c))
        return true;
    else
        skip_literal(s);
    return ++s->tokens <= JSON_MAX_TOKENS;
}

static enum err check_limits(const char *text, size_t size, struct err_info *err) {
    struct scan s = {.at = text, .end = text + size};
    while (s.at < s.end) {
        if (scan_step(&s))
            continue;
        return s.depth > JSON_MAX_DEPTH
                   ? err_set(err, ERR_INVALID, NULL, "JSON is nested deeper than %d levels",
                             JSON_MAX_DEPTH)
                   : err_set(err, ERR_INVALID, NULL, "JSON has more than %d values",
                             JSON_MAX_TOKENS);
    }
    return OK;
}

enum err json_parse(const char *text, size_t size, size_t max_bytes, json_t **ret,
                    struct err_info *err) {
    if (size > max_bytes)
        return err_set(err, ERR_TOO_LARGE, NULL, "JSON is %zu bytes, the limit is %zu", size,
                       max_bytes);
    TRY(check_limits(text, size, err));
    json_error_t why;
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    /* jansson quotes the text near the fault; its first line says enough and repeats no input. */
    if (!json)
        return err_set(err, ERR_INVALID, NULL, "not valid JSON at line %d, column %d", why.line,
                       why.column);
    *ret = json;
    return OK;
}
