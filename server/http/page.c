/* page.c: see page.h. */
#include "http/page.h"

#include "db/db.h"

enum err page_after(struct ctx *cx, const struct page_query *page, const char **ret_id) {
    *ret_id = NULL;
    return page->cursor ? cursor_decode(cx, page->cursor, ret_id, 1) : OK;
}

const char *page_rows(struct ctx *cx, const struct page_query *page) {
    return db_int(cx, page_limit(page) + 1);
}

void reply_page_by_id(struct ctx *cx, const struct req *rq, struct reply *rp,
                      const struct page_query *page, struct list items) {
    const char *next = NULL;
    size_t limit = (size_t)page_limit(page);
    if (items.count > limit) {
        items.count = limit;
        const char *last = (const char *)items.items + (limit - 1) * rq->route->reply->size;
        next = cursor_encode(cx, (const char *const *)(const void *)last, 1);
    }
    reply_page(rp, items, next);
}
