/*
 * Filters, tabs and selections live in the URL as plain text pairs. Setting a value to "" or null removes
 * it; the page is replaced, not pushed, so that Back leaves the page.
 */
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";

export type Search = Record<string, string>;

export function parseSearch(text: string): Search {
    return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
    const pairs = Object.entries(search).filter(([, value]) => value !== undefined && value !== null && value !== "");
    const text = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString();
    return text === "" ? "" : `?${text}`;
}

export function useParam(name: string): string {
    const params = useParams({ strict: false }) as Record<string, string | undefined>;
    return params[name] ?? "";
}

export type SetSearch = (patch: Record<string, string | number | null | undefined>) => void;

export function useSearchState(): [Search, SetSearch] {
    const search = useSearch({ strict: false }) as Search;
    const navigate = useNavigate();
    const set = useCallback<SetSearch>(
        (patch) => {
            void navigate({
                to: ".",
                search: (old: Search) => ({ ...old, ...patch }),
                replace: true,
                resetScroll: false,
            } as Parameters<typeof navigate>[0]);
        },
        [navigate],
    );
    return [search, set];
}
