/* One job: how far it is, why it waits or failed, its states over time, its log. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Ban, RotateCcw } from "lucide-react";
import { useState } from "react";
import { useLive } from "../../api/events";
import { jobEventsQuery, jobQuery, logsQuery, useCancelJob, useRetryJob } from "../../api/jobs";
import { useMay } from "../../api/permissions";
import type { Job } from "../../api/types";
import { Button } from "../../components/Button";
import { ConfirmDialog } from "../../components/Dialog";
import { LogView } from "../../components/LogView";
import { Answer, FreshDot, JobFailure, Progress, StatePill } from "../../components/Status";
import { Card, Facts, Page, PageAnswer } from "../../components/Surface";
import { Tabs } from "../../components/Tabs";
import { ViewOnly } from "../../components/ViewOnly";
import { useI18n } from "../../i18n/i18n";
import { formatDuration, secondsBetween } from "../../lib/format";
import { isActive } from "../../lib/isActive";
import { useParam, useSearchState } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import css from "./JobPage.module.css";

export default function JobPage() {
    const { t } = useI18n();
    const project = useParam("project");
    const query = useQuery(jobQuery(useParam("job")));
    return (
        <PageAnswer query={query} title={t("field.job")} crumbs={[{ label: t("nav.jobs"), to: `/projects/${project}/jobs` }]}>
            {(job) => <JobView job={job} />}
        </PageAnswer>
    );
}

function JobView({ job }: { job: Job }) {
    const { t } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const { may, refusal } = useMay(project, "job.write");
    const { freshness, pollMs } = useLive([`job:${job.id}`], isActive(job.state));
    useQuery({ ...jobQuery(job.id), refetchInterval: pollMs });
    return (
        <Page
            title={job.name}
            crumbs={[{ label: t("nav.jobs"), to: `/projects/${project}/jobs` }]}
            badge={
                <>
                    <StatePill state={job.state} />
                    <ViewOnly refusal={refusal} />
                    <FreshDot freshness={freshness} />
                </>
            }
            actions={may && <JobActions job={job} />}
        >
            <div className="stack">
                {job.error && job.state === "failed" && <JobFailure error={job.error} />}
                <JobFacts job={job} project={project} />
                <Tabs
                    label={job.name}
                    value={search.tab ?? "timeline"}
                    onChange={(tab) => setSearch({ tab })}
                    tabs={[
                        { id: "timeline", label: t("job.timeline"), content: () => <Timeline id={job.id} pollMs={pollMs} /> },
                        { id: "logs", label: t("logs.title"), content: () => <JobLogs id={job.id} pollMs={pollMs} /> },
                    ]}
                />
            </div>
        </Page>
    );
}

function JobActions({ job }: { job: Job }) {
    const { t } = useI18n();
    const [asking, setAsking] = useState(false);
    const cancel = useCancelJob();
    const retry = useRetryJob();
    if (job.state === "failed" || job.state === "cancelled") {
        return (
            <Button icon={RotateCcw} busy={retry.isPending} onClick={() => retry.mutate(job.id)}>
                {t("action.retry")}
            </Button>
        );
    }
    if (!isActive(job.state) || job.state === "cancelling") return null;
    return (
        <>
            <Button icon={Ban} onClick={() => setAsking(true)}>
                {t("job.cancel")}
            </Button>
            <ConfirmDialog
                open={asking}
                onClose={() => setAsking(false)}
                title={t("job.cancel.title")}
                body={t("job.cancel.body")}
                action={t("job.cancel")}
                busy={cancel.isPending}
                onConfirm={() => cancel.mutate(job.id, { onSuccess: () => setAsking(false) })}
            />
        </>
    );
}

function JobFacts({ job, project }: { job: Job; project: string }) {
    const { t, time, label } = useI18n();
    const seconds = secondsBetween(job.started_at, job.finished_at, Date.now());
    return (
        <Card>
            <div className="stack">
                {isActive(job.state) && (
                    <Progress label={job.name} value={job.progress} message={job.waiting_for ?? job.message} etaSeconds={job.eta_s} />
                )}
                <Facts
                    items={[
                        [t("field.kind"), label("job_kind", job.kind)],
                        [t("field.attempt"), t("job.attempt", { n: job.attempt, of: job.max_attempts })],
                        [t("field.worker"), job.worker],
                        [t("field.created"), t("field.by", { time: time(job.created_at), name: job.created_by })],
                        [t("field.duration"), seconds === null ? null : formatDuration(seconds)],
                        [t("job.result"), job.run_id && (
                            <Link to="/projects/$project/runs/$run" params={{ project, run: job.run_id }} search={{}}>
                                {t("job.open_run")}
                            </Link>
                        )],
                        [t("nav.lineage"), (
                            <Link to="/projects/$project/lineage" params={{ project }} search={{ node: `job:${job.id}` }}>
                                {t("lineage.show")}
                            </Link>
                        )],
                    ]}
                />
            </div>
        </Card>
    );
}

function Timeline({ id, pollMs }: { id: string; pollMs: number | false }) {
    const { t, time } = useI18n();
    const query = useQuery({ ...jobEventsQuery(id), refetchInterval: pollMs });
    return (
        <Card>
            <Answer query={query}>
                {(page) => (
                    <ol className={css.timeline}>
                        {page.items.map((event) => (
                            <li key={event.seq} className={css.event}>
                                <StatePill state={event.state} />
                                <span className="muted">{event.attempt > 0 && t("job.attempt_n", { n: event.attempt })}</span>
                                <span>{event.reason}</span>
                                <time className="faint num" dateTime={event.at}>
                                    {time(event.at)}
                                </time>
                            </li>
                        ))}
                    </ol>
                )}
            </Answer>
        </Card>
    );
}

function JobLogs({ id, pollMs }: { id: string; pollMs: number | false }) {
    const [search, setSearch] = useSearchState();
    const query = useInfiniteQuery({ ...logsQuery("jobs", id, ""), refetchInterval: pollMs });
    const { rows, onEnd } = useRows(query);
    return (
        <Answer query={query}>
            {() => (
                <LogView lines={rows} search={search.log ?? ""} onSearch={(log) => setSearch({ log })} hasMore={query.hasNextPage} onMore={onEnd} />
            )}
        </Answer>
    );
}
