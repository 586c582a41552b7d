/* search_walk.c: pages read by walking along an index that has the order asked for.
 *
 * Whoever wants the best hundred of 100,000 runs should not wait until all of them were joined,
 * filtered and sorted (90 ms): a walk takes the index's entries one after the other, looks up for
 * each whether the filter holds, and ends with the page (4 ms where one in nine is found). It knows
 * no statistics and needs none: its plan is the same for all values, so it is prepared and never
 * planned again. What it cannot know is how far it would have to go. So it goes through a window of
 * SEARCH_WALK entries for each row of the page and gives up behind it: that costs 2 to 3 us an
 * entry and comparison, and then the statement of search_page.c, which reads everything once, is
 * the better one.
 *
 * Two kinds of index: of the entities themselves (the runs of an experiment by their start), and of
 * rows of theirs (a metric's last values). In the latter there are numbers only: what lacks the
 * metric, or has NaN, stands behind all numbers, and a page that reaches so far is not a walk's.
 *
 * An index does not know the whole order. Entries of one value are sorted here by the other keys,
 * for which all of them must have been seen: are the last two rows of one value, and is that the
 * window's last ("edge") too, then what belongs before them may lie behind it. Then the walk has
 * found nothing. */
#include "tracking/search_private.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW_MAX 5000 /* entries a walk looks at: 15 ms for nothing, at worst */

/* What a walk is made of. */
struct walk {
    struct page_sql page;
    const struct search_name *name; /* what is walked along */
    bool descending;
    int window;        /* the parameter that says how many entries it has */
    const char *alias; /* of the entity: "r" */
};

/* A page of numbers begins in the index; null and NaN do not lie in it. */
static bool begins_in_index(const struct page_sql *p) {
    return !p->after || (p->after[0] && strcmp(p->after[0], "NaN") != 0);
}

static bool has_index(const struct search_key *key) {
    const struct search_field *field = key->name.field;
    return field->source ? field->source->ordered && field->type == SEARCH_NUMBER &&
                               key->name.part == SEARCH_LAST
                         : field->ordered;
}

static bool is_walk(const struct page_sql *p, const struct search_key *keys, size_t count) {
    if (!p->search->one || count == 0 || !has_index(&keys[0]) || !begins_in_index(p))
        return false;
    for (size_t i = 1; i < count; i++)
        if (keys[i].name.field->source)
            return false;
    return true;
}

/* 0 = the page is too long to be found in a window. Without a filter all entities that an index of
 * them lists are found. */
static int64_t window_of(const struct page_sql *p, bool all_found) {
    int64_t limit = p->search->limit + 1;
    int64_t window = limit * SEARCH_WALK < WINDOW_MAX ? limit * SEARCH_WALK : WINDOW_MAX;
    return all_found ? limit : window < limit * 2 ? 0 : window;
}

/* " and value <= …": where the page before ended. */
static const char *bound(struct walk *w, const char *value) {
    if (!w->page.after)
        return "";
    int arg = search_arg(w->page.cx, &w->page.sql, w->page.after[0]);
    return arena_printf(w->page.cx->arena, " and %s %s$%d::float8", value,
                        w->descending ? "<= -" : ">= ", arg);
}

/* The entries of an index of rows: whose they are, and their value. */
static const char *window_of_rows(struct walk *w) {
    struct arena *arena = w->page.cx->arena;
    const struct search_source *source = w->name->field->source;
    const char *value = w->name->field->sql;
    int key = search_arg(w->page.cx, &w->page.sql, w->name->key);
    return arena_printf(arena,
                        "select %s as id, %s as value from %s where %s and %s = $%d::text"
                        " and %s < 'NaN'::float8%s order by %s %s limit $%d::bigint",
                        source->owner, value, source->from, source->ordered, source->key, key,
                        value, bound(w, value), value, w->descending ? "desc" : "asc", w->window);
}

/* "select … from (select …": `edge` is asked for only where the last two rows are of one value. */
static void add_selected(struct walk *w, const char *edge) {
    struct page_sql *p = &w->page;
    int limit = search_arg(p->cx, &p->sql, db_int(p->cx, p->search->limit));
    buf_text(&p->text, "select id");
    for (size_t i = 0; i < p->key_count; i++)
        buf_printf(&p->text, ", k%zu", i);
    buf_printf(&p->text,
               ", case when row_number() over () > $%d::bigint and k0 = lag(k0) over () then %s end"
               " as edge from (",
               limit, edge);
    page_add_selected(p);
}

