/*
 * A box for the filter language: completes what may come next, and underlines what the server did not
 * understand, where it stands. Enter (or leaving the box) asks; Esc closes the list. `/` moves here.
 */
import { CircleHelp, Filter, X } from "lucide-react";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useI18n } from "../i18n/i18n";
import { clamp } from "../lib/clamp";
import { cx } from "../lib/cx";
import { completeFilter, type FilterField } from "../lib/filterComplete";
import { Button } from "./Button";
import css from "./FilterBox.module.css";

export interface FilterError {
    message: string;
    /** The characters at fault, when the server told. */
    range: { from: number; to: number } | null;
}

interface FilterBoxProps {
    label: string;
    placeholder: string;
    value: string;
    onFilter: (text: string) => void;
    fields: readonly FilterField[];
    error: FilterError | null;
    onHelp: () => void;
}

export function FilterBox({ label, placeholder, value, onFilter, fields, error, onHelp }: FilterBoxProps) {
    const { t, label: named } = useI18n();
    const id = useId();
    const input = useRef<HTMLInputElement>(null);
    const caret = useRef<number | null>(null);
    const [text, setText] = useState(value);
    const [scroll, setScroll] = useState(0);
    const [list, setList] = useState<{ cursor: number; active: number } | null>(null);
    useEffect(() => setText(value), [value]);
    /* Before the browser draws, so that nothing is typed in between. */
    useLayoutEffect(() => {
        if (caret.current !== null) input.current?.setSelectionRange(caret.current, caret.current);
        caret.current = null;
    }, [text]);
    const completion = useMemo(() => (list ? completeFilter(text, list.cursor, fields) : null), [list, text, fields]);
    const options = completion?.options ?? [];
    const shown = list !== null && options.length > 0;

    const follow = () => setList({ cursor: input.current?.selectionStart ?? 0, active: -1 });
    const choose = (index: number) => {
        const option = options[index];
        if (!completion || !option) return;
        const next = `${text.slice(0, completion.from)}${option.text} ${text.slice(completion.to).replace(/^ /, "")}`;
        const cursor = completion.from + option.text.length + 1;
        setText(next);
        setList({ cursor, active: -1 });
        caret.current = cursor;
    };
    const ask = () => {
        setList(null);
        if (text !== value) onFilter(text);
    };
    const onKey = (event: KeyboardEvent) => {
        const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (move) {
            event.preventDefault();
            if (list) setList({ ...list, active: clamp(list.active + move, -1, options.length - 1) });
            else follow();
        } else if (event.key === "Enter" || (event.key === "Tab" && shown && list.active >= 0)) {
            event.preventDefault();
            if (shown && list.active >= 0) choose(list.active);
            else ask();
        } else if (event.key === "Escape" && list) {
            event.stopPropagation();
            setList(null);
        }
    };
    const wrong = error?.range && text === value ? error.range : null;
    return (
        <div className={css.frame}>
            <div className={cx(css.box, error && css.refused)}>
                <Filter size={14} aria-hidden />
                <div className={css.line}>
                    <div className={css.under} aria-hidden style={{ transform: `translateX(${-scroll}px)` }}>
                        {wrong && (
                            <>
                                {text.slice(0, wrong.from)}
                                <mark>{text.slice(wrong.from, wrong.to) || " "}</mark>
                            </>
                        )}
                    </div>
                    <input
                        ref={input}
                        data-search
                        role="combobox"
                        aria-label={label}
                        aria-expanded={shown}
                        aria-controls={`${id}-list`}
                        aria-activedescendant={shown && list.active >= 0 ? `${id}-${list.active}` : undefined}
                        aria-invalid={error !== null}
                        aria-describedby={error ? `${id}-error` : undefined}
                        autoComplete="off"
                        spellCheck={false}
                        maxLength={8000}
                        placeholder={placeholder}
                        value={text}
                        onChange={(event) => {
                            setText(event.target.value);
                            setList({ cursor: event.target.selectionStart ?? 0, active: -1 });
                        }}
                        onKeyDown={onKey}
                        onClick={follow}
                        onBlur={ask}
                        onScroll={(event) => setScroll(event.currentTarget.scrollLeft)}
                    />
                </div>
                {text !== "" && (
                    <Button
                        small
                        variant="ghost"
                        icon={X}
                        aria-label={t("list.clear")}
                        onClick={() => {
                            setText("");
                            onFilter("");
                            input.current?.focus();
                        }}
                    />
                )}
                <Button small variant="ghost" icon={CircleHelp} aria-label={t("filter.help")} title={t("filter.help")} onClick={onHelp} />
            </div>
            {shown && (
                <div id={`${id}-list`} className={css.list} role="listbox" aria-label={label}>
                    {options.map((option, index) => (
                        <div
                            key={option.text}
                            id={`${id}-${index}`}
                            role="option"
                            aria-selected={index === list.active}
                            className={cx(css.option, index === list.active && css.on)}
                            onMouseDown={(event) => {
                                event.preventDefault();
                                choose(index);
                            }}
                        >
                            <span className="truncate">{option.text}</span>
                            {option.detail && <small>{named("filter.type", option.detail)}</small>}
                        </div>
                    ))}
                </div>
            )}
            {error && (
                <p id={`${id}-error`} className={css.error} role="alert">
                    {error.message}
                </p>
            )}
        </div>
    );
}
