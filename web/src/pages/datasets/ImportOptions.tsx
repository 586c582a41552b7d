/* How files are read and rows are split. The three parts of the split always sum to 100 %. */
import type { SplitSpec } from "../../api/types";
import { SplitBar } from "../../components/Bars";
import { Checkbox, Input, Select } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import { clamp } from "../../lib/clamp";
import css from "./Dataset.module.css";

const FORMATS = ["auto", "idx", "images", "csv", "tsv", "jsonl", "parquet"] as const;
const TABLES = ["auto", "csv", "tsv", "jsonl", "parquet"];

export const DEFAULT_SPLIT: SplitSpec = { train: 0.8, validation: 0.1, test: 0.1, seed: 42, stratify: true };

interface ImportOptionsProps {
    format: string;
    onFormat: (format: string) => void;
    target: string;
    onTarget: (target: string) => void;
    split: SplitSpec;
    onSplit: (split: SplitSpec) => void;
}

function rounded(value: number): number {
    return Math.round(value * 1000) / 1000;
}

export function ImportOptions({ format, onFormat, target, onTarget, split, onSplit }: ImportOptionsProps) {
    const { t, percent } = useI18n();
    const setPart = (name: "validation" | "test", text: string) => {
        const other = name === "validation" ? split.test : split.validation;
        const value = clamp(Number(text) / 100 || 0, 0, 0.99 - other);
        onSplit({ ...split, [name]: rounded(value), train: rounded(1 - other - value) });
    };
    return (
        <div className="stack">
            <div className={css.options}>
                <Select label={t("import.format")} value={format} onChange={(event) => onFormat(event.target.value)}>
                    {FORMATS.map((name) => (
                        <option key={name} value={name}>
                            {t(`format.${name}`)}
                        </option>
                    ))}
                </Select>
                {TABLES.includes(format) && (
                    <Input label={t("import.target")} hint={t("import.target.hint")} value={target} onChange={(event) => onTarget(event.target.value)} />
                )}
                <Input label={t("import.validation")} type="number" min={0} max={90} step={1} value={rounded(split.validation * 100)} onChange={(event) => setPart("validation", event.target.value)} />
                <Input label={t("import.test")} type="number" min={0} max={90} step={1} value={rounded(split.test * 100)} onChange={(event) => setPart("test", event.target.value)} />
                <Input label={t("import.seed")} type="number" min={0} step={1} value={split.seed} onChange={(event) => onSplit({ ...split, seed: Math.max(0, Math.trunc(Number(event.target.value) || 0)) })} />
            </div>
            <SplitBar
                parts={(["train", "validation", "test"] as const).map((name) => ({
                    name: t(`split.${name}`),
                    value: split[name],
                    text: percent(split[name]),
                }))}
            />
            <Checkbox label={t("import.stratify")} checked={split.stratify} onChange={(event) => onSplit({ ...split, stratify: event.target.checked })} />
        </div>
    );
}
