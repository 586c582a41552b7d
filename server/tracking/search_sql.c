/* search_sql.c: tree → SQL. The only words of the statement that are not written here come from the
 * entity's table; whatever a client wrote is a parameter.
 *
 * A comparison with rows of a source is "id in (select owner …)". Joined by AND at the top the
 * planner makes semi-joins of the first few and begins with the narrowest; others, and those under
 * OR and NOT, it hashes once each. Conditions are two-valued where it matters: NOT says "is not
 * true".
 *
 * Probing, for walks (search_walk.c), is the other way round: every comparison is a look-up of one
 * entity's row by its key, which no planner turns into anything else. */
#include "tracking/search_private.h"

#include "base/buf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define JOINS_MAX 4 /* planning takes 3 ms with these, 27 with six, 445 with sixteen */

static const struct {
    enum search_op op;
    const char *name, *sql;
} OPS[] = {
    {SEARCH_EQ, "=", "="},
    {SEARCH_NE, "!=", "<>"},
    {SEARCH_LT, "<", "<"},
    {SEARCH_LE, "<=", "<="},
    {SEARCH_GT, ">", ">"},
    {SEARCH_GE, ">=", ">="},
    {SEARCH_LIKE, "LIKE", "like"},
    {SEARCH_NOT_LIKE, "NOT LIKE", "not like"},
    {SEARCH_ILIKE, "ILIKE", "ilike"},
    {SEARCH_NOT_ILIKE, "NOT ILIKE", "not ilike"},
    {SEARCH_IN, "IN", "= any"},
    {SEARCH_NOT_IN, "NOT IN", "<> all"},
    {SEARCH_NULL, "IS NULL", "is null"},
    {SEARCH_NOT_NULL, "IS NOT NULL", "is not null"},
    {SEARCH_RLIKE, "RLIKE", "~"},
};

const char *search_op_name(enum search_op op) {
    for (size_t i = 0; i < sizeof(OPS) / sizeof(OPS[0]); i++)
        if (OPS[i].op == op)
            return OPS[i].name;
    return "";
}

static const char *op_sql(enum search_op op) {
    for (size_t i = 0; i < sizeof(OPS) / sizeof(OPS[0]); i++)
        if (OPS[i].op == op)
            return OPS[i].sql;
    return "";
}

int search_arg(struct ctx *cx, struct search_sql *sql, const char *value) {
    if (sql->arg_count == sql->arg_cap) {
        int cap = sql->arg_cap * 2 + 32;
        const char **more = arena_new_array(cx->arena, const char *, cap);
        if (sql->arg_count)
            memcpy(more, sql->args, (size_t)sql->arg_count * sizeof(*more));
        sql->args = more;
        sql->arg_cap = cap;
    }
    sql->args[sql->arg_count++] = value;
    return sql->arg_count;
}

/* A statement's text while it grows. */
struct compiler {
    struct ctx *cx;
    struct search_sql *sql;
    const char *id; /* of the entity that is looked at */
    bool probing;
    struct buf text;
    int joins; /* semi-joins the planner has to order */
};

const char *search_expression(const struct search_name *name) {
    return name->part == SEARCH_MIN   ? name->field->min_sql
           : name->part == SEARCH_MAX ? name->field->max_sql
                                      : name->field->sql;
}

/* The node with a name whose SQL is whole: that of a prefix ends with the parameter of its key. */
static struct search_node resolved(struct compiler *c, const struct search_node *node) {
    struct search_node ret = *node;
    if (!node->name.field->prefix)
        return ret;
    struct search_field *field = arena_new_struct(c->cx->arena, struct search_field);
    *field = *node->name.field;
    field->sql = arena_printf(c->cx->arena, "(%s $%d::text)", field->sql,
                              search_arg(c->cx, c->sql, node->name.key));
    ret.name.field = field;
    return ret;
}

const char *search_source_where(struct ctx *cx, struct search_sql *sql,
                                const struct search_name *name) {
    const struct search_source *source = name->field->source;
    if (!source->key || !name->key)
        return source->where;
    return arena_printf(cx->arena, "%s and %s = $%d::text", source->where, source->key,
                        search_arg(cx, sql, name->key));
}

static bool is_list(const struct search_node *node) {
    return node->op & (SEARCH_IN | SEARCH_NOT_IN);
}

