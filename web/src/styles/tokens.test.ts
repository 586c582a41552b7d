/* WCAG AA for the tokens, computed: text on every surface 4.5:1, borders of controls and accents 3:1. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const CSS = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");
const SURFACES = ["bg", "surface", "raised", "sunken", "hover"];
const TONES = ["ok", "warn", "bad", "idle"];

function colour(token: string, dark: boolean): number[] {
    const pair = new RegExp(`--${token}: (?:light-dark\\((#\\w+), (#\\w+)\\)|(#\\w+))`).exec(CSS);
    const hex = (pair?.[3] ?? (dark ? pair?.[2] : pair?.[1]))!;
    return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255);
}

function luminance(rgb: number[]): number {
    const [r, g, b] = rgb.map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(one: string, other: string, dark: boolean): number {
    const [low, high] = [luminance(colour(one, dark)), luminance(colour(other, dark))].sort((a, b) => a - b);
    return (high! + 0.05) / (low! + 0.05);
}

const pairs = [
    ...["text", "text-muted", "text-faint", "accent"].flatMap((text) => SURFACES.map((surface) => [text, surface, 4.5] as const)),
    ...TONES.map((tone) => [tone, `${tone}-soft`, 4.5] as const),
    ["accent", "accent-soft", 4.5] as const,
    ["accent-strong", "selected", 4.5] as const,
    ["on-accent", "accent-fill", 4.5] as const,
    ["on-accent", "bad-fill", 4.5] as const,
    ...["surface", "bg", "raised"].map((surface) => ["border-control", surface, 3] as const),
    ...Array.from({ length: 8 }, (_unused, i) => [`series-${i + 1}`, "surface", 3] as const),
];

test.each([["light", false], ["dark", true]] as const)("every pair of tokens has enough contrast in %s", (_name, dark) => {
    const weak = pairs
        .map(([one, other, least]) => ({ pair: `${one} on ${other}`, ratio: contrast(one, other, dark), least }))
        .filter(({ ratio, least }) => !(ratio >= least))
        .map(({ pair, ratio }) => `${pair}: ${ratio.toFixed(2)}`);
    expect(weak).toEqual([]);
});
