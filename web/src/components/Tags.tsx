/* Tags as chips: a key and a value, added and removed one at a time. Tags that clients keep for themselves come last. */
import { Plus, X } from "lucide-react";
import { useState, type KeyboardEvent } from "react";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { Button } from "./Button";
import { BareInput } from "./Field";
import css from "./Tags.module.css";

const MOST_KEY = 250;
const MOST_VALUE = 5000;

export function isSystemTag(key: string): boolean {
    return key.startsWith("mlflow.");
}

/** A few tags on one line, for lists. */
export function TagLine({ tags }: { tags: Record<string, string> }) {
    return (
        <span className={cx(css.line, "truncate")}>
            {Object.entries(tags)
                .filter(([key]) => !isSystemTag(key))
                .map(([key, value]) => (
                    <span key={key} className={css.chip}>
                        <span className={css.key}>{key}</span>
                        {value !== "" && <span className="truncate">{value}</span>}
                    </span>
                ))}
        </span>
    );
}

interface TagsProps {
    tags: Record<string, string>;
    /** Absent: they can only be read. */
    onSet?: ((key: string, value: string) => void) | undefined;
    onRemove?: ((key: string) => void) | undefined;
    busy: boolean;
}

export function Tags({ tags, onSet, onRemove, busy }: TagsProps) {
    const { t } = useI18n();
    const [adding, setAdding] = useState(false);
    const entries = Object.entries(tags).sort(([a], [b]) => Number(isSystemTag(a)) - Number(isSystemTag(b)) || a.localeCompare(b));
    return (
        <div className={css.tags}>
            {entries.length === 0 && !adding && <span className="muted">{t("tags.none")}</span>}
            {entries.map(([key, value]) => (
                <span key={key} className={cx(css.chip, isSystemTag(key) && css.system)} title={value}>
                    <span className={css.key}>{key}</span>
                    {value !== "" && <span className="truncate">{value}</span>}
                    {onRemove && !isSystemTag(key) && (
                        <button type="button" className={css.remove} disabled={busy} aria-label={t("tags.remove", { key })} onClick={() => onRemove(key)}>
                            <X size={12} aria-hidden />
                        </button>
                    )}
                </span>
            ))}
            {onSet &&
                (adding ? (
                    <TagForm onSet={onSet} onClose={() => setAdding(false)} />
                ) : (
                    <Button small variant="ghost" icon={Plus} onClick={() => setAdding(true)}>
                        {t("tags.add")}
                    </Button>
                ))}
        </div>
    );
}

/* Not a form of its own: it may stand in another. */
function TagForm({ onSet, onClose }: { onSet: (key: string, value: string) => void; onClose: () => void }) {
    const { t } = useI18n();
    const [key, setKey] = useState("");
    const [value, setValue] = useState("");
    const add = () => {
        if (key.trim() === "") return;
        onSet(key.trim(), value);
        onClose();
    };
    const onKey = (event: KeyboardEvent) => {
        const act = { Enter: (event.target as HTMLElement).tagName === "INPUT" ? add : undefined, Escape: onClose }[event.key];
        if (!act) return;
        event.preventDefault();
        event.stopPropagation();
        act();
    };
    return (
        <div className={css.form} role="group" aria-label={t("tags.add")} onKeyDown={onKey}>
            <BareInput label={t("tags.key")} placeholder={t("tags.key")} autoFocus maxLength={MOST_KEY} value={key} onChange={(event) => setKey(event.target.value)} />
            <BareInput label={t("tags.value")} placeholder={t("tags.value")} maxLength={MOST_VALUE} value={value} onChange={(event) => setValue(event.target.value)} />
            <Button small disabled={key.trim() === ""} onClick={add}>
                {t("tags.add")}
            </Button>
            <Button small variant="ghost" icon={X} aria-label={t("action.cancel")} onClick={onClose} />
        </div>
    );
}