/* The number of the parameter that holds the node's value or values. */
static int value_arg(struct compiler *c, const struct search_node *node) {
    return search_arg(c->cx, c->sql,
                      is_list(node) ? db_text_array(c->cx, node->values, node->value_count)
                                    : node->values[0]);
}

static void compare_plain(struct compiler *c, const struct search_node *node, const char *e,
                          const char *type) {
    int arg = value_arg(c, node);
    buf_printf(&c->text, is_list(node) ? "%s %s ($%d::%s[])" : "%s %s $%d::%s", e, op_sql(node->op),
               arg, type);
}

/* PostgreSQL holds NaN for the greatest number; here it is neither greater nor less. */
static void compare_number(struct compiler *c, const struct search_node *node, const char *e) {
    const unsigned ordered = SEARCH_LT | SEARCH_LE | SEARCH_GT | SEARCH_GE;
    if ((node->op & ordered) && isnan(strtod(node->values[0], NULL))) {
        buf_text(&c->text, "false");
        return;
    }
    buf_text(&c->text, "(");
    compare_plain(c, node, e, "float8");
    if (node->op & (SEARCH_GT | SEARCH_GE))
        buf_printf(&c->text, " and %s < 'NaN'::float8", e);
    buf_text(&c->text, ")");
}

/* Times have microseconds; whoever tells milliseconds means the whole of them. */
static void compare_time(struct compiler *c, const struct search_node *node, const char *e) {
    if (!node->in_milliseconds || (node->op & (SEARCH_LT | SEARCH_GE))) {
        compare_plain(c, node, e, "timestamptz");
        return;
    }
    compare_plain(c, node, arena_printf(c->cx->arena, "date_trunc('milliseconds', %s)", e),
                  "timestamptz");
}

static void compare_id(struct compiler *c, const struct search_node *node, const char *e) {
    if (node->op & (SEARCH_EQ | SEARCH_NE | SEARCH_IN | SEARCH_NOT_IN))
        compare_plain(c, node, e, "uuid");
    else
        compare_plain(c, node, arena_printf(c->cx->arena, "replace(%s::text, '-', '')", e), "text");
}

/* Long texts are compared by what stands for them: see search_key() in migrations/0019. */
static bool is_long(const struct search_node *node) {
    for (size_t i = 0; i < node->value_count; i++)
        if (strlen(node->values[i]) > SEARCH_KEY_MAX)
            return true;
    return false;
}

static void compare_text(struct compiler *c, const struct search_node *node, const char *e) {
    const unsigned same = SEARCH_EQ | SEARCH_NE | SEARCH_IN | SEARCH_NOT_IN;
    const char *key = node->op & same ? node->name.field->lookup : NULL;
    if (!key || !is_long(node))
        compare_plain(c, node, key ? key : e, "text");
    else if (is_list(node))
        buf_printf(&c->text,
                   "%s %s ((select array_agg(search_key(v)) from unnest($%d::text[]) v)::text[])",
                   key, op_sql(node->op), value_arg(c, node));
    else
        buf_printf(&c->text, "%s %s search_key($%d::text)", key, op_sql(node->op),
                   value_arg(c, node));
}

/* What is too long for the look-up column is no number either. */
static const char *number_of_text(struct compiler *c, const struct search_node *node,
                                  const char *e) {
    const char *lookup = node->name.field->lookup;
    return arena_printf(c->cx->arena, "search_number(%s)", lookup ? lookup : e);
}

/* Of a column that is never null the row is enough, and an index may be. */
static void compare_null(struct compiler *c, const struct search_node *node, const char *e) {
    if (!node->name.field->not_null)
        buf_printf(&c->text, "%s %s", e, op_sql(node->op));
    else
        buf_text(&c->text, node->op == SEARCH_NULL ? "false" : "true");
}

static void compare(struct compiler *c, const struct search_node *node) {
    const char *e = search_expression(&node->name);
    if (node->op & (SEARCH_NULL | SEARCH_NOT_NULL))
        compare_null(c, node, e);
    else if (node->as_number)
        compare_number(c, node, number_of_text(c, node, e));
    else if (node->name.field->type == SEARCH_NUMBER)
        compare_number(c, node, e);
    else if (node->name.field->type == SEARCH_TIME)
        compare_time(c, node, e);
    else if (node->name.field->type == SEARCH_ID)
        compare_id(c, node, e);
    else
        compare_text(c, node, e);
}

