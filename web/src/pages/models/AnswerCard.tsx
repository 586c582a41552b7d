/* What a version answered: the class or the value, the ranking, and how long it took. */
import { Sparkles } from "lucide-react";
import type { ReactNode } from "react";
import type { Prediction } from "../../api/models";
import { Bars } from "../../components/Bars";
import { EmptyState, ErrorState } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { formatMetric } from "../../lib/format";
import { readAnswer } from "../../lib/prediction";
import css from "./Try.module.css";

const CLASSES_SHOWN = 10;

function Latency({ prediction: { latencyMs, computeMs } }: { prediction: Prediction }) {
    const { t } = useI18n();
    const whole = t("try.latency", { ms: latencyMs.toFixed(1) });
    return (
        <span className="muted small num">
            {computeMs === null ? whole : `${whole} · ${t("try.compute", { ms: computeMs.toFixed(2) })}`}
        </span>
    );
}

interface AnswerCardProps {
    prediction: Prediction | undefined;
    classes: string[] | null;
    error: unknown;
    busy: boolean;
    emptyBody: string;
    children?: ReactNode;
}

export function AnswerCard({ prediction, classes, error, busy, emptyBody, children }: AnswerCardProps) {
    const { t, percent } = useI18n();
    if (error) return <ErrorState error={error} />;
    if (!prediction) {
        return (
            <Card>
                <EmptyState icon={Sparkles} title={t(busy ? "try.starting" : "try.empty.title")} body={busy ? t("try.starting.body") : emptyBody} />
            </Card>
        );
    }
    const answer = readAnswer(prediction.reply, classes);
    return (
        <Card title={t("try.answer")} actions={<Latency prediction={prediction} />}>
            <div className="stack" aria-live="polite" aria-busy={busy}>
                <div className={css.answer} data-answer={answer.label ?? answer.value}>
                    <b>{answer.label ?? formatMetric(answer.value)}</b>
                    {answer.ranked[0] && <span className="muted">{percent(answer.ranked[0].probability)}</span>}
                    {children}
                </div>
                {answer.ranked.length > 0 && (
                    <Bars
                        label={t("try.probabilities")}
                        top={1}
                        items={answer.ranked.slice(0, CLASSES_SHOWN).map((entry) => ({
                            name: entry.label,
                            value: entry.probability,
                            text: percent(entry.probability, 2),
                        }))}
                    />
                )}
            </div>
        </Card>
    );
}
