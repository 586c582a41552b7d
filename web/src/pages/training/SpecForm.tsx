/* The spec of one training job: fields for the usual knobs, the JSON itself, and what the server makes of it. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useMemo, useState } from "react";
import { specCheckQuery, useStartTraining } from "../../api/runs";
import type { Template, TrainSpec } from "../../api/types";
import { Button } from "../../components/Button";
import { Input } from "../../components/Field";
import { ErrorState } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { ApiError } from "../../lib/apiError";
import { formatSpec } from "../../lib/formatSpec";
import { lineOfField } from "../../lib/specField";
import { useDebounced } from "../../lib/useDebounced";
import { Knobs } from "./Knobs";
import { ShapeTable } from "./ShapeTable";
import { SpecEditor } from "./SpecEditor";
import css from "./TrainPage.module.css";

const CHECK_DELAY_MS = 400;

function parse(text: string): { spec: TrainSpec | null; error: string | null } {
    try {
        return { spec: JSON.parse(text) as TrainSpec, error: null };
    } catch (error) {
        return { spec: null, error: error instanceof Error ? error.message : String(error) };
    }
}

export function SpecForm({ template, version, project }: { template: Template; version: string; project: string }) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const start = useStartTraining(project);
    const [text, setText] = useState(() => formatSpec(template.spec));
    const [name, setName] = useState("");
    const [experiment, setExperiment] = useState("");
    const settled = useDebounced(text, CHECK_DELAY_MS);
    const { spec, error: syntax } = useMemo(() => parse(text), [text]);
    const check = useQuery(specCheckQuery(version, useMemo(() => parse(settled).spec, [settled])));
    const refusal = check.error instanceof ApiError ? check.error : null;
    const field = refusal?.field ?? null;
    const badLine = field === null ? null : lineOfField(text, field);
    const submit = () => {
        if (!spec) return;
        start.mutate(
            { dataset_version_id: version, spec, ...(name === "" ? {} : { name }), ...(experiment === "" ? {} : { experiment }) },
            { onSuccess: (run) => void navigate({ to: "/projects/$project/runs/$run", params: { project, run: run.id }, search: {} }) },
        );
    };
    return (
        <>
            <Card title={t("train.knobs")}>
                {spec ? (
                    <Knobs spec={spec} errorField={field} errorText={refusal?.message ?? null} onChange={(next) => setText(formatSpec(next))} />
                ) : (
                    <p className="muted">{t("train.syntax_first")}</p>
                )}
            </Card>
            <div className={css.page}>
                <Card title={t("train.spec")}>
                    <SpecEditor
                        text={text}
                        onChange={setText}
                        badLine={badLine}
                        error={syntax ? t("train.syntax", { message: syntax }) : (refusal?.message ?? null)}
                    />
                </Card>
                <ShapeTable report={check.data ?? null} refusal={refusal} stale={text !== settled || check.isFetching} spec={spec} />
            </div>
            {start.isError && <ErrorState error={start.error} />}
            <div className={css.bar}>
                <Input label={t("train.name")} placeholder={t("train.name.placeholder")} value={name} onChange={(event) => setName(event.target.value)} />
                <Input label={t("field.experiment")} placeholder={t("train.experiment.placeholder")} value={experiment} onChange={(event) => setExperiment(event.target.value)} />
                <span className="grow" />
                <Button variant="primary" icon={Play} disabled={!spec || refusal !== null} busy={start.isPending} onClick={submit}>
                    {t("train.start")}
                </Button>
            </div>
        </>
    );
}