/* "No such row" is told of rows that are there. */
static struct search_node there_is(struct compiler *c, const struct search_node *node) {
    struct search_node there = resolved(c, node);
    if (node->op == SEARCH_NULL)
        there.op = SEARCH_NOT_NULL;
    return there;
}

/* "No such row" looks for the row of each entity; everything else lists the owners of rows. */
static void compare_source(struct compiler *c, const struct search_node *node) {
    const struct search_source *source = node->name.field->source;
    const char *where = search_source_where(c->cx, c->sql, &node->name);
    const struct search_node there = there_is(c, node);
    if (node->op == SEARCH_NULL)
        buf_printf(&c->text, "not exists (select from %s where %s and %s = %s and ", source->from,
                   where, source->owner, c->id);
    else
        buf_printf(&c->text, "%s in (select %s from %s where %s and ", c->id, source->owner,
                   source->from, where);
    compare(c, &there);
    buf_text(&c->text, ")");
}

/* A scalar sub-select is run for each entity; exists() might be hashed. Of rows with a key there is
 * one, and comparing it outside of "where" keeps the look-up on the primary key: by the index over
 * values, whose entries differ last, it takes twice the time. */
static void probe_source(struct compiler *c, const struct search_node *node) {
    const struct search_source *source = node->name.field->source;
    const char *where = search_source_where(c->cx, c->sql, &node->name);
    const struct search_node there = there_is(c, node);
    buf_text(&c->text, "(select ");
    if (source->key)
        compare(c, &there);
    else
        buf_text(&c->text, "true");
    buf_printf(&c->text, " from %s where %s and %s = %s", source->from, where, source->owner,
               c->id);
    if (!source->key) {
        buf_text(&c->text, " and ");
        compare(c, &there);
        buf_text(&c->text, " limit 1");
    }
    buf_text(&c->text, node->op == SEARCH_NULL ? ") is not true" : ")");
}

/* "… is true" is what keeps the planner from making a join of it. */
static void compile_leaf(struct compiler *c, const struct search_node *node, bool at_top) {
    c->sql->guessed |= !(node->op & (SEARCH_EQ | SEARCH_IN)) || node->as_number;
    if (!node->name.field->source) {
        compare(c, node);
        return;
    }
    if (c->probing) {
        probe_source(c, node);
        return;
    }
    bool apart = at_top && c->joins++ >= JOINS_MAX;
    buf_text(&c->text, apart ? "(" : "");
    compare_source(c, node);
    buf_text(&c->text, apart ? ") is true" : "");
}

/* How late to look at it: a column that is at hand, what few are equal to, the rest. */
static int lateness(const struct search_node *node) {
    if (node->kind == SEARCH_COMPARE)
        return !node->name.field->source                                  ? 0
               : (node->op & (SEARCH_EQ | SEARCH_IN)) && !node->as_number ? 1
                                                                          : 2;
    int left = lateness(node->left), right = node->right ? lateness(node->right) : 0;
    bool least = node->kind == SEARCH_AND;
    return (left < right) == least ? left : right;
}

static void compile(struct compiler *c, const struct search_node *node, bool at_top);

/* PostgreSQL orders conditions by what it thinks they cost, not by how many they leave; a CASE it
 * takes as it is. Nothing asks here whether a condition is false or unknown. */
static void probe_both(struct compiler *c, const struct search_node *node) {
    bool swap = lateness(node->right) < lateness(node->left);
    buf_text(&c->text, "case when ");
    compile(c, swap ? node->right : node->left, false);
    buf_text(&c->text, " then ");
    compile(c, swap ? node->left : node->right, false);
    buf_text(&c->text, " end");
}

/* at_top: only ANDs are above. */
static void compile(struct compiler *c, const struct search_node *node, bool at_top) {
    switch (node->kind) {
    case SEARCH_COMPARE:
        compile_leaf(c, node, at_top);
        break;
    case SEARCH_NOT:
        c->sql->guessed = true;
        buf_text(&c->text, "(");
        compile(c, node->left, false);
        buf_text(&c->text, ") is not true");
        break;
    case SEARCH_AND:
    case SEARCH_OR:
        if (c->probing && node->kind == SEARCH_AND) {
            probe_both(c, node);
            break;
        }
        at_top = at_top && node->kind == SEARCH_AND;
        buf_text(&c->text, "(");
        compile(c, node->left, at_top);
        buf_text(&c->text, node->kind == SEARCH_AND ? " and " : " or ");
        compile(c, node->right, at_top);
        buf_text(&c->text, ")");
        break;
    }
}

