import { expect, test } from "vitest";
import { wordsFilter } from "./wordsFilter";

test("words are looked for in each field, with nothing in them that means more", () => {
    expect(wordsFilter(" 50% of_it ", ["name", "request"])).toBe("name ILIKE '%50\\% of\\_it%' OR request ILIKE '%50\\% of\\_it%'");
    expect(wordsFilter("", ["name"])).toBe("");
});

test("the language stays as it was typed", () => {
    expect(wordsFilter("state = 'error'", ["name"])).toBe("state = 'error'");
});
