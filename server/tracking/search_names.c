/* search_names.c: which field a name means, and orders made of names.
 *
 * A name is "group.key" or, of an attribute, the bare name. What is not in the entity's table for
 * the dialect does not exist: no name of a client becomes a column. */
#include "tracking/search_private.h"

#include <string.h>
#include <strings.h>

static const struct search_alias GROUPS[] = {
    {"metric", "metrics"},    {"param", "params"},  {"parameter", "params"},
    {"parameters", "params"}, {"tag", "tags"},      {"dataset", "datasets"},
    {"attribute", NULL},      {"attributes", NULL}, {"attr", NULL},
};

static const char *group_of(const struct search_entity *entity, const char *name) {
    for (size_t i = 0; i < entity->alias_count; i++)
        if (strcasecmp(entity->aliases[i].alias, name) == 0)
            return entity->aliases[i].group;
    for (size_t i = 0; i < sizeof(GROUPS) / sizeof(GROUPS[0]); i++)
        if (strcasecmp(GROUPS[i].alias, name) == 0)
            return GROUPS[i].group;
    return name;
}

static bool same_text(const char *a, const char *b) {
    return a == b || (a && b && strcasecmp(a, b) == 0);
}

/* Whether text is one of "a|b|c". */
static bool is_alias(const char *aliases, const char *text) {
    size_t length = strlen(text);
    for (const char *at = aliases; at && *at; at += strcspn(at, "|"), at += *at == '|')
        if (strcspn(at, "|") == length && strncasecmp(at, text, length) == 0)
            return true;
    return false;
}

static bool is_known(const struct search_field *field, enum search_dialect dialect) {
    unsigned order = dialect == SEARCH_MLFLOW ? SEARCH_ORDER_MLFLOW : SEARCH_ORDER;
    return (dialect == SEARCH_MLFLOW ? field->mlflow_ops : field->ops) || (field->order & order);
}

const struct search_field *search_field_of(const struct search_entity *entity, const char *group) {
    for (size_t i = 0; i < entity->field_count; i++)
        if (same_text(entity->fields[i].group, group))
            return &entity->fields[i];
    return NULL;
}

/* NULL when there is none; *ret_group tells whether at least the group is known. */
static const struct search_field *field_of(const struct parser *p, const char *group,
                                           const char *name, bool *ret_group) {
    *ret_group = false;
    for (size_t i = 0; i < p->entity->field_count; i++) {
        const struct search_field *field = &p->entity->fields[i];
        if (!same_text(field->group, group) || !is_known(field, p->dialect))
            continue;
        *ret_group = true;
        if (field->prefix) {
            if (strncasecmp(name, field->prefix, strlen(field->prefix)) == 0 &&
                name[strlen(field->prefix)])
                return field;
            continue;
        }
        if (!field->name || same_text(field->name, name) || is_alias(field->aliases, name))
            return field;
    }
    return NULL;
}

/* "name, state, …" of a group; the groups themselves when there is no such group. */
static const char *known_text(const struct parser *p, const char *group, bool groups) {
    struct arena *arena = p->cx->arena;
    const char *text = groups ? "attributes" : "", *last = NULL;
    for (size_t i = 0; i < p->entity->field_count; i++) {
        const struct search_field *field = &p->entity->fields[i];
        const char *word = groups          ? field->group
                           : field->prefix ? arena_printf(arena, "%s…", field->prefix)
                                           : field->name;
        if (!is_known(field, p->dialect) || !word || same_text(word, last) ||
            (!groups && !same_text(field->group, group)))
            continue;
        text = arena_printf(arena, "%s%s%s", text, *text ? ", " : "", word);
        last = word;
    }
    return text;
}

