import { expect, test } from "vitest";
import { formatMilliseconds, formatNanoseconds } from "./spanTime";

test("a length of time has the unit that fits it", () => {
    expect([0, 900, 42_000, 3_400_000, 120_000_000, 1_250_000_000, 200_000_000_000].map(formatNanoseconds)).toEqual(["0 µs", "1 µs", "42 µs", "3.4 ms", "120 ms", "1.25 s", "3 m 20 s"]);
    expect(formatNanoseconds(-5)).toBe("0 µs");
    expect(formatMilliseconds(62)).toBe("62 ms");
});
