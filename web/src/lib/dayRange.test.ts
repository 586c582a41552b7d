import { expect, test } from "vitest";
import { dayRange } from "./dayRange";

test("one day is a whole day", () => {
    const { from, to } = dayRange("2026-03-01", "2026-03-01");
    expect(from).toBe(new Date("2026-03-01T00:00").toISOString());
    expect(new Date(to!).getTime() - new Date(from!).getTime()).toBe(86_400_000);
});

test("an open end and what is no day are left out", () => {
    expect(dayRange("", undefined)).toEqual({});
    expect(dayRange("yesterday", "2026-13-40")).toEqual({});
});
