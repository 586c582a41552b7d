import { afterEach, expect, test, vi } from "vitest";
import { wholeList } from "./wholeList";

/** A server with so many people; what it was asked for. */
function serve(count: number): string[] {
    const asked: string[] = [];
    vi.stubGlobal("fetch", (path: string) => {
        asked.push(path);
        const query = new URLSearchParams(path.split("?")[1]);
        const from = Number(query.get("cursor") ?? 0);
        const to = Math.min(count, from + Number(query.get("limit")));
        const items = Array.from({ length: to - from }, (_, i) => ({ id: from + i }));
        return Promise.resolve(new Response(JSON.stringify({ items, next_cursor: to < count ? String(to) : null })));
    });
    return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("all pages are read, in order, each with the query", async () => {
    const asked = serve(450);
    const all = await wholeList<{ id: number }>("/api/v1/members", { query: { project: "p" } });
    expect(all.items.map(({ id }) => id)).toEqual(Array.from({ length: 450 }, (_, i) => i));
    expect(all.next_cursor).toBeNull();
    expect(asked).toEqual([
        "/api/v1/members?project=p&limit=200",
        "/api/v1/members?project=p&limit=200&cursor=200",
        "/api/v1/members?project=p&limit=200&cursor=400",
    ]);
});

test("a list without end is cut off, and says so", async () => {
    const asked = serve(5000);
    const all = await wholeList<{ id: number }>("/api/v1/members", {}, 600);
    expect(all.items).toHaveLength(600);
    expect(all.next_cursor).toBe("600");
    expect(asked).toHaveLength(3);
});
