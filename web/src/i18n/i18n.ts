/*
 * One catalogue, two languages, in areas. The core (shell, states, shared words) is part of the first load,
 * in English; every other area arrives with the first page that speaks it (see pages.tsx), in the language
 * of the moment, and other languages likewise. Keys are typed, so a missing sentence does not compile; a
 * test compares what each page says with the areas it names. `{name}` is replaced by a parameter; a key
 * with `.one` and `.other` forms is chosen by the language's own plural rules.
 */
import { useMemo, useSyncExternalStore } from "react";
import * as format from "../lib/format";
import core from "./en/core";

interface Areas {
    core: typeof core;
    charts: (typeof import("./en/charts"))["default"];
    datasets: (typeof import("./en/datasets"))["default"];
    doors: (typeof import("./en/doors"))["default"];
    editing: (typeof import("./en/editing"))["default"];
    experiments: (typeof import("./en/experiments"))["default"];
    jobs: (typeof import("./en/jobs"))["default"];
    lineage: (typeof import("./en/lineage"))["default"];
    loggedModels: (typeof import("./en/loggedModels"))["default"];
    logging: (typeof import("./en/logging"))["default"];
    logs: (typeof import("./en/logs"))["default"];
    models: (typeof import("./en/models"))["default"];
    runs: (typeof import("./en/runs"))["default"];
    settings: (typeof import("./en/settings"))["default"];
    team: (typeof import("./en/team"))["default"];
    tokens: (typeof import("./en/tokens"))["default"];
    traces: (typeof import("./en/traces"))["default"];
    train: (typeof import("./en/train"))["default"];
    webhooks: (typeof import("./en/webhooks"))["default"];
}

export type Area = keyof Areas;
/** What a file of one area in one language holds. */
export type Texts<A extends Area> = Record<keyof Areas[A], string>;
export type Key = { [A in Area]: keyof Areas[A] }[Area];
export type PluralKey = Key extends infer K ? (K extends `${infer Base}.other` ? Base : never) : never;
export type Locale = "en" | "zh-CN";
export type Params = Record<string, string | number>;

export const LOCALES: { id: Locale; name: string }[] = [
    { id: "en", name: "English" },
    { id: "zh-CN", name: "简体中文" },
];

const FILES = import.meta.glob<Record<string, string>>(["./en/*.ts", "./zh-CN/*.ts", "!./en/core.ts"], { import: "default" });
const STORAGE_KEY = "slipway.locale";
const listeners = new Set<() => void>();
const spoken = new Set<Area>(["core"]);
let current: { locale: Locale; catalogue: Record<string, string> } = { locale: "en", catalogue: core };

export function preferredLocale(): Locale {
    const stored = localStorage.getItem(STORAGE_KEY);
    if (stored === "en" || stored === "zh-CN") return stored;
    return navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

async function textsOf(locale: Locale, areas: Iterable<Area>): Promise<Record<string, string>> {
    const parts = [...areas].map((area) => FILES[`./${locale}/${area}.ts`]?.() ?? core);
    return Object.assign({}, ...(await Promise.all(parts)));
}

export async function setLocale(locale: Locale): Promise<void> {
    localStorage.setItem(STORAGE_KEY, locale);
    current = { locale, catalogue: await textsOf(locale, spoken) };
    document.documentElement.lang = locale;
    listeners.forEach((listener) => listener());
}

/** Brings the texts of these areas; a page is not shown before. */
export async function loadTexts(areas: Area[]): Promise<void> {
    areas.forEach((area) => spoken.add(area));
    const { locale } = current;
    const texts = await textsOf(locale, areas);
    /* Whoever changed the language meanwhile has loaded these areas too: they were in `spoken`. */
    if (locale === current.locale) current = { locale, catalogue: { ...current.catalogue, ...texts } };
}

function fill(text: string, params: Params | undefined): string {
    if (!params) return text;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

function translator({ locale, catalogue }: typeof current) {
    const plural = new Intl.PluralRules(locale);
    return {
        locale,
        t: (key: Key, params?: Params) => fill(catalogue[key] ?? key, params),
        tn: (key: PluralKey, n: number, params?: Params) => {
            const form = plural.select(n) === "one" ? "one" : "other";
            const text = catalogue[`${key}.${form}`] ?? catalogue[`${key}.other`] ?? key;
            return fill(text, { n: format.formatCount(n, locale), ...params });
        },
        /** Text for a key that came from the server, or the raw value when the catalogue lacks it. */
        label: (prefix: string, value: string) => catalogue[`${prefix}.${value}`] ?? value,
        count: (value: number) => format.formatCount(value, locale),
        percent: (value: number, digits?: number) => format.formatPercent(value, locale, digits),
        time: (iso: string) => format.formatTime(iso, locale),
        clock: (iso: string) => format.formatClock(iso, locale),
        ago: (iso: string) => format.formatRelative(iso, Date.now(), locale),
    };
}

export type I18n = ReturnType<typeof translator>;

export function useI18n(): I18n {
    const state = useSyncExternalStore(
        (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => current,
    );
    return useMemo(() => translator(state), [state]);
}
