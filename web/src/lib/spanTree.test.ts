import { expect, test } from "vitest";
import { openRows, spanRows } from "./spanTree";

const span = (span_id: string, parent_id: string | null, started_ns: number) => ({ span_id, parent_id, started_ns });
const drawn = (rows: ReturnType<typeof spanRows>) => rows.map(({ span: { span_id }, depth, children, descendants }) => `${"-".repeat(depth)}${span_id}${children}/${descendants}`);

test("children stand below their parent, by time", () => {
    const rows = spanRows([span("d", "b", 4), span("c", "a", 3), span("b", "a", 2), span("a", null, 1)]);
    expect(drawn(rows)).toEqual(["a2/3", "-b1/1", "--d0/0", "-c0/0"]);
});

test("what is below a closed row is hidden", () => {
    const rows = spanRows([span("a", null, 1), span("b", "a", 2), span("c", "b", 3), span("d", "a", 4)]);
    expect(drawn(openRows(rows, new Set(["b"])))).toEqual(["a2/3", "-b1/1", "-d0/0"]);
    expect(drawn(openRows(rows, new Set(["a", "b"])))).toEqual(["a2/3"]);
});

test("every span is shown once, whatever its parent is said to be", () => {
    const rows = spanRows([span("lost", "nobody", 5), span("own", "own", 4), span("x", "z", 1), span("y", "x", 2), span("z", "y", 3)]);
    expect(drawn(rows)).toEqual(["own0/0", "lost0/0", "x1/2", "-y1/1", "--z0/0"]);
});

test("a chain of ten thousand is no deeper than the stack", () => {
    const chain = Array.from({ length: 10_000 }, (_u, n) => span(String(n), n === 0 ? null : String(n - 1), n));
    const rows = spanRows(chain);
    expect(rows.at(-1)).toMatchObject({ depth: 9999, descendants: 0 });
    expect(rows[0]!.descendants).toBe(9999);
});
