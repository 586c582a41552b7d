/* The files a run kept. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Download, Package } from "lucide-react";
import { useMemo } from "react";
import { artifactsQuery, artifactUrl } from "../../api/runs";
import type { Artifact } from "../../api/types";
import { DownloadLink } from "../../components/Button";
import { CopyButton } from "../../components/CodeBlock";
import { DataTable } from "../../components/DataTable";
import { Answer, EmptyState } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";
import { formatBytes } from "../../lib/format";

const HASH_SHOWN = 12;

function columnsOf({ t, ago }: I18n): ColumnDef<Artifact>[] {
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(200px, 2fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "size", header: t("field.size"), meta: { width: "110px", right: true }, cell: ({ row }) => formatBytes(row.original.size_bytes) },
        { id: "sha256", header: t("field.sha256"), meta: { width: "190px" }, cell: ({ row }) => (
            <>
                <span className="mono faint" title={row.original.sha256 ?? ""}>{row.original.sha256?.slice(0, HASH_SHOWN)}</span>
                <CopyButton text={row.original.sha256 ?? ""} />
            </>
        ) },
        { id: "created", header: t("field.created"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{row.original.created_at && ago(row.original.created_at)}</span> },
        { id: "get", header: "", meta: { width: "140px", right: true }, cell: ({ row }) => (
            <DownloadLink small variant="ghost" icon={Download} name={row.original.name} href={artifactUrl(row.original.id ?? "")}>
                {t("action.download")}
            </DownloadLink>
        ) },
    ];
}

export function ArtifactsTab({ run, pollMs }: { run: string; pollMs: number | false }) {
    const i18n = useI18n();
    const { t } = i18n;
    const query = useQuery({ ...artifactsQuery(run), refetchInterval: pollMs });
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    return (
        <Answer query={query}>
            {(page) =>
                page.items.length === 0 ? (
                    <EmptyState icon={Package} title={t("artifacts.empty.title")} body={t("artifacts.empty.body")} />
                ) : (
                    <DataTable label={t("run.artifacts")} rows={page.items} columns={columns} rowKey={(row) => row.name} />
                )
            }
        </Answer>
    );
}
