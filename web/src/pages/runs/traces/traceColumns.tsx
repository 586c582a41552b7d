/* The columns of a list of traces. All of it is what programs and people wrote: shown as text, and cut. */
import type { ColumnDef } from "@tanstack/react-table";
import type { Trace } from "../../../api/types";
import { Badge, StatePill } from "../../../components/Status";
import { TagLine } from "../../../components/Tags";
import type { I18n } from "../../../i18n/i18n";
import { assessmentOf } from "../../../lib/assessment";
import { formatMilliseconds } from "../../../lib/spanTime";

const NAME_TAG = "mlflow.traceName";
const ASSESSMENTS_SHOWN = 3;
/* A trace's words for what every other list says with these. */
const STATE: Record<Trace["state"], string> = { ok: "succeeded", error: "failed", in_progress: "running", unspecified: "stopped" };

export function traceName(trace: Trace): string {
    return trace.tags[NAME_TAG] ?? trace.trace_id;
}

export function TraceState({ trace }: { trace: Trace }) {
    return <StatePill state={STATE[trace.state]} />;
}

function Assessments({ trace }: { trace: Trace }) {
    const all = trace.assessments.map(assessmentOf).filter((assessment) => assessment.valid);
    return (
        <span className="row">
            {all.slice(0, ASSESSMENTS_SHOWN).map((assessment) => (
                <Badge key={assessment.id}>
                    {assessment.name}: {assessment.value}
                </Badge>
            ))}
        </span>
    );
}

export function traceColumns({ t, ago, time }: I18n): ColumnDef<Trace>[] {
    return [
        { id: "state", header: t("field.state"), meta: { width: "118px", sort: "state", csv: (trace) => trace.state }, cell: ({ row }) => <TraceState trace={row.original} /> },
        { id: "name", header: t("field.name"), meta: { width: "minmax(130px, 1fr)", sort: "name", csv: traceName }, cell: ({ row }) => <strong className="truncate" title={traceName(row.original)}>{traceName(row.original)}</strong> },
        { id: "request", header: t("trace.request"), meta: { width: "minmax(180px, 2fr)", csv: (trace) => trace.request_preview }, cell: ({ row }) => <span className="truncate muted" title={row.original.request_preview ?? ""}>{row.original.request_preview}</span> },
        { id: "assessments", header: t("trace.assessments"), meta: { width: "minmax(130px, 1fr)", csv: (trace) => JSON.stringify(trace.assessments) }, cell: ({ row }) => <Assessments trace={row.original} /> },
        { id: "tags", header: t("run.tags"), meta: { width: "minmax(110px, 1fr)", csv: (trace) => JSON.stringify(trace.tags) }, cell: ({ row }) => <TagLine tags={row.original.tags} /> },
        { id: "trace_id", header: t("trace.id"), meta: { width: "104px", sort: "trace_id", csv: (trace) => trace.trace_id }, cell: ({ row }) => <span className="truncate mono faint" title={row.original.trace_id}>{row.original.trace_id}</span> },
        { id: "duration_ms", header: t("field.duration"), meta: { width: "92px", right: true, sort: "duration_ms", csv: (trace) => trace.duration_ms }, cell: ({ row }) => row.original.duration_ms !== null && formatMilliseconds(row.original.duration_ms) },
        { id: "requested_at", header: t("trace.requested"), meta: { width: "116px", sort: "requested_at", csv: (trace) => trace.requested_at }, cell: ({ row }) => <span className="muted" title={time(row.original.requested_at)}>{ago(row.original.requested_at)}</span> },
    ];
}
