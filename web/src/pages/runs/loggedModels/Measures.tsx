/* What runs measured of a logged model: a table for each data set it was measured on. */
import { Link } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";
import type { LoggedModel } from "../../../api/types";
import { DataTable } from "../../../components/DataTable";
import { Card } from "../../../components/Surface";
import { useI18n } from "../../../i18n/i18n";
import { formatMetric } from "../../../lib/format";
import { measuresByDataset } from "../../../lib/modelMeasures";
import css from "../RunPage.module.css";

type Measure = LoggedModel["metrics"][number];

export function Measures({ model, project }: { model: LoggedModel; project: string }) {
    const { t, ago } = useI18n();
    const groups = useMemo(() => measuresByDataset(model.metrics), [model.metrics]);
    const columns = useMemo<ColumnDef<Measure>[]>(
        () => [
            { id: "key", header: t("field.name"), meta: { width: "minmax(130px, 1fr)" }, cell: ({ row }) => <span className="truncate" title={row.original.key}>{row.original.key}</span> },
            { id: "value", header: t("tags.value"), meta: { width: "112px", right: true }, cell: ({ row }) => <span className="mono">{formatMetric(row.original.value)}</span> },
            { id: "step", header: t("logged_model.step"), meta: { width: "84px", right: true }, cell: ({ row }) => row.original.step },
            { id: "run", header: t("field.run"), meta: { width: "104px" }, cell: ({ row: { original: { run_id: run } } }) => (
                <Link className="mono" to="/projects/$project/runs/$run" params={{ project, run }} search={{}}>
                    {run.slice(-8)}
                </Link>
            ) },
            { id: "at", header: t("field.created"), meta: { width: "118px" }, cell: ({ row }) => <span className="muted">{ago(new Date(row.original.timestamp).toISOString())}</span> },
        ],
        [t, ago, project],
    );
    if (groups.length === 0) {
        return (
            <Card title={t("run.metrics")}>
                <p className="muted">{t("logged_model.metrics.none")}</p>
            </Card>
        );
    }
    return groups.map(([name, measures]) => {
        const title = name === "" ? t("run.metrics") : t("logged_model.metrics.on", { name });
        return (
            <Card key={name} title={title} flush>
                <div className={css.pairs}>
                    <DataTable label={title} rows={measures.map((measure, index) => ({ ...measure, index }))} columns={columns} rowKey={(measure) => String((measure as Measure & { index: number }).index)} />
                </div>
            </Card>
        );
    });
}
