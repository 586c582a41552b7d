import { expect, test } from "vitest";
import { asFilter, characterRange, searchOf } from "./filterText";

test.each([
    ["", {}],
    ["  brisk heron ", { q: "brisk heron" }],
    ["within", { q: "within" }],
    [" metrics.loss < 1", { filter: "metrics.loss < 1" }],
    ["tags.x is null", { filter: "tags.x is null" }],
    ["'quoted'", { filter: "'quoted'" }],
])("%j means %j", (text, search) => {
    expect(searchOf(text)).toEqual(search);
});

test("the server counts bytes, the page characters", () => {
    expect(characterRange("名 = 'é' AND foo", 15, 3)).toEqual({ from: 12, to: 15 });
    expect(characterRange("abc", 1, 1)).toEqual({ from: 1, to: 2 });
});

test("a search is one filter, with what is special in it held back", () => {
    expect(asFilter({ filter: "a = 1 OR b = 2", state: "failed" })).toBe("(a = 1 OR b = 2) AND state = 'failed'");
    expect(asFilter({ q: "it's 50%" })).toBe("name ILIKE '%it''s 50\\%%'");
    expect(asFilter({})).toBe("");
});
