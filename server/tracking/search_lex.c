/* search_lex.c: a filter's text → tokens. Nothing here knows fields or dialects; a byte that begins
 * no token is a token of its own, so that the parser can tell where it stands. */
#include "tracking/search_private.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

/* What a key may hold without quotes: more than a name's first part, because keys like "val/loss"
 * and "mlflow.source.name" are common and there is no arithmetic to confuse them with. */
static bool is_key(char c) {
    return is_letter(c) || is_digit(c) || (c && strchr("-./:@", c));
}

static size_t space(const char *text) {
    return strspn(text, " \t\r\n");
}

/* The text between quotes, with doubled quotes undone; NULL when they never close. *ret_size is
 * what it took, quotes included. */
static const char *unquote(struct arena *arena, const char *from, size_t *ret_size) {
    char quote = *from, *value = arena_alloc(arena, strlen(from)), *to = value;
    const char *p = from + 1;
    for (; *p; p++) {
        if (*p == quote && p[1] != quote)
            break;
        p += *p == quote;
        *to++ = *p;
    }
    *ret_size = (size_t)(p - from) + (*p != '\0');
    return *p ? value : NULL;
}

static void wrong(struct token *ret, size_t length, const char *why) {
    ret->kind = TOKEN_WRONG;
    ret->length = (int)length;
    ret->why = why;
}

static void lex_quoted(struct arena *arena, const char *from, struct token *ret) {
    size_t size;
    const char *value = unquote(arena, from, &size);
    if (!value) {
        wrong(ret, size, "a quote that is never closed");
        return;
    }
    *ret = (struct token){.kind = *from == '`' ? TOKEN_NAME : TOKEN_STRING,
                          .at = ret->at,
                          .length = (int)size,
                          .text = value,
                          .quoted = true};
}

/* The last part of a key in quotes: attributes."a b". What it took. */
static size_t lex_quoted_end(struct arena *arena, const char *from, size_t before,
                             struct token *ret) {
    size_t size;
    const char *end = unquote(arena, from, &size);
    if (!end)
        wrong(ret, before + size, "a quote that is never closed");
    ret->key = arena_printf(arena, "%s%s", ret->key, end ? end : "");
    return size;
}

/* The part behind a name's first dot. */
static void lex_key(struct arena *arena, const char *from, size_t before, struct token *ret) {
    const char *key = from + before;
    size_t size = 0;
    if (*key && strchr("\"`'", *key)) {
        ret->key = unquote(arena, key, &size);
        ret->quoted = true;
        if (!ret->key)
            wrong(ret, before + size, "a quote that is never closed");
    } else {
        while (is_key(key[size]))
            size++;
        ret->key = arena_strndup(arena, key, size);
        if (size > 0 && key[size - 1] == '.' && key[size] && strchr("\"`", key[size]))
            size += lex_quoted_end(arena, key + size, before + size, ret);
    }
    ret->length = (int)(before + size);
    if (ret->key && !*ret->key)
        wrong(ret, before + size, "a name that ends with a dot");
}

static void lex_name(struct arena *arena, const char *from, struct token *ret) {
    size_t size = 0;
    if (*from == '`') {
        lex_quoted(arena, from, ret);
        size = (size_t)ret->length;
    } else {
        while (is_letter(from[size]) || is_digit(from[size]))
            size++;
        ret->kind = TOKEN_NAME;
        ret->text = arena_strndup(arena, from, size);
        ret->length = (int)size;
    }
    if (ret->kind == TOKEN_NAME && from[size] == '.')
        lex_key(arena, from, size + 1, ret);
}

/* digits [. digits] [e [sign] digits]; false = no number. */
static bool number_size(const char *from, size_t *ret) {
    const char *p = from + (*from == '-' || *from == '+');
    size_t whole = strspn(p, "0123456789"), part = 0;
    p += whole;
    if (*p == '.') {
        part = strspn(p + 1, "0123456789");
        p += part + 1;
    }
    if (whole + part == 0)
        return false;
    if (*p == 'e' || *p == 'E') {
        size_t sign = p[1] == '-' || p[1] == '+';
        size_t digits = strspn(p + 1 + sign, "0123456789");
        p += digits ? 1 + sign + digits : 0;
    }
    *ret = (size_t)(p - from);
    return true;
}

static void lex_number(struct arena *arena, const char *from, struct token *ret) {
    size_t size = 1;
    bool fine = number_size(from, &size) && !is_key(from[size]);
    while (!fine && is_key(from[size]))
        size++;
    ret->kind = TOKEN_NUMBER;
    ret->length = (int)size;
    ret->text = arena_strndup(arena, from, size);
    if (!fine)
        wrong(ret, size, "neither a number nor a name");
}

static void lex_sign(struct arena *arena, const char *from, struct token *ret) {
    static const struct {
        const char *text;
        enum token_kind kind;
    } SIGNS[] = {{"!=", TOKEN_COMPARE}, {"<>", TOKEN_COMPARE}, {"<=", TOKEN_COMPARE},
                 {">=", TOKEN_COMPARE}, {"==", TOKEN_WRONG},   {"=", TOKEN_COMPARE},
                 {"<", TOKEN_COMPARE},  {">", TOKEN_COMPARE},  {"(", TOKEN_OPEN},
                 {")", TOKEN_CLOSE},    {",", TOKEN_COMMA}};
    for (size_t i = 0; i < sizeof(SIGNS) / sizeof(SIGNS[0]); i++) {
        size_t length = strlen(SIGNS[i].text);
        if (strncmp(from, SIGNS[i].text, length) != 0)
            continue;
        ret->kind = SIGNS[i].kind;
        ret->length = (int)length;
        ret->text = strcmp(SIGNS[i].text, "<>") == 0 ? "!=" : SIGNS[i].text;
        ret->why = "no comparison; equality is a single \"=\"";
        return;
    }
    wrong(ret, 1, "not part of the language");
    ret->text = arena_strndup(arena, from, 1);
}

void search_lex(struct arena *arena, const char *text, int *at, struct token *ret) {
    size_t begin = (size_t)*at + space(text + *at);
    const char *from = text + begin;
    *ret = (struct token){.kind = TOKEN_END, .at = (int)begin, .text = ""};
    if (*from == '\'' || *from == '"')
        lex_quoted(arena, from, ret);
    else if (is_letter(*from) || *from == '`')
        lex_name(arena, from, ret);
    else if (is_digit(*from) || (*from && strchr("+-.", *from)))
        lex_number(arena, from, ret);
    else if (*from)
        lex_sign(arena, from, ret);
    *at = ret->at + ret->length;
}

bool token_is_word(const struct token *token, const char *word) {
    return token->kind == TOKEN_NAME && !token->quoted && !token->key &&
           strcasecmp(token->text, word) == 0;
}
