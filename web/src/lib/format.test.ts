import { expect, test } from "vitest";
import { formatBytes, formatDuration, formatMetric, formatMicroseconds, formatRelative, secondsBetween } from "./format";

test.each([
    [0, "0"],
    [0.98765432, "0.9877"],
    [12, "12"],
    [0.00001234, "1.23e-5"],
    [123456789, "1.23e+8"],
    ["NaN", "NaN"],
    ["-Infinity", "−∞"],
    [undefined, "–"],
])("formatMetric(%s) is %s", (value, text) => {
    expect(formatMetric(value)).toBe(text);
});

test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [12_345_678, "12.3 MB"],
    [999_950, "1.0 MB"],
    [200_000_000_000, "200 GB"],
])("formatBytes(%d) is %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
});

test.each([
    [0.25, "250 ms"],
    [12, "12 s"],
    [60, "1 m"],
    [200, "3 m 20 s"],
    [7500, "2 h 5 m"],
    [273_600, "3 d 4 h"],
])("formatDuration(%d) is %s", (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
});

test("formatMicroseconds switches to milliseconds", () => {
    expect(formatMicroseconds(420)).toBe("420 µs");
    expect(formatMicroseconds(1500)).toBe("1.5 ms");
});

test("formatRelative speaks of the largest whole unit", () => {
    const now = Date.parse("2026-01-01T12:00:00Z");
    expect(formatRelative("2026-01-01T11:55:00Z", now, "en")).toBe("5 min. ago");
    expect(formatRelative("2026-01-01T11:59:58Z", now, "en")).toBe("now");
    expect(formatRelative("2025-12-30T11:00:00Z", now, "en")).toBe("2 days ago");
});

test("secondsBetween runs on until there is an end", () => {
    const now = Date.parse("2026-01-01T00:01:00Z");
    expect(secondsBetween("2026-01-01T00:00:00Z", null, now)).toBe(60);
    expect(secondsBetween("2026-01-01T00:00:00Z", "2026-01-01T00:00:05Z", now)).toBe(5);
    expect(secondsBetween(null, null, now)).toBeNull();
});
