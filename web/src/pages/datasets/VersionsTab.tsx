/* The versions of a dataset, newest first. */
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";
import type { DatasetVersion } from "../../api/types";
import { DataTable } from "../../components/DataTable";
import { StatePill } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";
import { formatBytes } from "../../lib/format";

function columnsOf({ t, count, ago }: I18n): ColumnDef<DatasetVersion>[] {
    return [
        { id: "version", header: t("field.version"), meta: { width: "110px" }, cell: ({ row }) => <strong>{t("version.short", { n: row.original.version })}</strong> },
        { id: "state", header: t("field.state"), meta: { width: "130px" }, cell: ({ row }) => <StatePill state={row.original.state} /> },
        { id: "rows", header: t("field.rows"), meta: { width: "120px", right: true }, cell: ({ row }) => row.original.rows !== null && count(row.original.rows) },
        { id: "size", header: t("field.size"), meta: { width: "120px", right: true }, cell: ({ row }) => row.original.size_bytes !== null && formatBytes(row.original.size_bytes) },
        { id: "by", header: t("field.created_by"), cell: ({ row }) => <span className="truncate">{row.original.created_by}</span> },
        { id: "at", header: t("field.created"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
    ];
}

export function VersionsTab({ versions, onOpen }: { versions: DatasetVersion[]; onOpen: (version: number) => void }) {
    const i18n = useI18n();
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    return (
        <DataTable
            label={i18n.t("dataset.versions")}
            rows={versions}
            columns={columns}
            rowKey={(row) => row.id}
            onOpen={(row) => onOpen(row.version)}
        />
    );
}
