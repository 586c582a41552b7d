/* A filter in both dialects, and as an order and a group. The first byte chooses. What is refused
 * names bytes that are in the text; what is accepted becomes a statement whose parameters are as
 * many as it refers to, and in which no text of the client stands. No database is asked. */
#include "tests/fuzz/fuzz.h"

#include "base/ident.h"
#include "tracking/search_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A word that a statement can only have from the client. */
#define MARK "zqxjk"

static struct ctx cx;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    return 0;
}

static void check_refusal(size_t size) {
    if (cx.err.code != ERR_INVALID || !cx.err.field[0] || !cx.err.message[0])
        abort();
    if (!utf8_is_valid(cx.err.message, strlen(cx.err.message)))
        abort();
    if (cx.err.at < 0 || cx.err.length < 1 || (size_t)cx.err.at > size)
        abort();
    if ((size_t)cx.err.at + (size_t)cx.err.length > size + 1)
        abort();
}

/* Every parameter up to the last is referred to: PostgreSQL refuses a statement otherwise. */
static void check_statement(const struct search_sql *sql) {
    char name[16];
    for (int i = 7; i <= sql->arg_count; i++) {
        snprintf(name, sizeof(name), "$%d::", i);
        if (!strstr(sql->where, name))
            abort();
    }
    snprintf(name, sizeof(name), "$%d::", sql->arg_count + 1);
    if (strstr(sql->where, name) || strstr(sql->where, MARK))
        abort();
}

static void try_filter(const char *text, enum search_dialect dialect) {
    static const char *const SCOPE[] = {"p", "{}", NULL, NULL, NULL};
    const struct search search = {
        .dialect = dialect, .filter = text, .scope = SCOPE, .scope_count = 5};
    struct search_sql sql;
    if (search_compile(&cx, &RUN_ENTITY, &search, &sql) == OK)
        check_statement(&sql);
    else
        check_refusal(strlen(text));
}

static void try_order(const char *text, enum search_dialect dialect) {
    struct search_key keys[SEARCH_ORDER_MAX];
    size_t count = 0;
    const struct search search = {.dialect = dialect, .order_by = &text, .order_count = 1};
    if (search_parse_order(&cx, &RUN_ENTITY, &search, keys, &count) != OK)
        check_refusal(strlen(text));
    else if (count == 0 || count > SEARCH_ORDER_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size == 0 || size > SEARCH_TEXT_MAX)
        return 0;
    char *text = malloc(size);
    if (!text)
        abort();
    memcpy(text, bytes + 1, size - 1);
    text[size - 1] = '\0';
    if (utf8_is_valid(text, size - 1)) { /* bodies and queries that are not were refused before */
        enum search_dialect dialect = bytes[0] & 1 ? SEARCH_MLFLOW : SEARCH_NATIVE;
        ctx_init(&cx, NULL);
        if (bytes[0] & 2)
            try_order(text, dialect);
        else
            try_filter(text, dialect);
        ctx_done(&cx);
    }
    free(text);
    return 0;
}
