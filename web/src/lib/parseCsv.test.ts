import { expect, test } from "vitest";
import { parseCsv } from "./parseCsv";

test("quotes hold separators, line ends and quotes", () => {
    expect(parseCsv('a,b\r\n"x, ""y""\nz",2\n\n3,', ",", 10, true)).toEqual([["a", "b"], ['x, "y"\nz', "2"], ["3", ""]]);
});

test("a text that was cut loses its last row, and no more rows are read than wanted", () => {
    expect(parseCsv("a\tb\n1\t2\n3", "\t", 10, false)).toEqual([["a", "b"], ["1", "2"]]);
    expect(parseCsv("1\n2\n3\n", ",", 2, true)).toEqual([["1"], ["2"]]);
});
