import { expect, test } from "vitest";
import { nestRows } from "./nestRows";

const row = (id: string, parent_id: string | null = null) => ({ id, parent_id });
const shown = (rows: ReturnType<typeof row>[], closed: string[] = []) => nestRows(rows, new Set(closed)).map(({ row: { id }, depth, children }) => `${"-".repeat(depth)}${id}${children || ""}`);

test("children follow their parent, wherever they stood", () => {
    expect(shown([row("c", "a"), row("b"), row("a"), row("d", "c")])).toEqual(["b", "a1", "-c1", "--d"]);
});

test("a closed parent hides all that is below it", () => {
    expect(shown([row("a"), row("c", "a"), row("d", "c"), row("b")], ["a"])).toEqual(["a1", "b"]);
});

test("a child without its parent in the list stays, and a circle loses nobody", () => {
    expect(shown([row("x", "gone"), row("p", "q"), row("q", "p"), row("s", "s")])).toEqual(["x", "p1", "-q1", "s"]);
});
