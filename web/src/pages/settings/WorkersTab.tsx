/* The workers: who is there, how busy, how their runners are fenced in. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Server } from "lucide-react";
import { useMemo } from "react";
import { workersQuery } from "../../api/session";
import type { Worker } from "../../api/types";
import { DataTable } from "../../components/DataTable";
import { Answer, EmptyState, StatePill } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";

function columnsOf({ t, ago }: I18n): ColumnDef<Worker>[] {
    return [
        { id: "state", header: t("field.state"), meta: { width: "110px" }, cell: ({ row }) => <StatePill state={row.original.state} /> },
        { id: "name", header: t("field.name"), meta: { width: "minmax(140px, 1fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "busy", header: t("worker.busy"), meta: { width: "100px", right: true }, cell: ({ row }) => t("worker.slots", { busy: row.original.busy, slots: row.original.slots }) },
        { id: "sandbox", header: t("worker.sandbox"), meta: { width: "minmax(260px, 3fr)" }, cell: ({ row: { original } }) => <span className="truncate" title={original.sandbox.join(", ")}>{original.sandbox.join(", ")}</span> },
        { id: "version", header: t("field.version"), meta: { width: "120px" }, cell: ({ row }) => <span className="muted">{row.original.version}</span> },
        { id: "seen", header: t("worker.seen"), meta: { width: "130px" }, cell: ({ row }) => <span className="muted">{ago(row.original.last_seen_at)}</span> },
    ];
}

export function WorkersTab() {
    const i18n = useI18n();
    const { t } = i18n;
    const query = useQuery(workersQuery);
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    return (
        <Answer query={query}>
            {(page) =>
                page.items.length === 0 ? (
                    <EmptyState icon={Server} title={t("worker.empty.title")} body={t("worker.empty.body")} />
                ) : (
                    <DataTable label={t("settings.workers")} rows={page.items} columns={columns} rowKey={(row) => row.id} />
                )
            }
        </Answer>
    );
}
