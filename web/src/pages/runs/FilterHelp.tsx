/* The filter language on one screen; an example is tried with one click. */
import { Dialog } from "../../components/Dialog";
import { useI18n, type Key } from "../../i18n/i18n";
import css from "./RunList.module.css";

const EXAMPLES: [string, Key][] = [
    ["brisk", "filter_help.words"],
    ["metrics.loss < 0.2 AND params.lr = '0.01'", "filter_help.and"],
    ["state = 'failed' OR NOT tags.stage = 'draft'", "filter_help.or"],
    ["params.optimizer IN ('adam', 'adamw')", "filter_help.in"],
    ["min(metrics.val/loss) < 0.1 AND max(metrics.accuracy) > 0.9", "filter_help.best"],
    ["name ILIKE '%resnet%' AND user LIKE 'ada%'", "filter_help.like"],
    ['metrics."val loss" >= 1e-3', "filter_help.quotes"],
    ["params.lr < 0.01", "filter_help.numbers"],
    ["created_at > '2026-01-31' AND duration > 3600", "filter_help.times"],
    ["tags.reviewed IS NULL", "filter_help.null"],
    ["datasets.name = 'mnist' AND datasets.context = 'train'", "filter_help.datasets"],
];
const FACTS: Key[] = ["filter_help.fact.missing", "filter_help.fact.last", "filter_help.fact.case", "filter_help.fact.mlflow"];

interface HelpProps {
    open: boolean;
    onClose: () => void;
    onTry: (filter: string) => void;
    /** Of other lists than that of the runs. */
    examples?: [string, Key][];
    facts?: Key[];
}

export function FilterHelp({ open, onClose, onTry, examples = EXAMPLES, facts = FACTS }: HelpProps) {
    const { t } = useI18n();
    return (
        <Dialog open={open} onClose={onClose} title={t("filter.help")} description={t("filter_help.lead")} wide>
            <div className="stack">
                <ul className={css.examples}>
                    {examples.map(([example, meaning]) => (
                        <li key={example}>
                            <button type="button" className={css.example} title={t("filter_help.try")} onClick={() => onTry(example)}>
                                <code>{example}</code>
                            </button>
                            <span className="muted">{t(meaning)}</span>
                        </li>
                    ))}
                </ul>
                <ul className={css.notes}>
                    {facts.map((fact) => (
                        <li key={fact}>{t(fact)}</li>
                    ))}
                </ul>
            </div>
        </Dialog>
    );
}
