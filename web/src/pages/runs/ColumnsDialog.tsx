/* Which columns the run list shows, of all the metrics, parameters and tags its runs have. */
import { useState } from "react";
import type { RunField } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Checkbox, SearchBox } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import { cx } from "../../lib/cx";
import { fieldName, parseFieldName, type FieldGroup } from "../../lib/fieldName";
import { RUN_ATTRIBUTES } from "../../lib/runColumnIds";
import css from "./RunList.module.css";

interface ColumnsDialogProps {
    fields: readonly RunField[];
    shown: string[];
    onChange: (columns: string[] | null) => void;
    onClose: () => void;
}

const KEYED = ["params", "tags"] as const;
const PARTS = ["last", "min", "max"] as const;
/* Beyond these one searches. */
const MOST_SHOWN = 100;

export function ColumnsDialog({ fields, shown, onChange, onClose }: ColumnsDialogProps) {
    const { t, count } = useI18n();
    const [text, setText] = useState("");
    const toggle = (id: string) => onChange(shown.includes(id) ? shown.filter((other) => other !== id) : withColumn(shown, id));
    const names = [...new Set([...shown, ...fields.map((field) => field.name)])];
    const attributes = RUN_ATTRIBUTES.map((id) => ({ id, label: t(`column.${id}`) }));
    const keysOf = (group: FieldGroup) => [...new Set(names.map(parseFieldName).filter((name) => name.group === group).map(({ key }) => key))];
    const groups = KEYED.map((group) => ({ group, items: keysOf(group).map((key) => ({ id: fieldName({ group, key, part: "last" }), label: key })) }));
    const matches = (label: string) => label.toLowerCase().includes(text.toLowerCase());
    const metrics = keysOf("metrics").filter(matches);
    return (
        <Dialog open wide onClose={onClose} title={t("list.columns")}>
            <div className="stack">
                <SearchBox label={t("columns.search")} value={text} onSearch={setText} />
                <div className={css.columns}>
                    {metrics.length > 0 && (
                        <fieldset className={cx(css.group, css.metrics)}>
                            <legend>{t("columns.metrics")}</legend>
                            {metrics.slice(0, MOST_SHOWN).map((key) => (
                                <div key={key} className={css.metric} role="group" aria-label={key}>
                                    <span className="truncate" title={key}>{key}</span>
                                    {PARTS.map((part) => {
                                        const id = fieldName({ group: "metrics", key, part });
                                        return <Checkbox key={part} label={t(`columns.${part}`)} checked={shown.includes(id)} onChange={() => toggle(id)} />;
                                    })}
                                </div>
                            ))}
                            {metrics.length > MOST_SHOWN && <p className="muted small">{t("columns.more", { n: count(metrics.length - MOST_SHOWN) })}</p>}
                        </fieldset>
                    )}
                    {[{ group: "attributes" as const, items: attributes }, ...groups].map(({ group, items }) => {
                        const found = items.filter(({ label }) => matches(label));
                        return found.length > 0 && (
                            <fieldset key={group} className={css.group}>
                                <legend>{t(`columns.${group}`)}</legend>
                                {found.slice(0, MOST_SHOWN).map(({ id, label }) => (
                                    <Checkbox key={id} label={label} checked={shown.includes(id)} onChange={() => toggle(id)} />
                                ))}
                                {found.length > MOST_SHOWN && <p className="muted small">{t("columns.more", { n: count(found.length - MOST_SHOWN) })}</p>}
                            </fieldset>
                        );
                    })}
                </div>
                <DialogFooter>
                    <Button onClick={() => onChange(null)}>{t("columns.reset")}</Button>
                    <Button variant="primary" onClick={onClose}>
                        {t("action.close")}
                    </Button>
                </DialogFooter>
            </div>
        </Dialog>
    );
}

/* A new metric stands with the metrics, before what always closes a row. */
function withColumn(shown: string[], id: string): string[] {
    const order = (RUN_ATTRIBUTES as readonly string[]).indexOf(id);
    const tail = shown.findIndex((other) => other === "duration" || other === "created_at");
    if (order < 0) return tail < 0 ? [...shown, id] : [...shown.slice(0, tail), id, ...shown.slice(tail)];
    const at = shown.findIndex((other) => (RUN_ATTRIBUTES as readonly string[]).indexOf(other) > order);
    return at < 0 ? [...shown, id] : [...shown.slice(0, at), id, ...shown.slice(at)];
}
