/* Keyset pages of lists that are ordered by id, newest first: ids are ordered by time, so the id
 * alone is the key and a page costs the same however deep it lies.
 *
 * A handler asks its statement for page_rows() rows after page_after() and hands what came to
 * reply_page_by_id(), which cuts the one row too many and makes the next cursor of it. */
#pragma once

#include "http/http.h"

/* The id to start behind; NULL on the first page. */
MUST_USE enum err page_after(struct ctx *cx, const struct page_query *page, const char **ret_id);
/* The limit of the statement, as its parameter: one row more than the page shows. */
const char *page_rows(struct ctx *cx, const struct page_query *page);
/* items are structs of the route's shape whose first member is the id. */
void reply_page_by_id(struct ctx *cx, const struct req *rq, struct reply *rp,
                      const struct page_query *page, struct list items);
