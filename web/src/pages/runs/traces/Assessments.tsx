/* What people and judges think of a trace: feedback, and what was expected; added and taken away here. */
import { Plus, Trash2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useAssessTrace, useDeleteAssessment } from "../../../api/traces";
import type { AssessmentCreate, Trace } from "../../../api/types";
import { Button } from "../../../components/Button";
import { Dialog, DialogFooter } from "../../../components/Dialog";
import { Input, Select, Textarea } from "../../../components/Field";
import { Badge } from "../../../components/Status";
import { Card } from "../../../components/Surface";
import { useI18n } from "../../../i18n/i18n";
import { ApiError } from "../../../lib/apiError";
import { assessmentOf, type Assessment } from "../../../lib/assessment";
import { cx } from "../../../lib/cx";
import css from "./Trace.module.css";

type ValueKind = "boolean" | "number" | "text";

interface AssessmentsProps {
    trace: Trace;
    /** The chosen one, or "". */
    span: string;
    may: boolean;
    onSpan: (span: string) => void;
}

export function Assessments({ trace, span, may, onSpan }: AssessmentsProps) {
    const { t, count } = useI18n();
    const [adding, setAdding] = useState(false);
    const remove = useDeleteAssessment(trace.id);
    return (
        <Card
            flush
            title={`${t("trace.assessments")} (${count(trace.assessments.length)})`}
            actions={may && (
                <Button small icon={Plus} onClick={() => setAdding(true)}>
                    {t("assessment.add")}
                </Button>
            )}
        >
            {trace.assessments.length === 0 && <p className={cx(css.judgement, "muted")}>{t("assessment.none")}</p>}
            {trace.assessments.map(assessmentOf).map((assessment) => (
                <Judgement key={assessment.id} assessment={assessment} busy={remove.isPending} onSpan={onSpan} onRemove={may ? () => remove.mutate(assessment.id) : undefined} />
            ))}
            {adding && <AssessmentDialog trace={trace} span={span} onClose={() => setAdding(false)} />}
        </Card>
    );
}

interface JudgementProps {
    assessment: Assessment;
    busy: boolean;
    onSpan: (span: string) => void;
    onRemove: (() => void) | undefined;
}

function Judgement({ assessment, busy, onSpan, onRemove }: JudgementProps) {
    const { t, ago } = useI18n();
    return (
        <div className={css.judgement}>
            <span className={css.judged}>
                <Badge>{t(`assessment.kind.${assessment.kind}`)}</Badge>
                <strong>{assessment.name}</strong>
                <span className={cx("mono", !assessment.valid && css.over)}>{assessment.value}</span>
                {!assessment.valid && <Badge>{t("assessment.replaced")}</Badge>}
                <span className="faint small">
                    {assessment.source} {assessment.sourceType !== "" && `(${assessment.sourceType})`} {!Number.isNaN(Date.parse(assessment.createdAt)) && ago(assessment.createdAt)}
                </span>
                {assessment.spanId !== "" && (
                    <Button small variant="ghost" onClick={() => onSpan(assessment.spanId)}>
                        {t("assessment.span")}
                    </Button>
                )}
            </span>
            {onRemove && <Button small variant="ghost" icon={Trash2} disabled={busy} aria-label={t("assessment.remove", { name: assessment.name })} title={t("assessment.remove", { name: assessment.name })} onClick={onRemove} />}
            {assessment.rationale !== "" && <p className={css.why}>{assessment.rationale}</p>}
        </div>
    );
}

function valueOf(kind: ValueKind, text: string): AssessmentCreate["value"] {
    if (kind === "boolean") return text !== "false";
    return kind === "number" ? Number(text) : text;
}

function AssessmentDialog({ trace, span, onClose }: { trace: Trace; span: string; onClose: () => void }) {
    const { t } = useI18n();
    const assess = useAssessTrace(trace.id);
    const [kind, setKind] = useState<AssessmentCreate["kind"]>("feedback");
    const [name, setName] = useState("");
    const [type, setType] = useState<ValueKind>("boolean");
    const [value, setValue] = useState("true");
    const [rationale, setRationale] = useState("");
    const [of, setOf] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        assess.mutate({ kind, name: name.trim(), value: valueOf(type, value), ...(rationale ? { rationale } : {}), ...(of ? { span_id: of } : {}) }, { onSuccess: onClose });
    };
    const choose = (next: ValueKind) => {
        setType(next);
        setValue(next === "boolean" ? "true" : "");
    };
    return (
        <Dialog open onClose={onClose} title={t("assessment.add")} description={t("assessment.lead")}>
            <form className="stack" onSubmit={submit}>
                <div className="grid-2">
                    <Select label={t("assessment.kind")} value={kind} onChange={(event) => setKind(event.target.value as AssessmentCreate["kind"])}>
                        <option value="feedback">{t("assessment.kind.feedback")}</option>
                        <option value="expectation">{t("assessment.kind.expectation")}</option>
                    </Select>
                    <Input label={t("field.name")} required autoFocus maxLength={250} placeholder={t("assessment.name.placeholder")} value={name} onChange={(event) => setName(event.target.value)} />
                    <Select label={t("assessment.type")} value={type} onChange={(event) => choose(event.target.value as ValueKind)}>
                        <option value="boolean">{t("assessment.type.boolean")}</option>
                        <option value="number">{t("assessment.type.number")}</option>
                        <option value="text">{t("assessment.type.text")}</option>
                    </Select>
                    {type === "boolean" ? (
                        <Select label={t("tags.value")} value={value} onChange={(event) => setValue(event.target.value)}>
                            <option value="true">{t("assessment.yes")}</option>
                            <option value="false">{t("assessment.no")}</option>
                        </Select>
                    ) : (
                        <Input label={t("tags.value")} required type={type === "number" ? "number" : "text"} step="any" maxLength={10_000} value={value} onChange={(event) => setValue(event.target.value)} />
                    )}
                    <Select label={t("assessment.of")} value={of} onChange={(event) => setOf(event.target.value)}>
                        <option value="">{t("assessment.of.trace")}</option>
                        {span !== "" && <option value={span}>{t("assessment.of.span")}</option>}
                    </Select>
                </div>
                <Textarea label={t("assessment.rationale")} maxLength={5000} value={rationale} onChange={(event) => setRationale(event.target.value)} />
                {assess.error instanceof ApiError && <p className={css.error} role="alert">{assess.error.message}</p>}
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={assess.isPending}>
                        {t("action.save")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
