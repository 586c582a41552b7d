/* The rules of the house, run: who may import what, and that only one file talks to the network. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

const SOURCE = import.meta.dirname;
const FILES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => /(?<!\.test)\.tsx?$/.test(name));

function importsOf(file: string): string[] {
    const text = readFileSync(join(SOURCE, file), "utf8");
    return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, path]) => normalize(join(dirname(file), path!)));
}

const FORBIDDEN: Record<string, RegExp> = {
    "lib/": /^(pages|shell|components|charts)\b/,
    "components/": /^(pages|shell|charts)\b|^api\/(?!types|events)/,
    "charts/": /^(pages|shell)\b|^api\/(?!types)/,
    "api/": /^(pages|shell|components|charts)\b/,
};

test.each(Object.entries(FORBIDDEN))("%s imports only what stands below it", (folder, forbidden) => {
    const wrong = FILES.filter((file) => file.startsWith(folder)).flatMap((file) =>
        importsOf(file).filter((path) => forbidden.test(path)).map((path) => `${file} → ${path}`),
    );
    expect(wrong).toEqual([]);
});

test("pages do not import other domains' pages", () => {
    const wrong = FILES.filter((file) => file.startsWith("pages/")).flatMap((file) => {
        const own = file.split("/").slice(0, 2).join("/");
        return importsOf(file)
            .filter((path) => path.startsWith("pages/") && !path.startsWith(`${own}/`))
            .map((path) => `${file} → ${path}`);
    });
    expect(wrong).toEqual([]);
});

test("only api/client.ts fetches", () => {
    const wrong = FILES.filter((file) => file !== "api/client.ts" && /\bfetch\(|XMLHttpRequest|sendBeacon/.test(readFileSync(join(SOURCE, file), "utf8")));
    expect(wrong).toEqual([]);
});

test("pages stay below 250 lines", () => {
    const long = FILES.filter((file) => file.startsWith("pages/") && readFileSync(join(SOURCE, file), "utf8").split("\n").length > 250);
    expect(long).toEqual([]);
});
