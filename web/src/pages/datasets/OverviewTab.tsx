/* What is in a version: counts, split, classes; while it is imported how far that is, or why it failed. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Download, RotateCcw } from "lucide-react";
import { versionFileUrl } from "../../api/datasets";
import { useLive } from "../../api/events";
import { jobQuery, useCancelJob, useRetryJob } from "../../api/jobs";
import { useMay } from "../../api/permissions";
import type { DatasetVersion } from "../../api/types";
import { Bars, SplitBar } from "../../components/Bars";
import { Button, DownloadLink } from "../../components/Button";
import { CopyButton } from "../../components/CodeBlock";
import { FreshDot, JobFailure, Progress } from "../../components/Status";
import { Card, Facts } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { formatBytes } from "../../lib/format";
import { useParam } from "../../lib/urlState";
import css from "./Dataset.module.css";

const HASH_SHOWN = 12;

export function OverviewTab({ version, project }: { version: DatasetVersion; project: string }) {
    const { t, count, time, label } = useI18n();
    const hash = version.sha256;
    return (
        <div className="stack">
            {version.state === "importing" && version.job_id && (
                <ImportProgress version={version.id} id={version.job_id} project={project} />
            )}
            {version.state === "failed" && version.error && (
                <JobFailure error={version.error}>{version.job_id && <RetryButton job={version.job_id} />}</JobFailure>
            )}
            <Card>
                <Facts
                    items={[
                        [t("field.version"), t("version.short", { n: version.version })],
                        [t("field.kind"), version.kind && label("kind", version.kind)],
                        [t("field.rows"), version.rows !== null && count(version.rows)],
                        [t("field.shape"), version.shape?.join(" × ")],
                        [t("dataset.classes"), version.classes && count(version.classes.length)],
                        [t("field.target"), version.target],
                        [t("field.size"), version.size_bytes !== null && formatBytes(version.size_bytes)],
                        [t("field.created"), t("field.by", { time: time(version.created_at), name: version.created_by })],
                        [t("field.sha256"), hash && (
                            <span className="row mono" title={hash}>
                                {hash.slice(0, HASH_SHOWN)}
                                <CopyButton text={hash} />
                            </span>
                        )],
                    ].map(([name, value]) => [name as string, value === false ? null : value])}
                />
            </Card>
            {version.splits && <SplitCard version={version} />}
            {version.classes && version.classes.length > 0 && (
                <Card title={t("dataset.classes")}>
                    <Bars
                        label={t("dataset.classes")}
                        items={version.classes.map((entry) => ({ name: entry.name, value: entry.count, text: count(entry.count) }))}
                    />
                </Card>
            )}
            {version.notes && version.notes.length > 0 && (
                <Card title={t("dataset.notes")}>
                    <ul className={css.notes}>
                        {version.notes.map((note) => (
                            <li key={note}>{note}</li>
                        ))}
                    </ul>
                </Card>
            )}
            {version.files.length > 0 && (
                <Card title={t("dataset.files")}>
                    <div className="row wrap">
                        {version.files.map((file) => (
                            <DownloadLink key={file.name} small icon={Download} name={file.name} href={versionFileUrl(version.id, file.name)}>
                                {`${file.name} · ${formatBytes(file.size_bytes)}`}
                            </DownloadLink>
                        ))}
                    </div>
                </Card>
            )}
        </div>
    );
}

function SplitCard({ version }: { version: DatasetVersion }) {
    const { t, count, percent } = useI18n();
    const splits = version.splits!;
    const total = Math.max(1, splits.train + splits.validation + splits.test);
    const seed = (version.split as { seed?: number } | null)?.seed;
    return (
        <Card title={t("dataset.split")} actions={seed !== undefined && <span className="faint small">{t("dataset.seed", { seed })}</span>}>
            <SplitBar
                parts={(["train", "validation", "test"] as const).map((name) => ({
                    name: t(`split.${name}`),
                    value: splits[name],
                    text: `${count(splits[name])} · ${percent(splits[name] / total)}`,
                }))}
            />
        </Card>
    );
}

function ImportProgress({ version, id, project }: { version: string; id: string; project: string }) {
    const { t } = useI18n();
    const { freshness, pollMs } = useLive([`job:${id}`, `dataset_version:${version}`]);
    const { data: job } = useQuery({ ...jobQuery(id), refetchInterval: pollMs });
    const { may } = useMay(project, "job.write");
    const cancel = useCancelJob();
    if (!job) return null;
    return (
        <Card
            title={t("dataset.importing")}
            actions={
                <>
                    <FreshDot freshness={freshness} />
                    {may && (
                        <Button small onClick={() => cancel.mutate(job.id)} busy={cancel.isPending}>
                            {t("action.cancel")}
                        </Button>
                    )}
                </>
            }
        >
            <div className="stack-s">
                <Progress label={t("dataset.importing")} value={job.progress} message={job.waiting_for ?? job.message} etaSeconds={job.eta_s} />
                <Link to="/projects/$project/jobs/$job" params={{ project, job: job.id }} search={{}} className="small">
                    {t("job.open")}
                </Link>
            </div>
        </Card>
    );
}

function RetryButton({ job }: { job: string }) {
    const { t } = useI18n();
    const { may } = useMay(useParam("project"), "job.write");
    const retry = useRetryJob();
    if (!may) return null;
    return (
        <Button small icon={RotateCcw} busy={retry.isPending} onClick={() => retry.mutate(job)}>
            {t("action.retry")}
        </Button>
    );
}