/* ---- conditions of one row */

/* What ANDs at the top join, in order. */
struct parts {
    const struct search_node *items[SEARCH_COMPARISONS_MAX + 1];
    size_t count;
};

static void collect(const struct search_node *node, struct parts *parts) {
    if (node->kind == SEARCH_AND) {
        collect(node->left, parts);
        collect(node->right, parts);
    } else if (parts->count <= SEARCH_COMPARISONS_MAX) {
        parts->items[parts->count++] = node;
    }
}

static const struct search_source *together(const struct search_node *node) {
    const struct search_source *source =
        node->kind == SEARCH_COMPARE ? node->name.field->source : NULL;
    return source && source->together && node->op != SEARCH_NULL ? source : NULL;
}

/* All conditions on rows of that source from item `first` on, as one on its owner. */
static void compile_together(struct compiler *c, const struct parts *parts, size_t first) {
    const struct search_source *source = together(parts->items[first]);
    c->sql->guessed = true;
    buf_printf(&c->text, "%s in (select %s from %s where %s", c->id, source->owner, source->from,
               source->where);
    for (size_t i = first; i < parts->count; i++) {
        if (together(parts->items[i]) != source)
            continue;
        struct search_node node = resolved(c, parts->items[i]);
        buf_text(&c->text, " and ");
        compare(c, &node);
    }
    buf_text(&c->text, ")");
}

static bool came_before(const struct parts *parts, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (together(parts->items[i]) == together(parts->items[at]))
            return true;
    return false;
}

static void compile_whole(struct compiler *c, const struct search_node *tree) {
    struct parts parts = {0};
    const char *joint = "";
    collect(tree, &parts);
    for (size_t i = 0; i < parts.count; i++) {
        bool grouped = together(parts.items[i]) != NULL;
        if (grouped && came_before(&parts, i))
            continue;
        buf_text(&c->text, joint);
        joint = " and ";
        if (grouped)
            compile_together(c, &parts, i);
        else
            compile(c, parts.items[i], true);
    }
}

static const char *compiled(struct compiler *c) {
    arena_defer(c->cx->arena, free, c->text.data);
    return c->text.data;
}

void search_compile_tree(struct ctx *cx, const struct search_entity *entity,
                         const struct search *search, const struct search_node *tree,
                         struct search_sql *ret) {
    struct compiler c = {.cx = cx, .sql = ret, .id = entity->id};
    *ret = (struct search_sql){0};
    search_arg(cx, ret, cx->who.team_id);
    for (size_t i = 0; i < search->scope_count; i++)
        search_arg(cx, ret, search->scope[i]);
    buf_text(&c.text, entity->where);
    buf_text(&c.text, search->within ? search->within : "");
    if (tree) {
        buf_text(&c.text, " and ");
        compile_whole(&c, tree);
    }
    ret->where = compiled(&c);
}

const char *search_compile_probes(struct ctx *cx, const struct search_node *tree, const char *id,
                                  struct search_sql *sql) {
    struct compiler c = {.cx = cx, .sql = sql, .id = id, .probing = true};
    compile(&c, tree, false);
    return compiled(&c);
}

enum err search_compile(struct ctx *cx, const struct search_entity *entity,
                        const struct search *search, struct search_sql *ret) {
    const struct search_node *tree;
    TRY(search_parse(cx, entity, search->dialect, search->filter, &tree));
    search_compile_tree(cx, entity, search, tree, ret);
    return OK;
}

enum err search_condition(struct ctx *cx, const struct search_entity *entity,
                          const struct search *search, struct search_sql *sql, const char **ret) {
    struct compiler c = {.cx = cx, .sql = sql, .id = entity->id};
    const struct search_node *tree;
    TRY(search_parse(cx, entity, search->dialect, search->filter, &tree));
    if (tree)
        compile_whole(&c, tree);
    else
        buf_text(&c.text, "true");
    arena_defer(cx->arena, free, c.text.data);
    *ret = c.text.data;
    return OK;
}
