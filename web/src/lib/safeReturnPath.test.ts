import { expect, test } from "vitest";
import { safeReturnPath } from "./safeReturnPath";

test("safeReturnPath keeps own paths with their query", () => {
    expect(safeReturnPath("/projects/demo/runs?q=a%20b#x")).toBe("/projects/demo/runs?q=a%20b#x");
});

test.each([
    ["//evil.example/x"],
    ["/\\evil.example"],
    ["/\t/evil.example"],
    ["https://evil.example"],
    ["javascript:alert(1)"],
    ["projects"],
    [""],
    [undefined],
    ["/sign-in?return=/sign-in"],
])("safeReturnPath refuses %j", (path) => {
    expect(safeReturnPath(path)).toBe("/");
});
