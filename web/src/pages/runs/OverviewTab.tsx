/* What a run was, at a glance: tags, notes, parameters, last metrics, what ran under it, the whole specification. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { childRunsQuery, runMetricsQuery, useTagRun, useUpdateRun } from "../../api/runs";
import type { Run } from "../../api/types";
import { CodeBlock } from "../../components/CodeBlock";
import { Notes } from "../../components/Notes";
import { StatePill } from "../../components/Status";
import { Card } from "../../components/Surface";
import { Tags } from "../../components/Tags";
import { useI18n } from "../../i18n/i18n";
import { formatMetric } from "../../lib/format";
import { useParam } from "../../lib/urlState";
import { KeyValues } from "./KeyValues";
import { RunLinksCards } from "./RunLinksCards";
import css from "./RunPage.module.css";

export function OverviewTab({ run, may }: { run: Run; may: boolean }) {
    const { t } = useI18n();
    const update = useUpdateRun(run.id);
    const tag = useTagRun(run.id);
    const changes = may && run.archived_at === null;
    const params = useMemo(() => Object.entries(run.params).sort(([a], [b]) => a.localeCompare(b)), [run.params]);
    const { data: whole } = useQuery(runMetricsQuery(useParam("project"), run.id));
    const metrics = useMemo(() => metricRows(whole ?? run), [whole, run]);
    return (
        <div className="stack">
            <Card title={t("run.tags")}>
                <Tags tags={run.tags} busy={tag.isPending} {...(changes ? { onSet: (key: string, value: string) => tag.mutate({ [key]: value }), onRemove: (key: string) => tag.mutate({ [key]: null }) } : {})} />
            </Card>
            <Notes
                title={t("run.notes")}
                label={t("run.notes.label")}
                text={run.notes}
                busy={update.isPending}
                onSave={changes ? (notes, done) => update.mutate({ notes }, { onSuccess: done }) : undefined}
            />
            <div className="grid-2">
                <KeyValues title={t("run.params")} search={t("run.params.search")} rows={params} />
                <KeyValues title={t("run.metrics")} search={t("run.metrics.search")} rows={metrics} numbers={[t("run.last"), t("groups.min"), t("groups.max")]} />
            </div>
            <RunLinksCards run={run} />
            <Children run={run} />
            {run.spec !== null && (
                <Card title={t("run.spec")}>
                    <CodeBlock label={t("run.spec")} text={JSON.stringify(run.spec, null, 2)} />
                </Card>
            )}
        </div>
    );
}

/* Each with its last, least and greatest value. */
function metricRows(run: Run): string[][] {
    return Object.entries(run.metrics)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([key, last]) => [key, ...[last, run.metrics_min?.[key], run.metrics_max?.[key]].map(formatMetric)]);
}

/* Runs that were opened under this one; without any there is nothing to say. */
function Children({ run }: { run: Run }) {
    const { t, ago } = useI18n();
    const project = useParam("project");
    const { data } = useQuery(childRunsQuery(run.id));
    if (!data || data.items.length === 0) return null;
    return (
        <Card title={t("run.children")} flush>
            <ul className={css.list}>
                {data.items.map((child) => (
                    <li key={child.id}>
                        <Link to="/projects/$project/runs/$run" params={{ project, run: child.id }} search={{}}>
                            <StatePill state={child.state} />
                            <span className="truncate grow">{child.name}</span>
                            <span className="faint">{ago(child.created_at)}</span>
                        </Link>
                    </li>
                ))}
            </ul>
        </Card>
    );
}

/** Where a run came from, as its client said: the script, the commit. */
export function sourceFacts(run: Run): { source: string; commit: string } {
    return { source: run.tags["mlflow.source.name"] ?? run.source, commit: run.tags["mlflow.source.git.commit"] ?? "" };
}

