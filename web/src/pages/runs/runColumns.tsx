/* The columns of the run list: attributes, and any metric, parameter or tag. */
import type { ColumnDef } from "@tanstack/react-table";
import { ChevronDown, ChevronRight } from "lucide-react";
import type { Run } from "../../api/types";
import { Button } from "../../components/Button";
import { Bar, StatePill } from "../../components/Status";
import { TagLine } from "../../components/Tags";
import type { I18n } from "../../i18n/i18n";
import { parseFieldName } from "../../lib/fieldName";
import { formatDuration, formatMetric, secondsBetween } from "../../lib/format";
import type { Nested } from "../../lib/nestRows";

export type RunRow = Nested<Run>;

const INDENT_PX = 22;
/* What a parent's button takes: its children's names begin behind its own. */
const CARET_PX = 34;

export function metricKeysOf(runs: Run[]): string[] {
    return [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort();
}

function duration(run: Run): number | null {
    return secondsBetween(run.started_at, run.finished_at, Date.now());
}

interface Nesting {
    closed: ReadonlySet<string>;
    onToggle: (id: string) => void;
}

function NameCell({ row: { row: run, depth, children }, i18n: { t }, nesting }: { row: RunRow; i18n: I18n; nesting: Nesting }) {
    const open = !nesting.closed.has(run.id);
    return (
        <span className="row grow" style={{ paddingLeft: depth * INDENT_PX + (depth > 0 && children === 0 ? CARET_PX : 0) }}>
            {children > 0 && (
                <Button small variant="ghost" icon={open ? ChevronDown : ChevronRight} aria-expanded={open} aria-label={t(open ? "runs.close" : "runs.open", { name: run.name })} onClick={() => nesting.onToggle(run.id)} />
            )}
            <strong className="truncate" title={run.name}>{run.name}</strong>
            {run.state === "running" && run.job_id !== null && <span className="grow"><Bar value={run.progress} label={run.name} /></span>}
        </span>
    );
}

type Attribute = (i18n: I18n, nesting: Nesting) => ColumnDef<RunRow>;

const plain = (id: string, header: "field.experiment" | "run.user" | "run.source", text: (run: Run) => string): Attribute => ({ t }) => ({
    id, header: t(header), meta: { width: "minmax(100px, 1fr)", sort: id, csv: ({ row }) => text(row) }, cell: ({ row: { original } }) => <span className="truncate muted" title={text(original.row)}>{text(original.row)}</span>,
});

const ATTRIBUTES: Record<string, Attribute> = {
    state: ({ t }) => ({ id: "state", header: t("field.state"), meta: { width: "126px", sort: "state", csv: ({ row }) => row.state }, cell: ({ row }) => <StatePill state={row.original.row.state} /> }),
    name: (i18n, nesting) => ({ id: "name", header: i18n.t("field.name"), meta: { width: "minmax(190px, 2fr)", sort: "name", csv: ({ row }) => row.name }, cell: ({ row }) => <NameCell row={row.original} i18n={i18n} nesting={nesting} /> }),
    experiment: plain("experiment", "field.experiment", (run) => run.experiment_name),
    user: plain("user", "run.user", (run) => run.user_name ?? run.created_by),
    source: plain("source", "run.source", (run) => run.source),
    dataset: ({ t }) => ({ id: "dataset", header: t("field.dataset"), meta: { width: "minmax(100px, 1fr)", sort: "dataset", csv: ({ row }) => row.dataset_name }, cell: ({ row: { original: { row } } }) => row.dataset_name && (
        <span className="truncate muted">{t("version.of", { name: row.dataset_name, n: row.dataset_version ?? "" })}</span>
    ) }),
    tags: ({ t }) => ({ id: "tags", header: t("run.tags"), meta: { width: "minmax(150px, 1.4fr)", csv: ({ row }) => JSON.stringify(row.tags) }, cell: ({ row }) => <TagLine tags={row.original.row.tags} /> }),
    duration: ({ t }) => ({ id: "duration", header: t("field.duration"), meta: { width: "104px", right: true, sort: "duration", csv: ({ row }) => duration(row) }, cell: ({ row }) => {
        const seconds = duration(row.original.row);
        return seconds !== null && formatDuration(seconds);
    } }),
    created_at: ({ t, ago }) => ({ id: "created_at", header: t("field.created"), meta: { width: "118px", sort: "created_at", csv: ({ row }) => row.created_at }, cell: ({ row }) => <span className="muted">{ago(row.original.row.created_at)}</span> }),
};

/* A metric, a parameter or a tag. */
function keyedColumn({ t }: I18n, id: string): ColumnDef<RunRow> | null {
    const { group, key, part } = parseFieldName(id);
    if (group === null) return null;
    if (group === "metrics") {
        const value = (run: Run) => (part === "last" ? run.metrics : part === "min" ? run.metrics_min : run.metrics_max)?.[key];
        const header = part === "last" ? key : t(`column.${part}`, { key });
        return { id, header, meta: { width: "minmax(108px, 0.8fr)", right: true, sort: id, csv: ({ row }) => value(row) }, cell: ({ row }) => formatMetric(value(row.original.row)) };
    }
    return { id, header: key, meta: { width: "minmax(100px, 0.8fr)", sort: id, csv: ({ row }) => row[group][key] }, cell: ({ row }) => <span className="truncate mono" title={row.original.row[group][key]}>{row.original.row[group][key]}</span> };
}

export function runColumns(i18n: I18n, ids: string[], nesting: Nesting): ColumnDef<RunRow>[] {
    return ids.flatMap((id) => ATTRIBUTES[id]?.(i18n, nesting) ?? keyedColumn(i18n, id) ?? []);
}
