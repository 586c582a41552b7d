import { expect, test } from "vitest";
import { normaliseRows, worstConfusions } from "./confusion";

test("normaliseRows divides by the true class and survives an empty one", () => {
    expect(normaliseRows([[3, 1], [0, 0]])).toEqual([[0.75, 0.25], [0, 0]]);
});

test("worstConfusions leaves out the diagonal and zeros", () => {
    expect(worstConfusions(["4", "9"], [[50, 7], [0, 40]], 5)).toEqual([
        { actual: "4", predicted: "9", count: 7 },
    ]);
});
