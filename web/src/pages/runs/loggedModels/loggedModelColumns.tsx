/* The columns of a list of logged models; metrics are those of the page, the newest value of each. */
import { Link } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import type { LoggedModel } from "../../../api/types";
import { StatePill } from "../../../components/Status";
import { TagLine } from "../../../components/Tags";
import type { I18n } from "../../../i18n/i18n";
import { fieldName } from "../../../lib/fieldName";
import { formatMetric } from "../../../lib/format";
import { newestMeasures } from "../../../lib/modelMeasures";

const METRICS_SHOWN = 4;

export function loggedModelColumns({ t, ago, time }: I18n, project: string, rows: LoggedModel[]): ColumnDef<LoggedModel>[] {
    const newest = new Map(rows.map((model) => [model.id, newestMeasures(model.metrics)]));
    const keys = [...new Set([...newest.values()].flatMap(Object.keys))].sort().slice(0, METRICS_SHOWN);
    return [
        { id: "status", header: t("field.state"), meta: { width: "112px", sort: "status", csv: (model) => model.status }, cell: ({ row }) => <StatePill state={row.original.status} /> },
        { id: "name", header: t("field.name"), meta: { width: "minmax(170px, 2fr)", sort: "name", csv: (model) => model.name }, cell: ({ row }) => <strong className="truncate" title={row.original.name}>{row.original.name}</strong> },
        { id: "model_type", header: t("logged_model.type"), meta: { width: "minmax(100px, 1fr)", sort: "model_type", csv: (model) => model.model_type }, cell: ({ row }) => <span className="truncate muted" title={row.original.model_type}>{row.original.model_type}</span> },
        { id: "source_run_id", header: t("logged_model.source_run"), meta: { width: "104px", csv: (model) => model.source_run_id }, cell: ({ row: { original: { source_run_id: run } } }) => run !== null && (
            <Link className="mono" to="/projects/$project/runs/$run" params={{ project, run }} search={{}}>
                {run.slice(-8)}
            </Link>
        ) },
        ...keys.map((key): ColumnDef<LoggedModel> => ({
            id: fieldName({ group: "metrics", key, part: "last" }), header: key, meta: { width: "minmax(96px, 0.8fr)", right: true, sort: fieldName({ group: "metrics", key, part: "last" }), csv: (model) => newest.get(model.id)?.[key] },
            cell: ({ row }) => { const value = newest.get(row.original.id)?.[key]; return value !== undefined && formatMetric(value); },
        })),
        { id: "tags", header: t("run.tags"), meta: { width: "minmax(120px, 1fr)", csv: (model) => JSON.stringify(model.tags) }, cell: ({ row }) => <TagLine tags={row.original.tags} /> },
        { id: "created_at", header: t("field.created"), meta: { width: "118px", sort: "created_at", csv: (model) => model.created_at }, cell: ({ row }) => <span className="muted" title={time(row.original.created_at)}>{ago(row.original.created_at)}</span> },
    ];
}
