/*
 * One catalogue, two languages. English is part of the first load; other languages arrive on demand. Keys
 * are typed, so a missing sentence does not compile. `{name}` is replaced by a parameter; a key with
 * `.one` and `.other` forms is chosen by the language's own plural rules.
 */
import { useMemo, useSyncExternalStore } from "react";
import * as format from "../lib/format";
import { en } from "./en";

export type Key = keyof typeof en;
export type PluralKey = Key extends infer K ? (K extends `${infer Base}.other` ? Base : never) : never;
export type Catalogue = Record<Key, string>;
export type Locale = "en" | "zh-CN";
export type Params = Record<string, string | number>;

export const LOCALES: { id: Locale; name: string }[] = [
    { id: "en", name: "English" },
    { id: "zh-CN", name: "简体中文" },
];

const STORAGE_KEY = "slipway.locale";
const listeners = new Set<() => void>();
let current: { locale: Locale; catalogue: Catalogue } = { locale: "en", catalogue: en };

export function preferredLocale(): Locale {
    const stored = localStorage.getItem(STORAGE_KEY);
    if (stored === "en" || stored === "zh-CN") return stored;
    return navigator.language.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

export async function setLocale(locale: Locale): Promise<void> {
    localStorage.setItem(STORAGE_KEY, locale);
    const catalogue = locale === "en" ? en : (await import("./zh-CN")).zhCN;
    current = { locale, catalogue };
    document.documentElement.lang = locale;
    listeners.forEach((listener) => listener());
}

function fill(text: string, params: Params | undefined): string {
    if (!params) return text;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}

function translator({ locale, catalogue }: typeof current) {
    const plural = new Intl.PluralRules(locale);
    return {
        locale,
        t: (key: Key, params?: Params) => fill(catalogue[key], params),
        tn: (key: PluralKey, n: number, params?: Params) => {
            const form = plural.select(n) === "one" ? "one" : "other";
            const text = catalogue[`${key}.${form}` as Key] ?? catalogue[`${key}.other` as Key];
            return fill(text, { n: format.formatCount(n, locale), ...params });
        },
        /** Text for a key that came from the server, or the raw value when the catalogue lacks it. */
        label: (prefix: string, value: string) => catalogue[`${prefix}.${value}` as Key] ?? value,
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