static enum err fail_name(struct parser *p, const struct token *token, const char *group,
                          const char *name, bool group_known) {
    struct arena *arena = p->cx->arena;
    if (group && !group_known) {
        const char *known = known_text(p, NULL, true);
        const char *text = parser_cut(p, token->text, strlen(token->text));
        return parser_fail(
            p, token,
            arena_printf(arena, "%ss have no \"%s\"; known are %s", p->entity->name, text, known),
            arena_printf(arena, "Invalid entity type '%s'. Valid values are [%s]", text, known));
    }
    const char *known = known_text(p, group, false);
    name = parser_cut(p, name, strlen(name));
    return parser_fail(p, token,
                       arena_printf(arena, "unknown %s \"%s\"; known are %s",
                                    group ? group : "attribute", name, known),
                       arena_printf(arena, "Invalid %s key '%s' specified. Valid keys are '%s'",
                                    group ? "dataset" : "attribute", name, known));
}

static enum err name_of(struct parser *p, const struct token *token, struct search_name *ret) {
    const char *group = token->key ? group_of(p->entity, token->text) : NULL;
    const char *name = token->key ? token->key : token->text;
    bool group_known;
    const struct search_field *field = field_of(p, group, name, &group_known);
    if (!field)
        return fail_name(p, token, group, name, group_known);
    const char *key = name + (field->prefix ? strlen(field->prefix) : 0);
    *ret = (struct search_name){.field = field, .key = field->name ? NULL : key};
    return OK;
}

/* "min" or "max" before a parenthesis; metrics named so need no quotes, because they have a dot. */
static enum err parse_part(struct parser *p, struct search_name *ret) {
    enum search_part part = token_is_word(&p->token, "min")   ? SEARCH_MIN
                            : token_is_word(&p->token, "max") ? SEARCH_MAX
                                                              : SEARCH_LAST;
    struct token word = p->token;
    parser_next(p);
    if (p->token.kind != TOKEN_OPEN)
        return name_of(p, &word, ret);
    if (part == SEARCH_LAST && !token_is_word(&word, "last"))
        return parser_fail(p, &word, "before \"(\" only min, max and last are known", "");
    parser_next(p);
    struct token inner = p->token;
    if (inner.kind != TOKEN_NAME)
        return parser_expected(p, "a metric");
    TRY(name_of(p, &inner, ret));
    if (!ret->field->min_sql)
        return parser_fail(p, &inner, "only metrics have a min, a max and a last value", "");
    parser_next(p);
    if (p->token.kind != TOKEN_CLOSE)
        return parser_expected(p, "\")\"");
    parser_next(p);
    ret->part = part;
    return OK;
}

enum err parse_name(struct parser *p, struct search_name *ret) {
    struct token token = p->token;
    /* In MLflow's manner an attribute may stand in double quotes: "Run name". */
    if (token.kind == TOKEN_STRING && p->text[token.at] == '"') {
        parser_next(p);
        return name_of(p, &token, ret);
    }
    if (token.kind != TOKEN_NAME)
        return parser_expected(p, "the name of a field");
    if (p->dialect == SEARCH_NATIVE)
        return parse_part(p, ret);
    parser_next(p);
    return name_of(p, &token, ret);
}

/* ---- orders */

struct order {
    struct search_key *keys;
    size_t count;
    const char *all; /* for MLflow's sentence */
};

static const struct search_key *order_find(const struct order *order,
                                           const struct search_name *name) {
    for (size_t i = 0; i < order->count; i++) {
        const struct search_name *other = &order->keys[i].name;
        if (other->field == name->field && other->part == name->part &&
            (!name->key || strcmp(other->key, name->key) == 0))
            return &order->keys[i];
    }
    return NULL;
}

static enum err fail_clause(struct parser *p, const char *format) {
    struct arena *arena = p->cx->arena;
    const char *found = parser_excerpt(p, &p->token);
    const char *all = parser_excerpt(p, &(struct token){.length = (int)strlen(p->text)});
    return parser_fail(
        p, &p->token, arena_printf(arena, "expected ASC, DESC or the end, found \"%s\"", found),
        arena_printf(arena, "%s order_by clause '%s'%s", *format ? format : "Invalid", all,
                     *format ? "." : ". Could not be parsed."));
}

