/* Short notes about what just happened. Errors stay until closed; the rest leave by themselves. */
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { ApiError } from "../lib/apiError";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { Button } from "./Button";
import css from "./Toaster.module.css";

interface Toast {
    id: number;
    tone: "ok" | "bad";
    text: string;
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

export function toast(text: string, tone: Toast["tone"] = "ok"): void {
    const id = nextId++;
    set([...toasts, { id, tone, text }]);
    if (tone === "ok") setTimeout(() => dismiss(id), SHOWN_MS);
}

export function toastError(error: unknown): void {
    toast(error instanceof ApiError && error.message ? error.message : String(error), "bad");
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
                    <span className="grow">{entry.text}</span>
                    <Button variant="ghost" small icon={X} aria-label={t("action.close")} onClick={() => dismiss(entry.id)} />
                </div>
            ))}
        </div>
    );
}
