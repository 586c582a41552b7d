import { expect, test } from "vitest";
import { toCsv } from "./csv";

test("toCsv quotes what needs it and disarms formulas", () => {
    const text = toCsv([["a", 'say "hi"', "x,y"], ["=1+1", -3, null]]);
    expect(text).toBe('a,"say ""hi""","x,y"\r\n\'=1+1,-3,\r\n');
});
