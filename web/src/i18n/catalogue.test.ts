/* Both languages say everything, no page says anything that is not in the catalogue, and each loads the areas it speaks. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "..");
const SPOKEN_ATTRIBUTES = ["title", "aria-label", "placeholder", "label", "alt", "hint", "body", "message", "lead"];

/* Words that are the same everywhere: names of units and marks, not sentences. */
const NOT_TEXT = /^[^\p{L}]*$/u;

const FILES = import.meta.glob<Record<string, string>>(["./en/*.ts", "./zh-CN/*.ts"], { import: "default", eager: true });
const AREAS = Object.keys(FILES).filter((name) => name.startsWith("./en/")).map((name) => name.slice("./en/".length, -".ts".length));
const areaTexts = (locale: string, area: string) => FILES[`./${locale}/${area}.ts`]!;
const texts = (locale: string) => Object.assign({}, ...AREAS.map((area) => areaTexts(locale, area))) as Record<string, string>;
const en = texts("en");
const zhCN = texts("zh-CN");

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

/* The keys that a text of code says: spelled out, or by their beginning. */
function keysIn(source: string): string[] {
    const prefixes = [...source.matchAll(/(?:tn?|label)\(`([\w.]+\.)\$\{|(?:label|named)\("([\w.]+)",/g)].map((match) => match[1] ?? `${match[2]}.`);
    return Object.keys(en).filter((key) => {
        const base = key.replace(/\.(one|other)$/, "");
        return source.includes(`"${key}"`) || source.includes(`"${base}"`) || prefixes.some((prefix) => key.startsWith(prefix));
    });
}

/* The file and whatever it brings along; pages that are opened on their own are not followed. */
function reach(file: string, seen = new Set<string>()): Set<string> {
    if (seen.has(file)) return seen;
    seen.add(file);
    for (const [, path] of readFileSync(join(SOURCE, file), "utf8").matchAll(/^(?:import(?! type)|export).*? from "(\.[^"]+)";|lazy\(\(\) => import\("(\.[^"]+)"/gms)) {
        if (!path) continue;
        const base = normalize(join(dirname(file), path));
        const found = [`${base}.tsx`, `${base}.ts`].find((name) => NAMES.includes(name));
        if (found && !found.startsWith("i18n")) reach(found, seen);
    }
    return seen;
}

const NAMES = readdirSync(SOURCE, { recursive: true, encoding: "utf8" });
const OPENED = ["pages.tsx", "router.tsx"].flatMap((name) =>
    [...readFileSync(join(SOURCE, name), "utf8").matchAll(/open\(\(\) => import\("\.\/([^"]+)"\)((?:, "\w+")*)\)/g)],
).map(([, page, areas]) => [`${page!}.tsx`, [...areas!.matchAll(/\w+/g)].map(([area]) => area)] as const);

test.each([["main.tsx", []] as const, ...OPENED])("%s loads the texts it says: %s", (page, areas) => {
    const source = [...reach(page)].map((name) => readFileSync(join(SOURCE, name), "utf8")).join("\n");
    const missing = keysIn(source).filter((key) => !["core", ...areas].some((area) => key in areaTexts("en", area)));
    expect(missing).toEqual([]);
});

test.each(AREAS)("both languages have the same keys in %s", (area) => {
    expect(Object.keys(areaTexts("zh-CN", area)).sort()).toEqual(Object.keys(areaTexts("en", area)).sort());
});

test("no key is in two areas", () => {
    expect(Object.keys(en).length).toBe(AREAS.reduce((sum, area) => sum + Object.keys(areaTexts("en", area)).length, 0));
});

test("translations keep the parameters of each sentence", () => {
    for (const [key, text] of Object.entries(en)) {
        expect(placeholders(zhCN[key]!), key).toEqual(placeholders(text));
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
    const said = keysIn(files.map((name) => readFileSync(join(SOURCE, name), "utf8")).join("\n"));
    expect(Object.keys(en).filter((key) => !said.includes(key))).toEqual([]);
});
