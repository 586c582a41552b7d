/* What the files of searching share: tokens, the tree, and how a text is refused. */
#pragma once

#include "base/buf.h"
#include "tracking/search.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,   /* loss, metrics.loss, metrics."a b", `Run name` */
    TOKEN_STRING, /* 'text' or "text" */
    TOKEN_NUMBER,
    TOKEN_COMPARE, /* = != < <= > >= */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_WRONG /* no token begins so; `why` says what it is instead */
};

struct token {
    enum token_kind kind;
    int at, length;   /* in the text */
    const char *text; /* name: its first part; string: its value; else as written */
    const char *key;  /* name: what follows the first dot; NULL = no dot */
    bool quoted;      /* name: written in quotes, so never a keyword */
    const char *why;
};

/* Reads one token of text at *at and moves *at behind it. */
void search_lex(struct arena *arena, const char *text, int *at, struct token *ret);
/* Whether the token is that keyword, in any case. */
bool token_is_word(const struct token *token, const char *word);

enum search_part { SEARCH_LAST, SEARCH_MIN, SEARCH_MAX };

/* A field as a text names it: metrics.loss, min(metrics.loss), name. */
struct search_name {
    const struct search_field *field;
    const char *key; /* of a keyed field */
    enum search_part part;
};

enum search_kind { SEARCH_AND, SEARCH_OR, SEARCH_NOT, SEARCH_COMPARE };

struct search_node {
    enum search_kind kind;
    const struct search_node *left, *right; /* NOT has only left, a comparison neither */
    struct search_name name;
    enum search_op op;
    const char *const *values; /* as the database reads their type */
    size_t value_count;        /* 1; of a list as many as it has; of IS NULL 0 */
    bool as_number;            /* a text that is compared as a number */
    bool in_milliseconds;      /* a time that stands for its whole millisecond */
};

struct search_key {
    struct search_name name;
    bool descending;
};

/* A text on its way into a tree. `token` is the one not yet taken. */
struct parser {
    struct ctx *cx;
    const struct search_entity *entity;
    enum search_dialect dialect;
    const char *text, *member; /* "filter" or "order_by" */
    int at;                    /* behind token */
    struct token token;
    int comparisons, depth;
};

void parser_init(struct parser *p, struct ctx *cx, const struct search_entity *entity,
                 enum search_dialect dialect, const char *text, const char *member);
void parser_next(struct parser *p);
/* A text cut to what fits a sentence; what the token is in the text, cut so too. */
const char *parser_cut(const struct parser *p, const char *from, size_t length);
const char *parser_excerpt(const struct parser *p, const struct token *token);
/* Refuses the text at that token, in the words of its dialect. */
enum err parser_fail(struct parser *p, const struct token *token, const char *ours,
                     const char *mlflow);
/* Refuses the current token where `wanted` should stand. */
enum err parser_expected(struct parser *p, const char *wanted);

/* search_names.c. Takes a field's name, min(…) and max(…) too. */
MUST_USE enum err parse_name(struct parser *p, struct search_name *ret);
/* The entity's own order, "a DESC, b", behind what there is. */
MUST_USE enum err search_parse_order(struct ctx *cx, const struct search_entity *entity,
                                     const struct search *search, struct search_key *ret,
                                     size_t *ret_count);
const char *search_op_name(enum search_op op);
/* The first field of a group; NULL = there is no such group. */
const struct search_field *search_field_of(const struct search_entity *entity, const char *group);

/* search_parse.c: the tree of a filter; NULL for an empty one. */
MUST_USE enum err search_parse(struct ctx *cx, const struct search_entity *entity,
                               enum search_dialect dialect, const char *filter,
                               const struct search_node **ret);
/* search_value.c: takes the value or the list that op compares the name with. */
MUST_USE enum err parse_values(struct parser *p, struct search_node *node);

/* search_sql.c: the scope and the filter as one condition. */
void search_compile_tree(struct ctx *cx, const struct search_entity *entity,
                         const struct search *search, const struct search_node *tree,
                         struct search_sql *ret);
/* The filter alone, of the entity with that id, by looking rows up: what is found early is asked
 * first. True, or false or null. */
const char *search_compile_probes(struct ctx *cx, const struct search_node *tree, const char *id,
                                  struct search_sql *sql);
/* The SQL a name stands for, where its source is in the statement. */
const char *search_expression(const struct search_name *name);
/* The condition of a source's rows of that name: scope and key. */
const char *search_source_where(struct ctx *cx, struct search_sql *sql,
                                const struct search_name *name);

/* ---- pages */

/* One row: its id and its order keys as text. */
struct search_row {
    const char *id, *keys[SEARCH_ORDER_MAX];
    const char *edge; /* search_walk.c */
};
extern const struct shape SEARCH_ROW_SHAPE;

/* An order key as SQL. */
struct key_sql {
    const char *expression, *type;
    const char *order; /* what an index calls the same order: "w.value desc"; NULL = expression */
    bool descending, not_null;
};

/* A statement that reads a page, while it grows. */
struct page_sql {
    struct ctx *cx;
    const struct search_entity *entity;
    const struct search *search;
    const char *const *after; /* keys and id of the row before the page; NULL = the first page */
    struct search_sql sql;
    struct key_sql keys[SEARCH_ORDER_MAX];
    size_t key_count;
    struct buf from, text;
};

/* search_page.c: parts of that statement. */
void page_add_key(struct page_sql *p, const struct search_key *key);
void page_add_selected(struct page_sql *p); /* "select … as id, … as k0, …" */
void page_add_after(struct page_sql *p);    /* " and …": behind that row */
void page_add_order(struct page_sql *p);    /* " order by … limit …": of one row more */

/* search_walk.c: tries to read the page, and one row more where there is one, by walking along an
 * index. What it found is the page only if *ret_found. */
MUST_USE enum err search_walk(struct ctx *cx, const struct page_sql *page,
                              const struct search_node *tree, const struct search_key *keys,
                              size_t key_count, struct list *ret, bool *ret_found);
/* search_page.c: runs a statement that has one plan for all values. */
MUST_USE enum err search_rows_by_key(struct ctx *cx, const char *text, const struct search_sql *sql,
                                     const struct shape *shape, struct list *ret);
