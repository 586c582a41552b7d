import { expect, test } from "vitest";
import { andFilter, characterRange, filterOf, isPlainSearch } from "./filterText";

test.each([
    ["", ""],
    ["  brisk heron ", "name ILIKE '%brisk heron%'"],
    ["50%_a", "name ILIKE '%50\\%\\_a%'"],
    ["metrics.loss < 1", "metrics.loss < 1"],
    ["tags.x is null", "tags.x is null"],
    ["within", "name ILIKE '%within%'"],
])("%j means %j", (text, filter) => {
    expect(filterOf(text)).toBe(filter);
});

test("words are no filter yet", () => {
    expect([isPlainSearch("brisk"), isPlainSearch("a = 1")]).toEqual([true, false]);
});

test("two conditions are joined, and one stands alone", () => {
    expect(andFilter("a = 1 OR b = 2", "state = 'failed'")).toBe("(a = 1 OR b = 2) AND state = 'failed'");
    expect([andFilter("", "x"), andFilter("x", "")]).toEqual(["x", "x"]);
});

test("the server counts bytes, the page characters", () => {
    expect(characterRange("名 = 'é' AND foo", 15, 3)).toEqual({ from: 12, to: 15 });
    expect(characterRange("abc", 1, 1)).toEqual({ from: 1, to: 2 });
});
