/* Form controls: a label, a control, a hint and an error that belong together for everyone. */
import { Search } from "lucide-react";
import {
    useEffect,
    useId,
    useRef,
    useState,
    type InputHTMLAttributes,
    type ReactNode,
    type SelectHTMLAttributes,
    type TextareaHTMLAttributes,
} from "react";
import { cx } from "../lib/cx";
import css from "./Field.module.css";

interface Wrap {
    label: string;
    hint?: string | undefined;
    error?: string | null | undefined;
}

interface Attributes {
    id: string;
    className: string;
    "aria-invalid": boolean;
    "aria-describedby": string | undefined;
}

function Field({ label, hint, error, children }: Wrap & { children: (attributes: Attributes) => ReactNode }) {
    const id = useId();
    const noteId = `${id}-note`;
    return (
        <div className={css.field}>
            <label className={css.label} htmlFor={id}>
                {label}
            </label>
            {children({
                id,
                className: css.control!,
                "aria-invalid": Boolean(error),
                "aria-describedby": error || hint ? noteId : undefined,
            })}
            {error ? (
                <p id={noteId} className={css.error} role="alert">
                    {error}
                </p>
            ) : (
                hint && (
                    <p id={noteId} className={css.hint}>
                        {hint}
                    </p>
                )
            )}
        </div>
    );
}

export function Input({ label, hint, error, ...input }: Wrap & InputHTMLAttributes<HTMLInputElement>) {
    return (
        <Field label={label} hint={hint} error={error}>
            {(attributes) => <input {...input} {...attributes} />}
        </Field>
    );
}

export function Select({ label, hint, error, ...select }: Wrap & SelectHTMLAttributes<HTMLSelectElement>) {
    return (
        <Field label={label} hint={hint} error={error}>
            {(attributes) => <select {...select} {...attributes} />}
        </Field>
    );
}

export function Textarea({ label, hint, error, ...area }: Wrap & TextareaHTMLAttributes<HTMLTextAreaElement>) {
    return (
        <Field label={label} hint={hint} error={error}>
            {(attributes) => <textarea {...area} {...attributes} />}
        </Field>
    );
}

/** A select without a visible label, for toolbars. */
export function BareSelect({ label, ...select }: { label: string } & SelectHTMLAttributes<HTMLSelectElement>) {
    return <select aria-label={label} {...select} className={cx(css.control, select.className)} />;
}

/** An input without a visible label, for toolbars. */
export function BareInput({ label, ...input }: { label: string } & InputHTMLAttributes<HTMLInputElement>) {
    return <input aria-label={label} title={label} {...input} className={cx(css.control, input.className)} />;
}

export function Checkbox({ label, ...input }: { label: ReactNode } & InputHTMLAttributes<HTMLInputElement>) {
    return (
        <label className={css.check}>
            <input type="checkbox" {...input} />
            <span>{label}</span>
        </label>
    );
}

const SEARCH_DELAY_MS = 250;

/** A search box; `/` anywhere on the page moves the focus into it. Reports after a short pause. */
export function SearchBox({ label, value, onSearch }: { label: string; value: string; onSearch: (text: string) => void }) {
    const [text, setText] = useState(value);
    const input = useRef<HTMLInputElement>(null);
    const report = useRef(onSearch);
    report.current = onSearch;
    useEffect(() => setText(value), [value]);
    useEffect(() => {
        if (text === value) return undefined;
        const timer = setTimeout(() => report.current(text), SEARCH_DELAY_MS);
        return () => clearTimeout(timer);
    }, [text, value]);
    return (
        <div className={css.searchBox}>
            <Search size={14} aria-hidden />
            <input
                ref={input}
                type="search"
                data-search
                className={css.control}
                aria-label={label}
                placeholder={label}
                value={text}
                onChange={(event) => setText(event.target.value)}
            />
        </div>
    );
}
