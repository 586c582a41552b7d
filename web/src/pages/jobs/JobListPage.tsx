/* All jobs of the project: what runs, what waits and why, what failed. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { ListChecks } from "lucide-react";
import { useMemo } from "react";
import { jobsQuery } from "../../api/jobs";
import { useMay } from "../../api/permissions";
import { useProjectLive } from "../../api/projects";
import type { Job } from "../../api/types";
import { Button, ButtonLink } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { BareSelect } from "../../components/Field";
import { ListTools, visibleColumns } from "../../components/ListTools";
import { Answer, Bar, EmptyState, FreshDot, StatePill } from "../../components/Status";
import { Page } from "../../components/Surface";
import { useI18n, type I18n } from "../../i18n/i18n";
import { formatDuration, secondsBetween } from "../../lib/format";
import { useParam, useSearchState } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";

const POLL_MS = 5000;
const STATES = ["queued", "running", "lost_contact", "cancelling", "succeeded", "failed", "cancelled"] as const;
const KINDS = ["dataset.import", "train", "predict"] as const;

function secondsOf(job: Job): number | null {
    return secondsBetween(job.started_at, job.finished_at, Date.now());
}

function columnsOf({ t, ago, label }: I18n): ColumnDef<Job>[] {
    return [
        { id: "state", header: t("field.state"), meta: { width: "140px", csv: (row) => row.state }, cell: ({ row }) => <StatePill state={row.original.state} /> },
        { id: "name", header: t("field.name"), meta: { width: "minmax(150px, 1fr)", csv: (row) => row.name }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "kind", header: t("field.kind"), meta: { width: "130px", csv: (row) => row.kind }, cell: ({ row }) => label("job_kind", row.original.kind) },
        { id: "progress", header: t("field.progress"), meta: { width: "minmax(200px, 2.4fr)", csv: (row) => row.progress }, cell: ({ row: { original } }) => <JobProgress job={original} /> },
        { id: "attempt", header: t("field.attempt"), meta: { width: "90px", right: true, csv: (row) => row.attempt }, cell: ({ row }) => t("job.attempt", { n: row.original.attempt, of: row.original.max_attempts }) },
        { id: "seconds", header: t("field.duration"), meta: { width: "110px", right: true, csv: secondsOf }, cell: ({ row }) => {
            const seconds = secondsOf(row.original);
            return seconds !== null && formatDuration(seconds);
        } },
        { id: "created_at", header: t("field.created"), meta: { width: "130px", csv: (row) => row.created_at }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
    ];
}

function JobProgress({ job }: { job: Job }) {
    if (job.state === "queued" && job.waiting_for) return <span className="truncate muted" title={job.waiting_for}>{job.waiting_for}</span>;
    if (job.state === "failed" && job.error) return <span className="truncate muted" title={job.error.message}>{job.error.message}</span>;
    if (job.state !== "running") return <span className="truncate faint">{job.message}</span>;
    return (
        <span className="grow">
            <Bar value={job.progress} label={job.name} />
        </span>
    );
}

export default function JobListPage() {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const [search, setSearch] = useSearchState();
    const filter = { ...(search.state ? { state: search.state } : {}), ...(search.kind ? { kind: search.kind } : {}) };
    const query = useInfiniteQuery({ ...jobsQuery(project, filter), refetchInterval: ({ state }) => POLL_MS * (state.data?.pages.length ?? 1) });
    const { rows, onEnd } = useRows(query);
    const { may } = useMay(project, "job.write");
    const { freshness } = useProjectLive(project);
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    const filtered = Object.keys(filter).length > 0;
    return (
        <Page title={t("nav.jobs")} lead={t("jobs.lead")} badge={<FreshDot freshness={freshness} />}>
            <Toolbar>
                <BareSelect label={t("field.state")} value={search.state ?? ""} onChange={(event) => setSearch({ state: event.target.value })}>
                    <option value="">{t("filter.all_states")}</option>
                    {STATES.map((state) => (
                        <option key={state} value={state}>
                            {t(`state.${state}`)}
                        </option>
                    ))}
                </BareSelect>
                <BareSelect label={t("field.kind")} value={search.kind ?? ""} onChange={(event) => setSearch({ kind: event.target.value })}>
                    <option value="">{t("filter.all_kinds")}</option>
                    {KINDS.map((kind) => (
                        <option key={kind} value={kind}>
                            {t(`job_kind.${kind}`)}
                        </option>
                    ))}
                </BareSelect>
                <ListTools name="jobs" columns={columns} rows={rows} hide={search.hide} onHide={(hide) => setSearch({ hide })} />
            </Toolbar>
            <Answer query={query}>
                {() =>
                    rows.length === 0 ? (
                        <EmptyState icon={ListChecks} title={t(filtered ? "list.none.title" : "jobs.empty.title")} body={t(filtered ? "list.none.body" : "jobs.empty.body")}>
                            {filtered ? (
                                <Button onClick={() => setSearch({ state: null, kind: null })}>{t("list.clear")}</Button>
                            ) : (
                                may && (
                                    <ButtonLink variant="primary" to="/projects/$project/train" params={{ project }} search={{}}>
                                        {t("train.new")}
                                    </ButtonLink>
                                )
                            )}
                        </EmptyState>
                    ) : (
                        <DataTable
                            label={t("nav.jobs")}
                            rows={rows}
                            columns={visibleColumns(columns, search.hide)}
                            rowKey={(row) => row.id}
                            onEnd={onEnd}
                            onOpen={(row) => void navigate({ to: "/projects/$project/jobs/$job", params: { project, job: row.id }, search: {} })}
                        />
                    )
                }
            </Answer>
        </Page>
    );
}
