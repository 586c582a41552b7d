/* search_page.c: pages of what a search finds.
 *
 * A page is a keyset: behind the last row's order keys and id. Every order is total and the same in
 * both dialects: nulls last in either direction, NaN before them and behind all numbers (which is
 * why a descending number is an ascending negated one), the entity's own tie, then the id. The
 * token carries those keys and a digest of the question, so that it leads on in the list it came
 * from and in no other. */
#include "tracking/search_private.h"

#include "base/digest.h"
#include "sql/tracking.h"

#include <string.h>

#define KEY_FIELD(n)                                                                               \
    { .name = "k" #n, .type = FIELD_TYPE_STRING, .offset = offsetof(struct search_row, keys[n]) }
static const struct field SEARCH_ROW_FIELDS[] = {
    FIELD(STRING, struct search_row, id),
    KEY_FIELD(0),
    KEY_FIELD(1),
    KEY_FIELD(2),
    KEY_FIELD(3),
    KEY_FIELD(4),
    KEY_FIELD(5),
    KEY_FIELD(6),
    KEY_FIELD(7),
    FIELD(STRING, struct search_row, edge),
};
SHAPE(SEARCH_ROW_SHAPE, "SearchRow", struct search_row, SEARCH_ROW_FIELDS);

/* Rows of a source are joined under an alias of the key's number: one key, one row at most. The
 * look-up column begins as the text does, and an index holds it. */
static const char *join_source(struct page_sql *p, const struct search_name *name, size_t n) {
    const struct search_source *source = name->field->source;
    const char *where = search_source_where(p->cx, &p->sql, name);
    buf_printf(&p->from,
               " left join (select %s as owner, %s as value from %s where %s) o%zu"
               " on o%zu.owner = %s",
               source->owner, name->field->lookup ? name->field->lookup : search_expression(name),
               source->from, where, n, n, p->entity->id);
    return arena_printf(p->cx->arena, "o%zu.value", n);
}

void page_add_key(struct page_sql *p, const struct search_key *key) {
    const struct search_field *field = key->name.field;
    const char *e =
        field->source ? join_source(p, &key->name, p->key_count) : search_expression(&key->name);
    struct key_sql *to = &p->keys[p->key_count++];
    *to = (struct key_sql){.expression = e,
                           .type = "timestamptz",
                           .descending = key->descending,
                           .not_null = field->not_null && !field->source};
    if (field->type == SEARCH_NUMBER) {
        to->type = "float8";
        to->expression =
            arena_printf(p->cx->arena, "(%s%s::float8)", key->descending ? "-" : "", e);
        to->descending = false;
    } else if (field->type == SEARCH_TEXT) {
        to->type = "text";
        to->expression = arena_printf(p->cx->arena, "left(%s, %d)", e, SEARCH_SORT_CHARACTERS);
    } else if (field->type == SEARCH_ID) {
        to->type = "uuid";
    }
}

/* Rows behind `value` by this key alone; value NULL = the last there are. */
static void add_behind(struct page_sql *p, const struct key_sql *key, int arg, bool null) {
    if (null)
        buf_text(&p->text, "false");
    else if (key->not_null)
        buf_printf(&p->text, "%s %s $%d::%s", key->expression, key->descending ? "<" : ">", arg,
                   key->type);
    else
        buf_printf(&p->text, "(%s %s $%d::%s or %s is null)", key->expression,
                   key->descending ? "<" : ">", arg, key->type, key->expression);
}

static void add_equal(struct page_sql *p, const struct key_sql *key, int arg, bool null) {
    if (null)
        buf_printf(&p->text, "%s is null", key->expression);
    else
        buf_printf(&p->text, "%s = $%d::%s", key->expression, arg, key->type);
}

static bool ids_descend(const struct page_sql *p) {
    return p->entity->newest_first && p->search->dialect == SEARCH_NATIVE;
}

/* " and (k0 > … or (k0 = … and (k1 > … or …)))": behind the row whose keys these are. A first key
 * that is never null also bounds an index scan. */
void page_add_after(struct page_sql *p) {
    int args[SEARCH_ORDER_MAX + 1];
    const char *const *after = p->after;
    if (!after)
        return;
    for (size_t i = 0; i <= p->key_count; i++)
        args[i] = after[i] ? search_arg(p->cx, &p->sql, after[i]) : 0; /* null is not compared */
    if (p->key_count > 0 && p->keys[0].not_null)
        buf_printf(&p->text, " and %s %s $%d::%s", p->keys[0].expression,
                   p->keys[0].descending ? "<=" : ">=", args[0], p->keys[0].type);
    buf_text(&p->text, " and ");
    for (size_t i = 0; i < p->key_count; i++) {
        buf_text(&p->text, "(");
        add_behind(p, &p->keys[i], args[i], after[i] == NULL);
        buf_text(&p->text, " or (");
        add_equal(p, &p->keys[i], args[i], after[i] == NULL);
        buf_text(&p->text, " and ");
    }
    buf_printf(&p->text, "%s %s $%d::uuid", p->entity->id, ids_descend(p) ? "<" : ">",
               args[p->key_count]);
    for (size_t i = 0; i < p->key_count; i++)
        buf_text(&p->text, "))");
}

void page_add_order(struct page_sql *p) {
    buf_text(&p->text, " order by ");
    for (size_t i = 0; i < p->key_count; i++) {
        const struct key_sql *key = &p->keys[i];
        if (key->order)
            buf_printf(&p->text, "%s, ", key->order);
        else
            buf_printf(&p->text, "%s %s%s, ", key->expression, key->descending ? "desc" : "asc",
                       key->not_null || !key->descending ? "" : " nulls last");
    }
    int limit = search_arg(p->cx, &p->sql, db_int(p->cx, p->search->limit + 1));
    buf_printf(&p->text, "%s %s limit $%d::bigint", p->entity->id, ids_descend(p) ? "desc" : "asc",
               limit);
}

void page_add_selected(struct page_sql *p) {
    buf_printf(&p->text, "select %s as id", p->entity->id);
    for (size_t i = 0; i < p->key_count; i++)
        buf_printf(&p->text, ", (%s)::text as k%zu", p->keys[i].expression, i);
}

/* ---- tokens */

static void add_part(struct sha256 *h, const char *text) {
    sha256_update(h, text ? text : "-", text ? strlen(text) + 1 : 1);
}

/* What makes two questions the same list: everything but the page. */
static const char *question(struct page_sql *p) {
    const struct search *s = p->search;
    char hex[SHA256_TEXT_SIZE];
    struct sha256 *h = sha256_new();
    add_part(h, p->entity->name);
    add_part(h, s->dialect == SEARCH_MLFLOW ? "mlflow" : "native");
    add_part(h, s->filter);
    for (size_t i = 0; i < s->order_count; i++)
        add_part(h, s->order_by[i]);
    for (size_t i = 0; i < s->scope_count; i++)
        add_part(h, s->scope[i]);
    sha256_final_hex(h, hex);
    sha256_free(h);
    return arena_strndup(p->cx->arena, hex, 16);
}

/* keys: the question's digest, the order keys, the id. */
static enum err read_token(struct page_sql *p, size_t key_count) {
    struct ctx *cx = p->cx;
    const char **keys = arena_new_array(cx->arena, const char *, SEARCH_ORDER_MAX + 2);
    if (!p->search->token)
        return OK;
    p->after = keys + 1;
    if (cursor_decode(cx, p->search->token, keys, (int)key_count + 2) == OK && keys[0] &&
        strcmp(keys[0], question(p)) == 0 && keys[key_count + 1])
        return OK;
    return fail_field(cx, ERR_INVALID,
                      p->search->dialect == SEARCH_MLFLOW ? "page_token" : "cursor",
                      "this page token was not given by this search");
}

static const char *write_token(struct ctx *cx, const struct search_page *page, size_t last) {
    const char *keys[SEARCH_ORDER_MAX + 2] = {page->question};
    memcpy(keys + 1, page->rows[last].keys, page->key_count * sizeof(*keys));
    keys[page->key_count + 1] = page->rows[last].id;
    return cursor_encode(cx, keys, (int)page->key_count + 2);
}

void search_page_cut(struct ctx *cx, struct search_page *page, size_t count) {
    if (count >= page->ids.count)
        return;
    page->ids.count = count;
    page->next = write_token(cx, page, count - 1);
}

/* ---- the statement */

static enum err read_rows(struct page_sql *p, const struct search_node *tree,
                          const struct search_key *keys, size_t count, struct list *ret) {
    search_compile_tree(p->cx, p->entity, p->search, tree, &p->sql);
    for (size_t i = 0; i < count; i++)
        page_add_key(p, &keys[i]);
    page_add_selected(p);
    buf_printf(&p->text, " from %s%s where %s", p->entity->from, p->from.data ? p->from.data : "",
               p->sql.where);
    page_add_after(p);
    page_add_order(p);
    return search_rows(p->cx, p->entity, p->text.data, &p->sql, &SEARCH_ROW_SHAPE, ret);
}

static void fill_page(struct page_sql *p, const struct list *rows, size_t key_count,
                      struct search_page *ret) {
    const struct search_row *row = rows->items;
    size_t limit = (size_t)p->search->limit;
    size_t count = rows->count > limit ? limit : rows->count;
    const char **ids = arena_new_array(p->cx->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = row[i].id;
    *ret = (struct search_page){
        .ids = {ids, count}, .rows = row, .key_count = key_count, .question = question(p)};
    if (rows->count > limit)
        ret->next = write_token(p->cx, ret, count - 1);
}

static enum err run_page(struct page_sql *p, struct search_page *ret) {
    const struct search_node *tree;
    struct search_key keys[SEARCH_ORDER_MAX];
    size_t count;
    struct list rows;
    bool found;
    TRY(search_parse(p->cx, p->entity, p->search->dialect, p->search->filter, &tree));
    TRY(search_parse_order(p->cx, p->entity, p->search, keys, &count));
    TRY(read_token(p, count));
    TRY(search_walk(p->cx, p, tree, keys, count, &rows, &found));
    if (!found)
        TRY(read_rows(p, tree, keys, count, &rows));
    fill_page(p, &rows, count, ret);
    return OK;
}

enum err search_page(struct ctx *cx, const struct search_entity *entity,
                     const struct search *search, struct search_page *ret) {
    struct page_sql p = {.cx = cx, .entity = entity, .search = search};
    enum err err = run_page(&p, ret);
    buf_done(&p.from);
    buf_done(&p.text);
    return err;
}

static enum err read_in_time(struct ctx *cx, const char *plan_cache_mode, const char *text,
                             const struct search_sql *sql, const struct shape *shape,
                             struct list *ret) {
    enum err err = db_many_dynamic_after(cx, &SQL_search_begin,
                                         ARGS(db_int(cx, SEARCH_TIMEOUT_MS), plan_cache_mode), text,
                                         sql->args, sql->arg_count, shape, ret);
    if (err == ERR_TIMEOUT)
        return fail_field(cx, ERR_TIMEOUT, "filter",
                          "the search took longer than %d s: add a condition, or ask for fewer "
                          "experiments",
                          SEARCH_TIMEOUT_MS / 1000);
    return err;
}

struct crowd_row {
    const char *setting;
};
static const struct field CROWD_ROW_FIELDS[] = {FIELD(STRING, struct crowd_row, setting)};
static SHAPE(CROWD_ROW_SHAPE, "CrowdRow", struct crowd_row, CROWD_ROW_FIELDS);

/* Looking up a row costs some 8 µs, reading it from the index that lists all of them 0.2: where a
 * guess of the planner may be wrong by the size of a large scope, it must not look up one by one.
 */
static enum err forbid_lookups(struct ctx *cx, const struct search_entity *entity,
                               const struct search_sql *sql) {
    struct list ignored;
    const char *text = arena_printf(
        cx->arena,
        "select set_config('enable_nestloop', case when (select count(*) from"
        " (select from %s limit %d) counted) > %d then 'off' else 'on' end, true) as setting",
        entity->crowd, SEARCH_CROWD + 1, SEARCH_CROWD);
    const struct search_sql scope = {
        .args = (const char *[]){sql->args[0], sql->args[1 + entity->crowd_scope]}, .arg_count = 2};
    return read_in_time(cx, "force_custom_plan", text, &scope, &CROWD_ROW_SHAPE, &ignored);
}

enum err search_rows(struct ctx *cx, const struct search_entity *entity, const char *text,
                     const struct search_sql *sql, const struct shape *shape, struct list *ret) {
    const char *ignored;
    if (sql->guessed && entity->crowd)
        TRY(forbid_lookups(cx, entity, sql));
    TRY(read_in_time(cx, "force_custom_plan", text, sql, shape, ret));
    return db_value(cx, &SQL_search_end, NO_ARGS, &ignored);
}

enum err search_rows_by_key(struct ctx *cx, const char *text, const struct search_sql *sql,
                            const struct shape *shape, struct list *ret) {
    return read_in_time(cx, "force_generic_plan", text, sql, shape, ret);
}
