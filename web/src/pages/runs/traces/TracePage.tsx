/* One trace: what was asked and answered, its spans over time, and what people think of it. The chosen span is in the URL. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { ListTree, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { experimentsQuery } from "../../../api/experiments";
import { useMay } from "../../../api/permissions";
import { traceQuery, useDeleteTraces, useTagTrace } from "../../../api/traces";
import type { Trace, TraceDetail, TraceSpan } from "../../../api/types";
import { Button } from "../../../components/Button";
import { ConfirmDialog } from "../../../components/Dialog";
import { SearchBox } from "../../../components/Field";
import { EmptyState } from "../../../components/Status";
import { Card, Facts, Page, PageAnswer } from "../../../components/Surface";
import { Tags } from "../../../components/Tags";
import { ViewOnly } from "../../../components/ViewOnly";
import { useI18n } from "../../../i18n/i18n";
import { formatMilliseconds } from "../../../lib/spanTime";
import { spanRows } from "../../../lib/spanTree";
import { useParam, useSearchState } from "../../../lib/urlState";
import { Assessments } from "./Assessments";
import { Pairs, SpanDetail } from "./SpanDetail";
import css from "./Trace.module.css";
import { traceName, TraceState } from "./traceColumns";
import { Waterfall } from "./Waterfall";

export default function TracePage() {
    const { t } = useI18n();
    const project = useParam("project");
    const query = useQuery(traceQuery(useParam("trace")));
    return (
        <PageAnswer query={query} title={t("trace.title")} crumbs={[{ label: t("nav.traces"), to: `/projects/${project}/traces` }]}>
            {(detail) => <TraceView detail={detail} />}
        </PageAnswer>
    );
}

function TraceView({ detail: { trace, spans } }: { detail: TraceDetail }) {
    const { t } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const { may, refusal } = useMay(project, "run.write");
    const tag = useTagTrace(trace.id);
    const { data: experiments } = useQuery(experimentsQuery(project, "all"));
    const experiment = experiments?.items.find((item) => item.id === trace.experiment_id);
    const metadata = Object.entries(trace.metadata).filter(([, value]) => value !== "");
    const chosen = spans.find((span) => span.span_id === search.span) ?? null;
    return (
        <Page
            title={traceName(trace)}
            crumbs={[
                { label: t("nav.experiments"), to: `/projects/${project}/experiments` },
                { label: experiment?.name ?? t("nav.traces"), to: `/projects/${project}/traces`, search: { experiment: trace.experiment_id } },
            ]}
            badge={
                <>
                    <TraceState trace={trace} />
                    <ViewOnly refusal={refusal} />
                </>
            }
            actions={may && <DeleteTrace trace={trace} project={project} />}
        >
            <div className="stack">
                <Summary trace={trace} project={project} />
                {spans.length === 0 ? (
                    <Card>
                        <EmptyState icon={ListTree} title={t("trace.no_spans.title")} body={t("trace.no_spans.body")} />
                    </Card>
                ) : (
                    <Spans spans={spans} chosen={chosen} onChoose={(span) => setSearch({ span })} />
                )}
                <Assessments trace={trace} may={may} span={chosen?.span_id ?? ""} onSpan={(span) => setSearch({ span })} />
                <Card title={t("run.tags")}>
                    <Tags tags={trace.tags} busy={tag.isPending} {...(may ? { onSet: (key: string, value: string) => tag.mutate({ [key]: value }), onRemove: (key: string) => tag.mutate({ [key]: null }) } : {})} />
                </Card>
                {metadata.length > 0 && (
                    <Card title={t("trace.metadata")}>
                        <Pairs pairs={metadata} />
                    </Card>
                )}
            </div>
        </Page>
    );
}

function Spans({ spans, chosen, onChoose }: { spans: TraceSpan[]; chosen: TraceSpan | null; onChoose: (span: string) => void }) {
    const { t, count } = useI18n();
    const [text, setText] = useState("");
    const rows = useMemo(() => spanRows(spans), [spans]);
    const extent = useMemo(() => {
        const from = spans.reduce((least, span) => Math.min(least, span.started_ns), Infinity);
        return { from, to: spans.reduce((most, span) => Math.max(most, span.ended_ns, span.started_ns), from) };
    }, [spans]);
    const needle = text.toLowerCase();
    const found = useMemo(() => (needle === "" ? rows : rows.filter(({ span }) => span.name.toLowerCase().includes(needle) || span.type.toLowerCase() === needle).map((row) => ({ ...row, depth: 0, children: 0, descendants: 0 }))), [rows, needle]);
    const shown = chosen ?? rows[0]!.span;
    return (
        <div className={css.whole}>
            <Card flush title={`${t("trace.spans")} (${count(spans.length)})`} actions={<SearchBox label={t("trace.spans.search")} value={text} onSearch={setText} />}>
                <Waterfall rows={found} extent={extent} chosen={shown.span_id} onChoose={onChoose} />
            </Card>
            <SpanDetail key={shown.span_id} span={shown} startedNs={extent.from} />
        </div>
    );
}

/* MLflow's clients say in JSON how many tokens a model read and wrote. */
function tokens(trace: Trace): string | null {
    try {
        const { total_tokens } = JSON.parse(trace.metadata["mlflow.trace.tokenUsage"] ?? "{}") as { total_tokens?: unknown };
        return typeof total_tokens === "number" ? String(total_tokens) : null;
    } catch {
        return null;
    }
}

function Summary({ trace, project }: { trace: Trace; project: string }) {
    const { t, time, count } = useI18n();
    return (
        <Card>
            <Facts
                items={[
                    [t("trace.id"), <span key="id" className="mono">{trace.trace_id}</span>],
                    [t("trace.requested"), time(trace.requested_at)],
                    [t("field.duration"), trace.duration_ms === null ? null : formatMilliseconds(trace.duration_ms)],
                    [t("trace.spans"), count(trace.span_count)],
                    [t("trace.tokens"), tokens(trace)],
                    [t("trace.session"), trace.metadata["mlflow.trace.session"]],
                    [t("trace.user"), trace.metadata["mlflow.trace.user"]],
                    [t("trace.client_request_id"), trace.client_request_id],
                    [t("trace.runs"), trace.runs.length > 0 && (
                        <span key="runs" className="row wrap">
                            {trace.runs.map((run) => (
                                <Link key={run} className="mono" to="/projects/$project/runs/$run" params={{ project, run }} search={{}}>
                                    {run.slice(-8)}
                                </Link>
                            ))}
                        </span>
                    )],
                ].map(([label, value]) => [label as string, value === false ? null : value])}
            />
        </Card>
    );
}

function DeleteTrace({ trace, project }: { trace: Trace; project: string }) {
    const { t, tn } = useI18n();
    const navigate = useNavigate();
    const [asking, setAsking] = useState(false);
    const remove = useDeleteTraces(project);
    return (
        <>
            <Button icon={Trash2} onClick={() => setAsking(true)}>
                {t("lifecycle.delete")}
            </Button>
            <ConfirmDialog
                open={asking}
                onClose={() => setAsking(false)}
                title={tn("traces.delete.title", 1)}
                body={t("traces.delete.body")}
                action={t("lifecycle.delete")}
                busy={remove.isPending}
                onConfirm={() => remove.mutate([trace.trace_id], { onSuccess: () => void navigate({ to: "/projects/$project/traces", params: { project }, search: { experiment: trace.experiment_id } }) })}
            />
        </>
    );
}
