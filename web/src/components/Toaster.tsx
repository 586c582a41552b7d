/* Short notes about what just happened. Errors stay until closed; the rest leave by themselves. */
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { Button } from "./Button";
import { reasonOf } from "./Status";
import css from "./Toaster.module.css";

interface Toast {
    id: number;
    tone: "ok" | "bad";
    text: string;
    /** Said in the language of the moment; then text is empty. */
    error?: unknown;
}

const SHOWN_MS = 5000;
const MOST = 4;
const listeners = new Set<() => void>();
let toasts: Toast[] = [];
let nextId = 1;

function set(next: Toast[]): void {
    toasts = next.slice(-MOST);
    listeners.forEach((listener) => listener());
}

function dismiss(id: number): void {
    set(toasts.filter((toast) => toast.id !== id));
}

export function toast(text: string): void {
    const id = nextId++;
    set([...toasts, { id, tone: "ok", text }]);
    setTimeout(() => dismiss(id), SHOWN_MS);
}

export function toastError(error: unknown): void {
    set([...toasts, { id: nextId++, tone: "bad", text: "", error }]);
}

export function Toaster() {
    const { t } = useI18n();
    const shown = useSyncExternalStore(
        (listener) => {
            listeners.add(listener);
            return () => listeners.delete(listener);
        },
        () => toasts,
    );
    return (
        <div className={css.region} role="status" aria-live="polite">
            {shown.map((entry) => (
                <div key={entry.id} className={cx(css.toast, css[entry.tone])}>
                    {entry.tone === "ok" ? <CircleCheck size={16} aria-hidden /> : <CircleAlert size={16} aria-hidden />}
                    <span className="grow">{entry.tone === "bad" ? reasonOf(entry.error, t) : entry.text}</span>
                    <Button variant="ghost" small icon={X} aria-label={t("action.close")} onClick={() => dismiss(entry.id)} />
                </div>
            ))}
        </div>
    );
}
