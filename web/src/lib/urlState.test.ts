import { expect, test } from "vitest";
import { parseSearch, stringifySearch } from "./urlState";

test("search pairs survive the round trip as plain text", () => {
    const search = { q: "a&b=c d", sort: "-metrics.val/loss", version: "3" };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
});

test("stringifySearch leaves out empty values", () => {
    expect(stringifySearch({ a: "", b: null, c: undefined })).toBe("");
});