/* Descending numbers are ascending negated ones, as in every page's keys; -0 + 0 is 0, so that
 * equal values are equal texts. */
static void add_rows(struct walk *w) {
    struct page_sql *p = &w->page;
    const char *window = window_of_rows(w), *sign = w->descending ? "-" : "";
    p->keys[0] = (struct key_sql){.expression = arena_printf(p->cx->arena, "(%sw.value + 0)", sign),
                                  .type = "float8",
                                  .order = w->descending ? "w.value desc" : "w.value asc",
                                  .not_null = true};
    add_selected(w, arena_printf(p->cx->arena,
                                 "(select (%svalue + 0)::text from (%s) seen"
                                 " offset $%d::bigint - 1 limit 1)",
                                 sign, window, w->window));
    buf_printf(&p->text,
               " from (%s) w cross join lateral (select %s.* from %s where %s = w.id and %s"
               " offset 0) %s where true",
               window, w->alias, p->entity->from, p->entity->id, p->sql.where, w->alias);
}

/* To find the edge all would have to be read once more; starts are hardly ever the same. */
static void add_entities(struct walk *w) {
    struct page_sql *p = &w->page;
    const char *value = w->name->field->sql, *direction = w->descending ? "desc" : "asc";
    p->keys[0] =
        (struct key_sql){.expression = value,
                         .type = "timestamptz",
                         .order = arena_printf(p->cx->arena, "%s.walked %s", w->alias, direction),
                         .descending = w->descending,
                         .not_null = true};
    add_selected(w, "k0");
    buf_printf(&p->text, " from (select %s.*, %s as walked from %s where %s", w->alias, value,
               p->entity->from, p->sql.where);
    page_add_after(p);
    buf_printf(&p->text, " order by %s %s limit $%d::bigint) %s where true", value, direction,
               w->window, w->alias);
}

static void compose(struct walk *w, const struct search_node *tree, const struct search_key *keys,
                    size_t count, int64_t window) {
    struct page_sql *p = &w->page;
    const char *id = w->name->field->source ? "w.id" : p->entity->id;
    search_compile_tree(p->cx, p->entity, p->search, NULL, &p->sql);
    w->window = search_arg(p->cx, &p->sql, db_int(p->cx, window));
    p->key_count = 1;
    for (size_t i = 1; i < count; i++)
        page_add_key(p, &keys[i]);
    if (w->name->field->source)
        add_rows(w);
    else
        add_entities(w);
    if (tree)
        buf_printf(&p->text, " and %s", search_compile_probes(p->cx, tree, id, &p->sql));
    if (w->name->field->source)
        page_add_after(p);
    page_add_order(p);
    buf_text(&p->text, ") found");
}

/* Whether the rows are those a sort of everything would have begun with. */
static bool is_page(const struct list *rows, int64_t limit, bool all_found) {
    const struct search_row *row = rows->items;
    if (rows->count <= (size_t)limit)
        return all_found;
    return !row[limit].edge || strcmp(row[limit].edge, row[limit].keys[0]) != 0;
}

enum err search_walk(struct ctx *cx, const struct page_sql *page, const struct search_node *tree,
                     const struct search_key *keys, size_t key_count, struct list *ret,
                     bool *ret_found) {
    *ret_found = false;
    if (!is_walk(page, keys, key_count))
        return OK;
    bool all_found = !tree && !keys[0].name.field->source;
    int64_t window = window_of(page, all_found);
    if (window == 0)
        return OK;
    struct walk w = {
        .page = {.cx = cx, .entity = page->entity, .search = page->search, .after = page->after},
        .name = &keys[0].name,
        .descending = keys[0].descending,
        .alias = arena_strndup(cx->arena, page->entity->id, strcspn(page->entity->id, "."))};
    compose(&w, tree, keys, key_count, window);
    enum err err = search_rows_by_key(cx, w.page.text.data, &w.page.sql, &SEARCH_ROW_SHAPE, ret);
    buf_done(&w.page.from);
    buf_done(&w.page.text);
    TRY(err);
    *ret_found = is_page(ret, page->search->limit, all_found);
    return OK;
}
