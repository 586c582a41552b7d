/* The columns of the run list: fixed ones, and one for each chosen metric. */
import type { ColumnDef } from "@tanstack/react-table";
import type { Run } from "../../api/types";
import { Bar, StatePill } from "../../components/Status";
import type { I18n } from "../../i18n/i18n";
import { formatDuration, formatMetric, secondsBetween } from "../../lib/format";

const PREFERRED = ["test/accuracy", "val/accuracy", "val/loss", "test/rmse", "val/rmse", "train/loss"];
const SHOWN_AT_FIRST = 3;

export function metricKeysOf(runs: Run[]): string[] {
    return [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort();
}

/** The chosen keys ("a,b", or "none"), or a few that usually matter. */
export function metricColumns(chosen: string | undefined, keys: string[]): string[] {
    if (chosen === "none") return [];
    if (chosen) return chosen.split(",");
    return PREFERRED.filter((key) => keys.includes(key)).slice(0, SHOWN_AT_FIRST);
}

function duration(run: Run): number | null {
    return secondsBetween(run.started_at, run.finished_at, Date.now());
}

export function runColumns({ t, ago }: I18n, metrics: string[]): ColumnDef<Run>[] {
    return [
        { id: "state", header: t("field.state"), meta: { width: "122px", csv: (row) => row.state }, cell: ({ row }) => <StatePill state={row.original.state} /> },
        { id: "name", header: t("field.name"), meta: { width: "minmax(170px, 2fr)", sort: "name", csv: (row) => row.name }, cell: ({ row: { original } }) => (
            <>
                <strong className="truncate">{original.name}</strong>
                {original.state === "running" && <span className="grow"><Bar value={original.progress} label={original.name} /></span>}
            </>
        ) },
        { id: "experiment", header: t("field.experiment"), meta: { width: "minmax(90px, 1fr)", csv: (row) => row.experiment_name }, cell: ({ row }) => <span className="truncate muted">{row.original.experiment_name}</span> },
        { id: "dataset", header: t("field.dataset"), meta: { width: "minmax(100px, 1fr)", csv: (row) => row.dataset_name }, cell: ({ row: { original } }) => original.dataset_name && (
            <span className="truncate muted">{t("version.of", { name: original.dataset_name, n: original.dataset_version ?? "" })}</span>
        ) },
        ...metrics.map((key): ColumnDef<Run> => ({
            id: `metric:${key}`,
            header: key,
            meta: { width: "minmax(108px, 0.8fr)", right: true, sort: `metrics.${key}`, csv: (row) => row.metrics[key] },
            cell: ({ row }) => formatMetric(row.original.metrics[key]),
        })),
        { id: "seconds", header: t("field.duration"), meta: { width: "96px", right: true, csv: duration }, cell: ({ row }) => {
            const seconds = duration(row.original);
            return seconds !== null && formatDuration(seconds);
        } },
        { id: "created_at", header: t("field.created"), meta: { width: "112px", sort: "created_at", csv: (row) => row.created_at }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
    ];
}
