/* How a model did on the test split: confusion matrix, most frequent mistakes, figures for each class. */
import type { CSSProperties } from "react";
import type { Evaluation } from "../api/types";
import { Card } from "../components/Surface";
import { useI18n } from "../i18n/i18n";
import { normaliseRows, worstConfusions } from "../lib/confusion";
import { cx } from "../lib/cx";
import css from "./Confusion.module.css";

const WORST_SHOWN = 8;
const WHITE_TEXT_FROM = 0.55;

export function EvaluationView({ evaluation }: { evaluation: Evaluation }) {
    const { t, percent, count } = useI18n();
    const { confusion, class_metrics } = evaluation;
    const worst = confusion ? worstConfusions(confusion.labels, confusion.matrix, WORST_SHOWN) : [];
    return (
        <div className="stack">
            {confusion && (
                <div className={css.pair}>
                    <Card title={t("evaluation.confusion")}>
                        <ConfusionMatrix labels={confusion.labels} matrix={confusion.matrix} />
                    </Card>
                    <Card title={t("evaluation.worst")}>
                        {worst.length === 0 ? (
                            <p className="muted">{t("evaluation.no_mistakes")}</p>
                        ) : (
                            <ol className={css.worst}>
                                {worst.map((pair) => (
                                    <li key={`${pair.actual}/${pair.predicted}`}>
                                        <span>{t("evaluation.mistake", { actual: pair.actual, predicted: pair.predicted })}</span>
                                        <span className="muted num">{count(pair.count)}</span>
                                    </li>
                                ))}
                            </ol>
                        )}
                    </Card>
                </div>
            )}
            {class_metrics && (
                <Card title={t("evaluation.classes")} flush>
                    <table className={css.metrics}>
                        <thead>
                            <tr>
                                <th scope="col">{t("evaluation.class")}</th>
                                <th scope="col">{t("evaluation.precision")}</th>
                                <th scope="col">{t("evaluation.recall")}</th>
                                <th scope="col">{t("evaluation.f1")}</th>
                                <th scope="col">{t("evaluation.support")}</th>
                            </tr>
                        </thead>
                        <tbody>
                            {class_metrics.map((row) => (
                                <tr key={row.label}>
                                    <td>{row.label}</td>
                                    <td>{percent(row.precision)}</td>
                                    <td>{percent(row.recall)}</td>
                                    <td>{percent(row.f1)}</td>
                                    <td>{count(row.support)}</td>
                                </tr>
                            ))}
                        </tbody>
                    </table>
                </Card>
            )}
        </div>
    );
}

function ConfusionMatrix({ labels, matrix }: { labels: string[]; matrix: number[][] }) {
    const { t, count, percent } = useI18n();
    const shares = normaliseRows(matrix);
    return (
        <div className={css.scroll} tabIndex={0} role="group" aria-label={t("evaluation.confusion")}>
            <table className={css.table}>
                <caption className="visually-hidden">{t("evaluation.confusion.caption")}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t("evaluation.axes")}</th>
                        {labels.map((label) => (
                            <th key={label} scope="col">
                                {label}
                            </th>
                        ))}
                    </tr>
                </thead>
                <tbody>
                    {matrix.map((row, i) => (
                        <tr key={labels[i]}>
                            <th scope="row">{labels[i]}</th>
                            {row.map((value, j) => {
                                const share = shares[i]![j]!;
                                const visible = share === 0 ? 0 : 12 + share * 88;
                                return (
                                    <td
                                        key={labels[j]}
                                        className={cx(css.cell, i === j ? css.right : css.wrong, visible / 100 > WHITE_TEXT_FROM && css.strong)}
                                        style={{ "--share": visible } as CSSProperties}
                                        title={t("evaluation.cell", {
                                            actual: labels[i] ?? "",
                                            predicted: labels[j] ?? "",
                                            share: percent(share),
                                        })}
                                    >
                                        {value === 0 ? <span className="faint">·</span> : count(value)}
                                    </td>
                                );
                            })}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
