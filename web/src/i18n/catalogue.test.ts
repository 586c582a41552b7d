/* Both languages say everything, and no page says anything that is not in the catalogue. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { en } from "./en";
import { zhCN } from "./zh-CN";

const SOURCE = join(import.meta.dirname, "..");
const SPOKEN_ATTRIBUTES = ["title", "aria-label", "placeholder", "label", "alt", "hint", "body", "message", "lead"];

/* Words that are the same everywhere: names of units and marks, not sentences. */
const NOT_TEXT = /^[^\p{L}]*$/u;

function placeholders(text: string): string[] {
    return [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
}

function hardCoded(path: string): string[] {
    const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
        if (ts.isJsxText(node) && !NOT_TEXT.test(node.text)) found.push(node.text.trim());
        if (ts.isJsxAttribute(node) && SPOKEN_ATTRIBUTES.includes(node.name.getText(file))) {
            const value = node.initializer;
            if (value && ts.isStringLiteral(value) && !NOT_TEXT.test(value.text)) found.push(value.text);
        }
        ts.forEachChild(node, visit);
    };
    visit(file);
    return found;
}

test("both catalogues have the same keys", () => {
    expect(Object.keys(zhCN).sort()).toEqual(Object.keys(en).sort());
});

test("translations keep the parameters of each sentence", () => {
    for (const [key, text] of Object.entries(en)) {
        expect(placeholders(zhCN[key as keyof typeof en]), key).toEqual(placeholders(text));
    }
});

test("no page or component has text of its own", () => {
    const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tsx"));
    const texts = files.flatMap((name) => hardCoded(join(SOURCE, name)).map((text) => `${name}: ${text}`));
    expect(files.length).toBeGreaterThan(20);
    expect(texts).toEqual([]);
});

test("every key is used", () => {
    const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" }).filter((name) => /(?<!\.test)\.tsx?$/.test(name) && !name.startsWith("i18n"));
    const source = files.map((name) => readFileSync(join(SOURCE, name), "utf8")).join("\n");
    const prefixes = [...source.matchAll(/(?:t|label)\(`([\w.]+\.)\$\{|label\("([\w.]+)",/g)].map((match) => match[1] ?? `${match[2]}.`);
    const unused = Object.keys(en).filter((key) => {
        const base = key.replace(/\.(one|other)$/, "");
        return !source.includes(`"${key}"`) && !source.includes(`"${base}"`) && !prefixes.some((prefix) => key.startsWith(prefix));
    });
    expect(unused).toEqual([]);
});
