/* types.gen.ts is what the server prints. SLIPWAYD names the server program; without it this is skipped. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SLIPWAYD = process.env.SLIPWAYD;

test.skipIf(!SLIPWAYD)("types.gen.ts is what the server prints", () => {
    const printed = execFileSync(SLIPWAYD!, ["routes", "--typescript"], { encoding: "utf8" });
    expect(readFileSync(join(import.meta.dirname, "types.gen.ts"), "utf8")).toBe(printed);
});
