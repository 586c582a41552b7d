/* search_value.c: what a comparison compares with, checked against the field's type and written as
 * the database reads it. */
#include "tracking/search_private.h"

#include "base/clock.h"
#include "base/ident.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MS_LEAST (-62135596800000LL) /* the years that a timestamp's text has: 1 to 9999 */
#define MS_GREATEST 253402300799999LL

static const char *group_word(const struct search_field *field) {
    return !field->group                           ? "attributes"
           : strcmp(field->group, "params") == 0   ? "parameter"
           : strcmp(field->group, "tags") == 0     ? "tag"
           : strcmp(field->group, "datasets") == 0 ? "dataset attributes"
                                                   : "metric";
}

static enum err fail_value(struct parser *p, const struct search_name *name, const char *wanted) {
    struct arena *arena = p->cx->arena;
    const char *found = parser_excerpt(p, &p->token), *mlflow;
    const struct search_field *field = name->field;
    if (p->token.kind == TOKEN_WRONG || p->token.kind == TOKEN_END)
        return parser_expected(p, wanted);
    if (field->type == SEARCH_NUMBER || field->type == SEARCH_TIME)
        mlflow =
            field->group
                ? arena_printf(arena, "Expected numeric value type for metric. Found %s", found)
                : arena_printf(arena,
                               "Expected numeric value type for numeric attribute: %s. Found "
                               "%s",
                               field->name, found);
    else
        mlflow = arena_printf(arena,
                              "Expected a quoted string value for %s (e.g. 'my-value'). Got value "
                              "%s",
                              group_word(field), found);
    return parser_fail(p, &p->token,
                       arena_printf(arena, "expected %s, found \"%s\"", wanted, found), mlflow);
}

static bool number_of(const struct parser *p, double *ret) {
    static const struct {
        const char *word;
        double value;
    } WORDS[] = {{"nan", (double)NAN}, {"inf", (double)INFINITY}, {"infinity", (double)INFINITY}};
    if (p->token.kind == TOKEN_NUMBER) {
        *ret = strtod(p->token.text, NULL);
        return true;
    }
    for (size_t i = 0; p->dialect == SEARCH_NATIVE && i < sizeof(WORDS) / sizeof(WORDS[0]); i++)
        if (token_is_word(&p->token, WORDS[i].word)) {
            *ret = WORDS[i].value;
            return true;
        }
    return false;
}

static const char *time_of_ms(struct ctx *cx, double ms) {
    ms = fmin(fmax(floor(ms), (double)MS_LEAST), (double)MS_GREATEST);
    char text[TIME_TEXT_SIZE];
    time_to_string((int64_t)ms * 1000, text);
    return arena_strdup(cx->arena, text);
}

/* RFC 3339, or a date, which is its first moment in UTC. */
static const char *time_of_text(struct ctx *cx, const char *text) {
    int64_t us;
    char written[TIME_TEXT_SIZE];
    if (strlen(text) == strlen("2026-01-01"))
        text = arena_printf(cx->arena, "%sT00:00:00Z", text);
    if (!time_from_string(text, &us))
        return NULL;
    time_to_string(us, written);
    return arena_strdup(cx->arena, written);
}

/* A UUID in either spelling; what is none equals nothing, as an unknown one does. */
static const char *id_of_text(struct ctx *cx, const char *text) {
    char *id = arena_alloc(cx->arena, UUID_TEXT_SIZE);
    if (uuid_is_valid(text))
        return text;
    return uuid_from_hex(text, id) ? id : "00000000-0000-0000-0000-000000000000";
}

static enum err time_value(struct parser *p, struct search_node *node, const char **ret) {
    double ms;
    if (number_of(p, &ms)) {
        node->in_milliseconds = true;
        *ret = time_of_ms(p->cx, ms);
        return OK;
    }
    *ret = p->dialect == SEARCH_NATIVE && p->token.kind == TOKEN_STRING
               ? time_of_text(p->cx, p->token.text)
               : NULL;
    return *ret ? OK : fail_value(p, &node->name, "a time like '2026-11-21T08:00:00Z'");
}

static enum err number_value(struct parser *p, struct search_node *node, const char **ret) {
    double value;
    if (!number_of(p, &value))
        return fail_value(p, &node->name, "a number");
    *ret = db_real(p->cx, value);
    return OK;
}

static enum err text_value(struct parser *p, struct search_node *node, const char **ret) {
    if (p->token.kind != TOKEN_STRING)
        return fail_value(p, &node->name, "a text in quotes");
    bool is_pattern =
        node->op & (SEARCH_LIKE | SEARCH_NOT_LIKE | SEARCH_ILIKE | SEARCH_NOT_ILIKE | SEARCH_RLIKE);
    bool is_id = node->name.field->type == SEARCH_ID && !is_pattern;
    *ret = is_id ? id_of_text(p->cx, p->token.text) : p->token.text;
    return OK;
}

static enum err parse_value(struct parser *p, struct search_node *node, const char **ret) {
    enum search_type type = node->name.field->type;
    if (type == SEARCH_TIME)
        TRY(time_value(p, node, ret));
    else if (type == SEARCH_NUMBER || node->as_number)
        TRY(number_value(p, node, ret));
    else
        TRY(text_value(p, node, ret));
    parser_next(p);
    return OK;
}

/* A text compared with a bare number: its first value decides, the rest of a list must follow. In
 * MLflow's dialect only what has an order may be. */
static void decide_number(const struct parser *p, struct search_node *node) {
    const unsigned ordered = SEARCH_EQ | SEARCH_NE | SEARCH_LT | SEARCH_LE | SEARCH_GT | SEARCH_GE |
                             SEARCH_IN | SEARCH_NOT_IN;
    unsigned permitted =
        p->dialect == SEARCH_NATIVE
            ? ordered
            : node->name.field->mlflow_ops & (ordered & ~(unsigned)SEARCH_MLFLOW_LIST_OPS);
    node->as_number = node->name.field->type == SEARCH_TEXT && p->token.kind == TOKEN_NUMBER &&
                      (node->op & permitted);
}

static enum err parse_list(struct parser *p, struct search_node *node) {
    size_t cap = 0;
    const char **values = NULL;
    if (p->token.kind != TOKEN_OPEN)
        return parser_expected(p, "a list in parentheses");
    do {
        parser_next(p); /* "(" or "," */
        if (node->value_count == 0)
            decide_number(p, node);
        if (node->value_count == SEARCH_LIST_MAX) {
            const char *why =
                arena_printf(p->cx->arena, "a list has at most %d values", SEARCH_LIST_MAX);
            return parser_fail(p, &p->token, why, why);
        }
        if (node->value_count == cap) {
            const char **more = arena_new_array(p->cx->arena, const char *, cap = cap * 2 + 8);
            if (node->value_count)
                memcpy(more, values, node->value_count * sizeof(*values));
            values = more;
        }
        TRY(parse_value(p, node, &values[node->value_count]));
        node->value_count++;
    } while (p->token.kind == TOKEN_COMMA);
    if (p->token.kind != TOKEN_CLOSE)
        return parser_expected(p, "\",\" or \")\"");
    parser_next(p);
    node->values = values;
    return OK;
}

enum err parse_values(struct parser *p, struct search_node *node) {
    if (node->op & (SEARCH_NULL | SEARCH_NOT_NULL))
        return OK;
    if (node->op & (SEARCH_IN | SEARCH_NOT_IN))
        return parse_list(p, node);
    const char **value = arena_new_array(p->cx->arena, const char *, 1);
    decide_number(p, node);
    TRY(parse_value(p, node, value));
    node->values = value;
    node->value_count = 1;
    return OK;
}
