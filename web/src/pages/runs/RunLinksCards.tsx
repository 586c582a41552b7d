/* What went into a run and what came out of it, as its client said: datasets and logged models. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { runLinksQuery } from "../../api/runs";
import type { DatasetRead, Run } from "../../api/types";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { Dialog } from "../../components/Dialog";
import { Badge } from "../../components/Status";
import { Card, Facts } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { useParam } from "../../lib/urlState";
import css from "./RunPage.module.css";

const CONTEXT_TAG = "mlflow.data.context";

export function RunLinksCards({ run }: { run: Run }) {
    const { t } = useI18n();
    const project = useParam("project");
    const { data } = useQuery(runLinksQuery(run.id));
    const [shown, setShown] = useState<DatasetRead | null>(null);
    if (!data || data.datasets.length + data.models.length === 0) return null;
    return (
        <div className="grid-2">
            {data.datasets.length > 0 && (
                <Card title={t("run.datasets")} flush>
                    <ul className={css.list}>
                        {data.datasets.map((dataset) => (
                            <li key={`${dataset.name} ${dataset.digest}`} className={css.linked}>
                                <strong className="truncate grow" title={dataset.name}>{dataset.name}</strong>
                                {dataset.tags[CONTEXT_TAG] && <Badge>{dataset.tags[CONTEXT_TAG]}</Badge>}
                                <span className="mono faint">{dataset.digest}</span>
                                <Button small onClick={() => setShown(dataset)}>
                                    {t("run.dataset.open")}
                                </Button>
                            </li>
                        ))}
                    </ul>
                </Card>
            )}
            {data.models.length > 0 && (
                <Card title={t("run.logged_models")} flush>
                    <ul className={css.list}>
                        {data.models.map((model) => (
                            <li key={`${model.id} ${model.made}`}>
                                <Link to="/projects/$project/logged-models/$model" params={{ project, model: model.id }} search={{}}>
                                    <strong className="truncate grow">{model.name}</strong>
                                    {model.made && <span className="muted num">{t("chart.step", { step: model.step })}</span>}
                                    <Badge>{t(model.made ? "run.model.made" : "run.model.read")}</Badge>
                                </Link>
                            </li>
                        ))}
                    </ul>
                </Card>
            )}
            {shown && <DatasetDialog dataset={shown} onClose={() => setShown(null)} />}
        </div>
    );
}

function pretty(text: string): string {
    try {
        return JSON.stringify(JSON.parse(text), null, 2);
    } catch {
        return text;
    }
}

function DatasetDialog({ dataset, onClose }: { dataset: DatasetRead; onClose: () => void }) {
    const { t } = useI18n();
    return (
        <Dialog open wide onClose={onClose} title={dataset.name}>
            <div className="stack">
                <Facts items={[[t("run.dataset.digest"), dataset.digest], [t("run.dataset.source_type"), dataset.source_type]]} />
                <CodeBlock wrap label={t("run.source")} text={pretty(dataset.source)} />
                {dataset.schema !== null && (
                    <>
                        <h3>{t("run.dataset.schema")}</h3>
                        <CodeBlock label={t("run.dataset.schema")} text={pretty(dataset.schema)} />
                    </>
                )}
            </div>
        </Dialog>
    );
}
