/* All datasets of the project. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { Database, Download, Plus } from "lucide-react";
import { useMemo } from "react";
import { datasetsQuery } from "../../api/datasets";
import { useLive } from "../../api/events";
import type { Dataset } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { SearchBox } from "../../components/Field";
import { Answer, Badge, EmptyState, StatePill } from "../../components/Status";
import { Page } from "../../components/Surface";
import { useI18n, type I18n } from "../../i18n/i18n";
import { toCsv } from "../../lib/csv";
import { downloadText } from "../../lib/downloadText";
import { formatBytes } from "../../lib/format";
import { useParam, useSearchState } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import { NewDatasetDialog } from "./NewDatasetDialog";

function columnsOf({ t, label, count, ago }: I18n): ColumnDef<Dataset>[] {
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(200px, 2fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "kind", header: t("field.kind"), meta: { width: "110px" }, cell: ({ row }) => row.original.kind && <Badge>{label("kind", row.original.kind)}</Badge> },
        { id: "version", header: t("field.version"), meta: { width: "180px" }, cell: ({ row: { original } }) => (
            original.latest_version === null ? <span className="faint">{t("datasets.no_version")}</span> : (
                <>
                    <span className="num">{t("version.short", { n: original.latest_version })}</span>
                    {original.latest_state && <StatePill state={original.latest_state} />}
                </>
            )
        ) },
        { id: "rows", header: t("field.rows"), meta: { width: "110px", right: true }, cell: ({ row }) => row.original.rows !== null && count(row.original.rows) },
        { id: "size", header: t("field.size"), meta: { width: "110px", right: true }, cell: ({ row }) => row.original.size_bytes !== null && formatBytes(row.original.size_bytes) },
        { id: "updated", header: t("field.updated"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{ago(row.original.updated_at)}</span> },
    ];
}

function exportCsv(rows: Dataset[]): void {
    const header = ["id", "name", "kind", "latest_version", "latest_state", "rows", "size_bytes", "updated_at"] as const;
    downloadText("datasets.csv", toCsv([[...header], ...rows.map((row) => header.map((key) => row[key]))]));
}

export default function DatasetListPage() {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const [search, setSearch] = useSearchState();
    const query = useInfiniteQuery(datasetsQuery(project));
    const { rows, onEnd } = useRows(query);
    const needle = (search.q ?? "").toLowerCase();
    const found = rows.filter((row) => row.name.toLowerCase().includes(needle));
    const importing = rows.some((row) => row.latest_state === "importing");
    useLive([`project:${rows[0]?.project_id}`], importing);
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    const create = (
        <Button variant="primary" icon={Plus} onClick={() => setSearch({ new: "1" })}>
            {t("datasets.new")}
        </Button>
    );
    return (
        <Page title={t("nav.datasets")} lead={t("datasets.lead")} actions={create}>
            <Answer query={query}>
                {() =>
                    rows.length === 0 ? (
                        <EmptyState icon={Database} title={t("datasets.empty.title")} body={t("datasets.empty.body")}>
                            {create}
                        </EmptyState>
                    ) : (
                        <>
                            <Toolbar>
                                <SearchBox label={t("datasets.search")} value={search.q ?? ""} onSearch={(q) => setSearch({ q })} />
                                <span className="grow" />
                                <Button icon={Download} onClick={() => exportCsv(found)}>
                                    {t("list.csv")}
                                </Button>
                            </Toolbar>
                            <DataTable
                                label={t("nav.datasets")}
                                rows={found}
                                columns={columns}
                                rowKey={(row) => row.id}
                                onEnd={onEnd}
                                onOpen={(row) => void navigate({ to: "/projects/$project/datasets/$dataset", params: { project, dataset: row.id }, search: {} })}
                            />
                        </>
                    )
                }
            </Answer>
            <NewDatasetDialog project={project} open={search.new === "1"} onClose={() => setSearch({ new: null })} />
        </Page>
    );
}
