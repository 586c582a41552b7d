/* search_parse.c: tokens → tree, by recursive descent.
 *
 *     filter     := any END
 *     any        := all (OR all)*
 *     all        := one (AND one)*
 *     one        := NOT one | "(" any ")" | comparison
 *     comparison := name (= != < <= > >= [NOT] LIKE, [NOT] ILIKE, RLIKE) value
 *                 | name [NOT] IN "(" value ("," value)* ")" | name IS [NOT] NULL
 *
 * MLflow's dialect is comparisons joined by AND. How deep and how many is bounded before anything
 * is composed, so the stack and the statement are bounded too. */
#include "tracking/search_private.h"

#include <string.h>

#define SHOWN_MAX 80 /* bytes of a text that a sentence repeats */

void parser_init(struct parser *p, struct ctx *cx, const struct search_entity *entity,
                 enum search_dialect dialect, const char *text, const char *member) {
    *p = (struct parser){
        .cx = cx, .entity = entity, .dialect = dialect, .text = text, .member = member};
    parser_next(p);
}

void parser_next(struct parser *p) {
    search_lex(p->cx->arena, p->text, &p->at, &p->token);
}

const char *parser_cut(const struct parser *p, const char *from, size_t length) {
    if (length > SHOWN_MAX) {
        length = SHOWN_MAX;
        while (length > 0 && ((unsigned char)from[length] & 0xC0) == 0x80)
            length--; /* never through the middle of a character */
    }
    return arena_strndup(p->cx->arena, from, length);
}

const char *parser_excerpt(const struct parser *p, const struct token *token) {
    return parser_cut(p, p->text + token->at, (size_t)token->length);
}

enum err parser_fail(struct parser *p, const struct token *token, const char *ours,
                     const char *mlflow) {
    if (p->dialect == SEARCH_MLFLOW)
        fail_field(p->cx, ERR_INVALID, p->member, "%s", mlflow);
    else
        fail_field(p->cx, ERR_INVALID, p->member, "%s (byte %d)", ours, token->at);
    p->cx->err.at = token->at;
    p->cx->err.length = token->length > 0 ? token->length : 1;
    return ERR_INVALID;
}

enum err parser_expected(struct parser *p, const char *wanted) {
    struct arena *arena = p->cx->arena;
    const struct token *token = &p->token;
    const char *found = parser_excerpt(p, token), *ours;
    if (token->kind == TOKEN_END)
        ours = arena_printf(arena, "the text ends where %s should stand", wanted);
    else if (token->kind == TOKEN_WRONG)
        ours = arena_printf(arena, "\"%s\" is %s; expected %s", found, token->why, wanted);
    else
        ours = arena_printf(arena, "expected %s, found \"%s\"", wanted, found);
    return parser_fail(p, token, ours,
                       arena_printf(arena, "Invalid clause(s) in filter string: '%s'", found));
}

static struct search_node *node_new(struct parser *p, enum search_kind kind,
                                    const struct search_node *left,
                                    const struct search_node *right) {
    struct search_node *node = arena_new_struct(p->cx->arena, struct search_node);
    *node = (struct search_node){.kind = kind, .left = left, .right = right};
    return node;
}

static bool take_word(struct parser *p, const char *word) {
    bool is = token_is_word(&p->token, word);
    if (is)
        parser_next(p);
    return is;
}

/* The operator, taken; *ret_from is its first token. */
static enum err parse_op(struct parser *p, enum search_op *ret) {
    static const struct {
        const char *word;
        enum search_op plain, negated; /* negated 0 = no NOT before it */
    } WORDS[] = {{"LIKE", SEARCH_LIKE, SEARCH_NOT_LIKE},
                 {"ILIKE", SEARCH_ILIKE, SEARCH_NOT_ILIKE},
                 {"IN", SEARCH_IN, SEARCH_NOT_IN},
                 {"RLIKE", SEARCH_RLIKE, 0}};
    static const enum search_op SIGNS[] = {SEARCH_EQ, SEARCH_NE, SEARCH_LT,
                                           SEARCH_LE, SEARCH_GT, SEARCH_GE};
    if (p->token.kind == TOKEN_COMPARE)
        for (size_t i = 0; i < sizeof(SIGNS) / sizeof(SIGNS[0]); i++)
            if (strcmp(p->token.text, search_op_name(SIGNS[i])) == 0) {
                *ret = SIGNS[i];
                parser_next(p);
                return OK;
            }
    if (take_word(p, "IS")) {
        *ret = take_word(p, "NOT") ? SEARCH_NOT_NULL : SEARCH_NULL;
        return take_word(p, "NULL") ? OK : parser_expected(p, "NULL");
    }
    bool negated = take_word(p, "NOT");
    for (size_t i = 0; i < sizeof(WORDS) / sizeof(WORDS[0]); i++) {
        enum search_op op = negated ? WORDS[i].negated : WORDS[i].plain;
        if (op && take_word(p, WORDS[i].word)) {
            *ret = op;
            return OK;
        }
    }
    return parser_expected(p, negated ? "LIKE, ILIKE or IN" : "a comparison");
}

