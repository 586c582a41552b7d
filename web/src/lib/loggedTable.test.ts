import { expect, test } from "vitest";
import { loggedTable } from "./loggedTable";

test("columns and data make a table", () => {
    expect(loggedTable({ columns: ["q", "n"], data: [["a", 1], ["b", null]] })).toEqual({ columns: ["q", "n"], rows: [["a", "1"], ["b", "null"]] });
});

test.each([[null], [[1]], [{ columns: [], data: {} }], [{ columns: ["a"], data: [1] }], ["x"]])("%j is no table", (value) => {
    expect(loggedTable(value)).toBeNull();
});
