/* Tabs whose choice the page keeps in the URL. Keys 1–9 choose from anywhere, arrows within the row. */
import { useEffect, useRef, type KeyboardEvent, type ReactNode } from "react";
import { cx } from "../lib/cx";
import { isTyping } from "../lib/isTyping";
import css from "./Tabs.module.css";

export interface Tab {
    id: string;
    label: string;
    count?: number | string | undefined;
    content: () => ReactNode;
}

export function Tabs({ tabs, value, onChange, label }: { tabs: Tab[]; value: string; onChange: (id: string) => void; label: string }) {
    const row = useRef<HTMLDivElement>(null);
    const current = tabs.find((tab) => tab.id === value) ?? tabs[0];

    useEffect(() => {
        const onKey = (event: globalThis.KeyboardEvent) => {
            if (isTyping(event) || event.ctrlKey || event.metaKey || event.altKey) return;
            const tab = /^[1-9]$/.test(event.key) ? tabs[Number(event.key) - 1] : undefined;
            if (tab) onChange(tab.id);
        };
        window.addEventListener("keydown", onKey);
        return () => window.removeEventListener("keydown", onKey);
    });

    /* In a row that is wider than the page the chosen one may be out of sight. */
    useEffect(() => {
        row.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }, [current?.id]);

    const onArrow = (event: KeyboardEvent) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step || !current) return;
        const index = (tabs.indexOf(current) + step + tabs.length) % tabs.length;
        onChange(tabs[index]!.id);
        row.current?.querySelectorAll<HTMLButtonElement>("[role=tab]")[index]?.focus();
    };

    return (
        <div>
            <div ref={row} className={css.tabs} role="tablist" aria-label={label} onKeyDown={onArrow}>
                {tabs.map((tab, index) => (
                    <button
                        key={tab.id}
                        type="button"
                        role="tab"
                        id={`tab-${tab.id}`}
                        aria-selected={tab === current}
                        aria-controls={`panel-${tab.id}`}
                        aria-keyshortcuts={String(index + 1)}
                        tabIndex={tab === current ? 0 : -1}
                        className={cx(css.tab, tab === current && css.on)}
                        onClick={() => onChange(tab.id)}
                    >
                        {tab.label}
                        {tab.count !== undefined && <span className={css.count}>{tab.count}</span>}
                    </button>
                ))}
            </div>
            {current && (
                <div role="tabpanel" id={`panel-${current.id}`} aria-labelledby={`tab-${current.id}`}>
                    {current.content()}
                </div>
            )}
        </div>
    );
}
