/*
 * Lists that a page needs whole: to look somebody up, to choose from, to count. The pages of the server are
 * read one after the other, up to a bound that keeps the browser quick; what lies behind it is told by
 * next_cursor.
 */
import { api, type Query } from "./client";
import type { Page } from "./types";

const PAGE = 200;
const MOST = 10_000;

export async function wholeList<T>(path: string, options: { query?: Query; signal?: AbortSignal } = {}, most = MOST): Promise<Page<T>> {
    const all: Page<T> = { items: [], next_cursor: null };
    do {
        const page: Page<T> = await api<Page<T>>(path, { ...options, query: { ...options.query, limit: PAGE, cursor: all.next_cursor } });
        all.items.push(...page.items);
        all.next_cursor = page.next_cursor;
    } while (all.next_cursor !== null && all.items.length < most);
    return all;
}
