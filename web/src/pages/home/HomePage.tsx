/* The start of a project: what is running right now, drawn live; what to do next; what happened lately. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CheckCircle2, Database, PenTool, Play } from "lucide-react";
import { useLive } from "../../api/events";
import { jobsQuery } from "../../api/jobs";
import { modelsQuery } from "../../api/models";
import { useMay } from "../../api/permissions";
import { projectQuery } from "../../api/projects";
import { runsQuery } from "../../api/runs";
import type { Job, Project, Run } from "../../api/types";
import { ButtonLink } from "../../components/Button";
import { Answer, StatePill } from "../../components/Status";
import { Card, Page, PageAnswer } from "../../components/Surface";
import { ViewOnly } from "../../components/ViewOnly";
import { useI18n, type PluralKey } from "../../i18n/i18n";
import { cx } from "../../lib/cx";
import { formatMetric } from "../../lib/format";
import { useParam } from "../../lib/urlState";
import css from "./HomePage.module.css";
import { LiveRun } from "./LiveRun";

const RECENT = 6;

export default function HomePage() {
    const { t } = useI18n();
    const slug = useParam("project");
    const project = useQuery(projectQuery(slug));
    const { may, refusal } = useMay(slug, "run.write");
    const { pollMs } = useLive(project.data ? [`project:${project.data.id}`] : [], project.data !== undefined);
    const runs = useInfiniteQuery({ ...runsQuery(slug, {}, RECENT), refetchInterval: pollMs });
    const jobs = useInfiniteQuery({ ...jobsQuery(slug, {}), refetchInterval: pollMs });
    const recentRuns = runs.data?.pages[0]?.items ?? [];
    const shown = ["running", "queued", "succeeded"]
        .map((state) => recentRuns.find((run) => run.state === state))
        .find((run) => run !== undefined) ?? recentRuns[0];
    return (
        <PageAnswer query={project} title={slug} crumbs={[]}>
            {(data) => (
                <Page
                    title={data.name}
                    lead={data.description}
                    badge={<ViewOnly refusal={refusal} />}
                    actions={may && (
                        <ButtonLink variant="primary" icon={Play} to="/projects/$project/train" params={{ project: slug }} search={{}}>
                            {t("train.new")}
                        </ButtonLink>
                    )}
                >
                    <div className="stack">
                        <Counts project={data} />
                        {shown && <LiveRun project={slug} id={shown.id} />}
                        <NextSteps project={data} run={shown} />
                        <div className="grid-2">
                            <Card title={t("home.recent_runs")} flush={runs.data !== undefined}>
                                <Answer query={runs} lines={3}>{() => <RecentRuns project={slug} runs={recentRuns} />}</Answer>
                            </Card>
                            <Card title={t("home.recent_jobs")} flush={jobs.data !== undefined}>
                                <Answer query={jobs} lines={3}>{(found) => <RecentJobs project={slug} jobs={(found.pages[0]?.items ?? []).slice(0, RECENT)} />}</Answer>
                            </Card>
                        </div>
                    </div>
                </Page>
            )}
        </PageAnswer>
    );
}

function Counts({ project }: { project: Project }) {
    const { tn, count } = useI18n();
    const items: [PluralKey, number, string][] = [
        ["home.datasets", project.datasets, "datasets"],
        ["home.runs", project.runs, "runs"],
        ["home.models", project.models, "models"],
        ["home.active_jobs", project.active_jobs, "jobs"],
    ];
    return (
        <div className={css.counts}>
            {items.map(([key, value, page]) => (
                <Link key={key} className={css.count} to={`/projects/$project/${page}`} params={{ project: project.slug }} search={{}}>
                    <b>{count(value)}</b>
                    <span>{tn(key, value)}</span>
                </Link>
            ))}
        </div>
    );
}

function NextSteps({ project, run }: { project: Project; run: Run | undefined }) {
    const { t } = useI18n();
    const models = useInfiniteQuery(modelsQuery(project.slug));
    const model = models.data?.pages[0]?.items[0];
    const params = { project: project.slug };
    return (
        <section className="stack-s" aria-label={t("home.next")}>
            <h2>{t("home.next")}</h2>
            <div className={css.steps}>
                <Link className={cx(css.step, project.datasets > 0 && css.done)} to="/projects/$project/datasets" params={params} search={project.datasets > 0 ? {} : { new: "1" }}>
                    {project.datasets > 0 ? <CheckCircle2 size={19} aria-hidden /> : <Database size={19} aria-hidden />}
                    <div>
                        <strong>{t("home.step.data")}</strong>
                        <span>{t("home.step.data.body")}</span>
                    </div>
                </Link>
                <Link className={cx(css.step, project.runs > 0 && css.done)} to="/projects/$project/train" params={params} search={{}}>
                    {project.runs > 0 ? <CheckCircle2 size={19} aria-hidden /> : <Play size={19} aria-hidden />}
                    <div>
                        <strong>{t("home.step.train")}</strong>
                        <span>{t("home.step.train.body")}</span>
                    </div>
                </Link>
                <Link
                    className={css.step}
                    to={model ? "/projects/$project/models/$model" : run ? "/projects/$project/runs/$run" : "/projects/$project/models"}
                    params={{ ...params, model: model?.id, run: run?.id }}
                    search={{}}
                >
                    <PenTool size={19} aria-hidden />
                    <div>
                        <strong>{t(model ? "home.step.try" : "home.step.register")}</strong>
                        <span>{t(model ? "home.step.try.body" : "home.step.register.body")}</span>
                    </div>
                </Link>
            </div>
        </section>
    );
}

function RecentRuns({ project, runs }: { project: string; runs: Run[] }) {
    const { t, ago } = useI18n();
    if (runs.length === 0) return <p className={cx("muted", css.item)}>{t("runs.empty.title")}</p>;
    return (
        <ul className={css.list}>
            {runs.map((run) => (
                <li key={run.id}>
                    <Link className={css.item} to="/projects/$project/runs/$run" params={{ project, run: run.id }} search={{}}>
                        <StatePill state={run.state} />
                        <span className="truncate grow">{run.name}</span>
                        <span className="muted num">{formatMetric(run.metrics["test/accuracy"] ?? run.metrics["val/accuracy"] ?? run.metrics["val/loss"])}</span>
                        <span className="faint">{ago(run.created_at)}</span>
                    </Link>
                </li>
            ))}
        </ul>
    );
}

function RecentJobs({ project, jobs }: { project: string; jobs: Job[] }) {
    const { t, ago, label } = useI18n();
    if (jobs.length === 0) return <p className={cx("muted", css.item)}>{t("jobs.empty.title")}</p>;
    return (
        <ul className={css.list}>
            {jobs.map((job) => (
                <li key={job.id}>
                    <Link className={css.item} to="/projects/$project/jobs/$job" params={{ project, job: job.id }} search={{}}>
                        <StatePill state={job.state} />
                        <span className="truncate grow">{job.name}</span>
                        <span className="muted">{label("job_kind", job.kind)}</span>
                        <span className="faint">{ago(job.created_at)}</span>
                    </Link>
                </li>
            ))}
        </ul>
    );
}
