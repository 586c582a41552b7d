/*
 * Keys that work on every page: Ctrl-K or Cmd-K opens the palette, `?` the key map, `g` and a letter go to
 * a page, `/` moves to the search box, `j` enters the list. Nothing happens while someone is typing.
 */
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { isTyping } from "../lib/isTyping";
import { PAGES } from "../pages";

const PREFIX_MS = 1500;

function focusFirst(selector: string): boolean {
    const element = document.querySelector<HTMLElement>(selector);
    element?.focus();
    return element !== null;
}

export function useShortcuts(project: string, open: (what: "palette" | "keys") => void): void {
    const navigate = useNavigate();
    const prefixAt = useRef(0);
    useEffect(() => {
        const onKey = (event: KeyboardEvent) => {
            if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                return open("palette");
            }
            if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
            const afterPrefix = Date.now() - prefixAt.current < PREFIX_MS;
            prefixAt.current = event.key === "g" ? Date.now() : 0;
            const page = PAGES.find((row) => row.nav?.key === event.key);
            if (afterPrefix && page && project !== "") void navigate({ to: page.path, params: { project }, search: {} });
            else if (event.key === "?") open("keys");
            else if (event.key === "/" && focusFirst("[data-search]")) event.preventDefault();
            else if (event.key === "j") focusFirst("[data-list] [role=row][tabindex='0']");
        };
        window.addEventListener("keydown", onKey);
        return () => window.removeEventListener("keydown", onKey);
    }, [navigate, open, project]);
}
