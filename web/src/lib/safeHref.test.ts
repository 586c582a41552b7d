import { expect, test } from "vitest";
import { safeHref } from "./safeHref";

test.each(["https://example.org/a?b#c", "http://127.0.0.1/", "mailto:ada@example.org", "/projects/digits", "#section"])("%s is followed", (href) => {
    expect(safeHref(href)).toBe(href);
});

test.each([
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", " javascript:alert(1)", "\u0001javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:x", "file:///etc/passwd", "blob:https://example.org/1", "//example.org", "/\\example.org", "relative.md", "",
])("%j is not", (href) => {
    expect(safeHref(href)).toBeNull();
});