static enum err check_order(struct parser *p, const struct token *token, struct order *order,
                            const struct search_name *name) {
    unsigned bit = p->dialect == SEARCH_MLFLOW ? SEARCH_ORDER_MLFLOW : SEARCH_ORDER;
    struct arena *arena = p->cx->arena;
    if (!(name->field->order & bit))
        return parser_fail(p, token, "nothing can be ordered by this",
                           arena_printf(arena, "Invalid order_by entity type '%s'",
                                        name->field->group ? name->field->group : "attribute"));
    if (order_find(order, name))
        return parser_fail(
            p, token, "this already orders the list",
            arena_printf(arena, "`order_by` contains duplicate fields: [%s]", order->all));
    if (order->count == SEARCH_ORDER_MAX - 2)
        return parser_fail(p, token, "too many order keys", "Too many order_by clauses");
    return OK;
}

static bool take_direction(struct parser *p) {
    bool descending = token_is_word(&p->token, "DESC");
    if (descending || token_is_word(&p->token, "ASC"))
        parser_next(p);
    return descending;
}

/* One clause; of ours a comma may lead to the next. */
static enum err parse_clause(struct parser *p, struct order *order) {
    do {
        if (order->count > 0 && p->token.kind == TOKEN_COMMA)
            parser_next(p);
        struct token token = p->token;
        struct search_name name;
        if (token.kind == TOKEN_END)
            return fail_clause(p, "");
        TRY(parse_name(p, &name));
        TRY(check_order(p, &token, order, &name));
        order->keys[order->count++] = (struct search_key){name, take_direction(p)};
    } while (p->dialect == SEARCH_NATIVE && p->token.kind == TOKEN_COMMA);
    if (p->token.kind == TOKEN_END)
        return OK;
    return fail_clause(p, p->token.kind == TOKEN_NAME ? "Invalid ordering key in" : "");
}

/* The entity's own words need no permission, and what the client named before stays. */
static enum err add_own(struct ctx *cx, const struct search_entity *entity,
                        enum search_dialect dialect, const char *text, struct order *order) {
    struct parser p;
    parser_init(&p, cx, entity, dialect, text ? text : "", "order_by");
    while (p.token.kind != TOKEN_END) {
        struct search_name name;
        TRY(parse_name(&p, &name));
        bool descending = take_direction(&p), known = order_find(order, &name) != NULL;
        if (!known && order->count < SEARCH_ORDER_MAX)
            order->keys[order->count++] = (struct search_key){name, descending};
        if (p.token.kind == TOKEN_COMMA)
            parser_next(&p);
    }
    return OK;
}

static enum err check_length(struct ctx *cx, const struct search *search, const char **ret_all) {
    size_t length = 0;
    *ret_all = "";
    for (size_t i = 0; i < search->order_count; i++)
        length += strlen(search->order_by[i]);
    if (length > SEARCH_TEXT_MAX)
        return fail_field(cx, ERR_INVALID, "order_by", "an order has at most %d bytes",
                          SEARCH_TEXT_MAX);
    for (size_t i = 0; i < search->order_count; i++)
        *ret_all =
            arena_printf(cx->arena, "%s%s'%s'", *ret_all, i ? ", " : "", search->order_by[i]);
    return OK;
}

enum err search_parse_order(struct ctx *cx, const struct search_entity *entity,
                            const struct search *search, struct search_key *ret,
                            size_t *ret_count) {
    bool mlflow = search->dialect == SEARCH_MLFLOW;
    struct order order = {.keys = ret};
    TRY(check_length(cx, search, &order.all));
    for (size_t i = 0; i < search->order_count; i++) {
        struct parser p;
        parser_init(&p, cx, entity, search->dialect, search->order_by[i], "order_by");
        TRY(parse_clause(&p, &order));
    }
    const char *own = mlflow && entity->mlflow_order ? entity->mlflow_order : entity->order;
    const char *tie = mlflow && entity->mlflow_tie ? entity->mlflow_tie : entity->tie;
    if (order.count == 0)
        TRY(add_own(cx, entity, search->dialect, own, &order));
    TRY(add_own(cx, entity, search->dialect, tie, &order));
    *ret_count = order.count;
    return OK;
}