static const char *ops_text(struct parser *p, unsigned ops) {
    const char *text = "";
    for (unsigned op = SEARCH_EQ; op <= SEARCH_RLIKE; op <<= 1)
        if (ops & op)
            text = arena_printf(p->cx->arena, "%s%s%s", text, *text ? ", " : "",
                                search_op_name((enum search_op)op));
    return text;
}

/* What the dialect permits of the name. min() and max() are numbers like the last value. */
static enum err check_op(struct parser *p, const struct token *at, const struct search_node *node) {
    const struct search_field *field = node->name.field;
    unsigned ops = p->dialect == SEARCH_MLFLOW ? field->mlflow_ops : field->ops;
    struct arena *arena = p->cx->arena;
    if (ops & node->op)
        return OK;
    const char *name = search_op_name(node->op);
    const char *mlflow =
        arena_printf(arena, "Invalid comparator '%s' not one of '%s'", name, ops_text(p, ops));
    if (!field->group && (node->op & (SEARCH_IN | SEARCH_NOT_IN)))
        mlflow = "Only the 'run_id' attribute supports comparison with a list of quoted string "
                 "values.";
    return parser_fail(
        p, at,
        arena_printf(arena, "%s cannot be used here; possible are %s", name, ops_text(p, ops)),
        mlflow);
}

static enum err parse_comparison(struct parser *p, const struct search_node **ret) {
    struct search_node *node = node_new(p, SEARCH_COMPARE, NULL, NULL);
    struct token first = p->token;
    if (++p->comparisons > SEARCH_COMPARISONS_MAX) {
        const char *why = arena_printf(p->cx->arena, "a filter has at most %d comparisons",
                                       SEARCH_COMPARISONS_MAX);
        return parser_fail(p, &first, why, why);
    }
    TRY(parse_name(p, &node->name));
    struct token op = p->token;
    TRY(parse_op(p, &node->op));
    TRY(check_op(p, &op, node));
    TRY(parse_values(p, node));
    *ret = node;
    return OK;
}

static enum err parse_any(struct parser *p, const struct search_node **ret);

static enum err enter(struct parser *p) {
    const char *why;
    if (p->dialect == SEARCH_MLFLOW)
        return parser_expected(p, "");
    if (++p->depth <= SEARCH_DEPTH_MAX)
        return OK;
    why =
        arena_printf(p->cx->arena, "parentheses and NOTs stand at most %d deep", SEARCH_DEPTH_MAX);
    return parser_fail(p, &p->token, why, why);
}

static enum err parse_one(struct parser *p, const struct search_node **ret) {
    const struct search_node *inner;
    bool negated = token_is_word(&p->token, "NOT");
    if (!negated && p->token.kind != TOKEN_OPEN)
        return parse_comparison(p, ret);
    TRY(enter(p));
    parser_next(p);
    if (negated) {
        TRY(parse_one(p, &inner));
        *ret = node_new(p, SEARCH_NOT, inner, NULL);
    } else {
        TRY(parse_any(p, ret));
        if (p->token.kind != TOKEN_CLOSE)
            return parser_expected(p, "AND, OR or \")\"");
        parser_next(p);
    }
    p->depth--;
    return OK;
}

static enum err parse_all(struct parser *p, const struct search_node **ret) {
    const struct search_node *left, *right;
    TRY(parse_one(p, &left));
    while (take_word(p, "AND")) {
        TRY(parse_one(p, &right));
        left = node_new(p, SEARCH_AND, left, right);
    }
    *ret = left;
    return OK;
}

static enum err parse_any(struct parser *p, const struct search_node **ret) {
    const struct search_node *left, *right;
    TRY(parse_all(p, &left));
    while (p->dialect == SEARCH_NATIVE && take_word(p, "OR")) {
        TRY(parse_all(p, &right));
        left = node_new(p, SEARCH_OR, left, right);
    }
    *ret = left;
    return OK;
}

/* What follows a whole filter: MLflow's client reads of a second statement in words of its own. */
static enum err fail_rest(struct parser *p) {
    if (p->dialect == SEARCH_MLFLOW && p->token.kind == TOKEN_WRONG && *p->token.text == ';')
        return parser_fail(p, &p->token, "",
                           arena_printf(p->cx->arena,
                                        "Search filter contained multiple expression '%s'. "
                                        "Provide AND-ed expression list.",
                                        parser_excerpt(p, &(struct token){.length = p->at})));
    return parser_expected(p, "AND, OR or the end");
}

enum err search_parse(struct ctx *cx, const struct search_entity *entity,
                      enum search_dialect dialect, const char *filter,
                      const struct search_node **ret) {
    struct parser p;
    *ret = NULL;
    if (filter && strlen(filter) > SEARCH_TEXT_MAX) {
        fail_field(cx, ERR_INVALID, "filter", "a filter has at most %d bytes", SEARCH_TEXT_MAX);
        cx->err.at = SEARCH_TEXT_MAX;
        cx->err.length = 1;
        return ERR_INVALID;
    }
    parser_init(&p, cx, entity, dialect, filter ? filter : "", "filter");
    if (p.token.kind == TOKEN_END)
        return OK;
    TRY(parse_any(&p, ret));
    return p.token.kind == TOKEN_END ? OK : fail_rest(&p);
}
