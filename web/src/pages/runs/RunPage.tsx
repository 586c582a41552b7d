/* One run: state, progress and freshness first; then what it was, charts, the machine, evaluation, pictures, log, files. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ban, BoxSelect, RotateCcw, Waypoints } from "lucide-react";
import { useState } from "react";
import { datasetVersionQuery } from "../../api/datasets";
import { useLive } from "../../api/events";
import { jobQuery, useCancelJob, useRetryJob } from "../../api/jobs";
import { useMay } from "../../api/permissions";
import { knowsAllMetrics, runMetricsQuery, runQuery } from "../../api/runs";
import type { Run } from "../../api/types";
import { EvaluationView } from "../../charts/EvaluationView";
import { Button, ButtonLink } from "../../components/Button";
import { ConfirmDialog } from "../../components/Dialog";
import { Badge, FreshDot, JobFailure, Progress, StatePill } from "../../components/Status";
import { Card, Facts, Page, PageAnswer } from "../../components/Surface";
import { Tabs, type Tab } from "../../components/Tabs";
import { ViewOnly } from "../../components/ViewOnly";
import { useI18n } from "../../i18n/i18n";
import { formatDuration, formatMetric, secondsBetween } from "../../lib/format";
import { isActive } from "../../lib/isActive";
import { useParam, useSearchState } from "../../lib/urlState";
import { ArtifactsTab } from "./ArtifactsTab";
import { ChartsTab } from "./ChartsTab";
import { ImagesTab } from "./ImagesTab";
import { LogsTab } from "./LogsTab";
import { OverviewTab, sourceFacts } from "./OverviewTab";
import { RegisterDialog } from "./RegisterDialog";
import { RunMenu } from "./RunMenu";
import { TracesTab } from "./traces/TracesTab";

const COMMIT_SHOWN = 10;

export default function RunPage() {
    const { t } = useI18n();
    const project = useParam("project");
    const query = useQuery(runQuery(useParam("run")));
    return (
        <PageAnswer query={query} title={t("field.run")} crumbs={[{ label: t("nav.runs"), to: `/projects/${project}/runs` }]}>
            {(run) => <RunView run={run} />}
        </PageAnswer>
    );
}

function RunView({ run }: { run: Run }) {
    const { t } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const { may, refusal } = useMay(project, "run.write");
    const active = isActive(run.state);
    const topics = run.job_id ? [`run:${run.id}`, `job:${run.job_id}`] : [`run:${run.id}`];
    const { freshness, pollMs } = useLive(topics, active);
    useQuery({ ...runQuery(run.id), refetchInterval: pollMs });
    const { evaluation } = run;
    const owner = { kind: "runs", id: run.id } as const;
    const { data: whole } = useQuery({ ...runMetricsQuery(project, run.id), enabled: !knowsAllMetrics(run) });
    const keys = Object.keys((whole ?? run).metrics);
    const system = keys.filter((key) => key.startsWith("system/"));
    const own = keys.filter((key) => !/^(system|test)\//.test(key));
    const tabs: Tab[] = [
        { id: "charts", label: t("run.charts"), content: () => <ChartsTab key="charts" run={run} keys={own} pollMs={pollMs} /> },
        { id: "overview", label: t("run.overview"), content: () => <OverviewTab run={run} may={may} /> },
    ];
    if (system.length > 0) tabs.push({ id: "system", label: t("run.system"), content: () => <ChartsTab key="system" run={run} keys={system} pollMs={pollMs} /> });
    if (evaluation && (evaluation.confusion || evaluation.class_metrics)) {
        tabs.push({ id: "evaluation", label: t("run.evaluation"), content: () => <EvaluationView evaluation={evaluation} /> });
    }
    tabs.push(
        { id: "logs", label: t("logs.title"), content: () => <LogsTab run={run.id} pollMs={pollMs} /> },
        { id: "artifacts", label: t("run.artifacts"), content: () => <ArtifactsTab owner={owner} may={may && run.archived_at === null} pollMs={pollMs} /> },
        { id: "images", label: t("run.images"), content: () => <ImagesTab owner={owner} pollMs={pollMs} /> },
        { id: "traces", label: t("nav.traces"), content: () => <TracesTab run={run.id} /> },
    );
    return (
        <Page
            title={run.name}
            crumbs={[
                { label: t("nav.experiments"), to: `/projects/${project}/experiments` },
                { label: run.experiment_name, to: `/projects/${project}/runs`, search: { experiment: run.experiment_id } },
            ]}
            badge={
                <>
                    <StatePill state={run.state} />
                    <ViewOnly refusal={refusal} />
                    {run.archived_at !== null && <Badge>{t("lifecycle.archived")}</Badge>}
                    <FreshDot freshness={freshness} />
                </>
            }
            actions={<RunActions run={run} project={project} may={may} />}
        >
            <div className="stack">
                <RunSummary run={run} project={project} />
                <Tabs label={run.name} tabs={tabs} value={search.tab ?? "charts"} onChange={(tab) => setSearch({ tab })} />
            </div>
        </Page>
    );
}

function RunActions({ run, project, may }: { run: Run; project: string; may: boolean }) {
    const { t } = useI18n();
    const [asking, setAsking] = useState<"cancel" | "register" | null>(null);
    const cancel = useCancelJob();
    const retry = useRetryJob();
    const job = run.job_id;
    return (
        <>
            <ButtonLink icon={Waypoints} to="/projects/$project/lineage" params={{ project }} search={{ node: `run:${run.id}` }}>
                {t("nav.lineage")}
            </ButtonLink>
            {may && job && isActive(run.state) && (
                <Button icon={Ban} onClick={() => setAsking("cancel")}>
                    {t("job.cancel")}
                </Button>
            )}
            {may && job && (run.state === "failed" || run.state === "cancelled") && (
                <Button icon={RotateCcw} busy={retry.isPending} onClick={() => retry.mutate(job)}>
                    {t("action.retry")}
                </Button>
            )}
            {may && run.state === "succeeded" && run.archived_at === null && (
                <Button variant="primary" icon={BoxSelect} onClick={() => setAsking("register")}>
                    {t("run.register")}
                </Button>
            )}
            {may && <RunMenu run={run} project={project} />}
            <ConfirmDialog
                open={asking === "cancel"}
                onClose={() => setAsking(null)}
                title={t("job.cancel.title")}
                body={t("job.cancel.body")}
                action={t("job.cancel")}
                busy={cancel.isPending}
                onConfirm={() => job && cancel.mutate(job, { onSuccess: () => setAsking(null) })}
            />
            <RegisterDialog of={{ kind: run.job_id === null ? "client-run" : "run", id: run.id, name: run.dataset_name ?? "" }} project={project} open={asking === "register"} onClose={() => setAsking(null)} />
        </>
    );
}

function RunSummary({ run, project }: { run: Run; project: string }) {
    const { t, time } = useI18n();
    const seconds = secondsBetween(run.started_at, run.finished_at, Date.now());
    const { data: job } = useQuery({ ...jobQuery(run.job_id ?? ""), enabled: run.job_id !== null });
    const { source, commit } = sourceFacts(run);
    const headline = Object.entries(run.metrics).filter(([key]) => key.startsWith("test/"));
    return (
        <>
            {job?.error && run.state === "failed" && <JobFailure error={job.error} />}
            <Card>
                <div className="stack">
                    {job && isActive(run.state) && (
                        <Progress label={run.name} value={run.progress} message={job.waiting_for ?? run.message} etaSeconds={run.eta_s} />
                    )}
                    <Facts
                        items={[
                            ...headline.map(([key, value]): [string, string] => [key, formatMetric(value)]),
                            [t("field.dataset"), run.dataset_version_id && (
                                <DatasetLink version={run.dataset_version_id} name={run.dataset_name} number={run.dataset_version} project={project} />
                            )],
                            [t("field.device"), run.device],
                            [t("field.duration"), seconds === null ? null : formatDuration(seconds)],
                            [t("run.started"), run.started_at && time(run.started_at)],
                            [t("run.finished"), run.finished_at && time(run.finished_at)],
                            [t("field.created"), t("field.by", { time: time(run.created_at), name: run.user_name ?? run.created_by })],
                            [t("run.source"), source],
                            [t("run.commit"), commit && <span className="mono">{commit.slice(0, COMMIT_SHOWN)}</span>],
                            [t("run.parent"), run.parent_id && (
                                <Link to="/projects/$project/runs/$run" params={{ project, run: run.parent_id }} search={{}}>
                                    {t("run.parent.open")}
                                </Link>
                            )],
                            [t("field.attempt"), job && job.attempt > 1 && <Badge>{t("job.attempt", { n: job.attempt, of: job.max_attempts })}</Badge>],
                            [t("field.job"), job && (
                                <Link to="/projects/$project/jobs/$job" params={{ project, job: job.id }} search={{}}>
                                    {t("job.open")}
                                </Link>
                            )],
                        ].map(([name, value]) => [name as string, value === false ? null : value])}
                    />
                </div>
            </Card>
        </>
    );
}

function DatasetLink({ version, name, number, project }: { version: string; name: string | null; number: number | null; project: string }) {
    const { t } = useI18n();
    const { data } = useQuery(datasetVersionQuery(version));
    const text = t("version.of", { name: name ?? "", n: number ?? "" });
    if (!data) return text;
    return (
        <Link to="/projects/$project/datasets/$dataset" params={{ project, dataset: data.dataset_id }} search={{ version: String(data.version) }}>
            {text}
        </Link>
    );
}
