import { expect, test } from "vitest";
import { newSecret } from "./newSecret";

test("a secret is 32 plain characters, and another each time", () => {
    const made = new Set(Array.from({ length: 100 }, newSecret));
    expect(made.size).toBe(100);
    for (const secret of made) expect(secret).toMatch(/^[A-Za-z0-9_-]{32}$/);
});
