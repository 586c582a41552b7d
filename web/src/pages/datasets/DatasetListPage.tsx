/* All datasets of the project. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { Database, Plus } from "lucide-react";
import { useMemo } from "react";
import { datasetsQuery } from "../../api/datasets";
import { useMay } from "../../api/permissions";
import { useProjectLive } from "../../api/projects";
import type { Dataset } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { SearchBox } from "../../components/Field";
import { ListTools, visibleColumns } from "../../components/ListTools";
import { Answer, Badge, EmptyState, StatePill } from "../../components/Status";
import { Page } from "../../components/Surface";
import { ViewOnly } from "../../components/ViewOnly";
import { useI18n, type I18n } from "../../i18n/i18n";
import { formatBytes } from "../../lib/format";
import { useParam, useSearchState } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import { NewDatasetDialog } from "./NewDatasetDialog";

function columnsOf({ t, label, count, ago }: I18n): ColumnDef<Dataset>[] {
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(200px, 2fr)", csv: (row) => row.name }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "kind", header: t("field.kind"), meta: { width: "110px", csv: (row) => row.kind }, cell: ({ row }) => row.original.kind && <Badge>{label("kind", row.original.kind)}</Badge> },
        { id: "version", header: t("field.version"), meta: { width: "180px", csv: (row) => row.latest_version }, cell: ({ row: { original } }) => (
            original.latest_version === null ? <span className="faint">{t("datasets.no_version")}</span> : (
                <>
                    <span className="num">{t("version.short", { n: original.latest_version })}</span>
                    {original.latest_state && <StatePill state={original.latest_state} />}
                </>
            )
        ) },
        { id: "rows", header: t("field.rows"), meta: { width: "110px", right: true, csv: (row) => row.rows }, cell: ({ row }) => row.original.rows !== null && count(row.original.rows) },
        { id: "size_bytes", header: t("field.size"), meta: { width: "110px", right: true, csv: (row) => row.size_bytes }, cell: ({ row }) => row.original.size_bytes !== null && formatBytes(row.original.size_bytes) },
        { id: "updated_at", header: t("field.updated"), meta: { width: "140px", csv: (row) => row.updated_at }, cell: ({ row }) => <span className="muted">{ago(row.original.updated_at)}</span> },
    ];
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
    const { may, refusal } = useMay(project, "dataset.write");
    useProjectLive(project);
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    const create = may && (
        <Button variant="primary" icon={Plus} onClick={() => setSearch({ new: "1" })}>
            {t("datasets.new")}
        </Button>
    );
    return (
        <Page title={t("nav.datasets")} lead={t("datasets.lead")} badge={<ViewOnly refusal={refusal} />} actions={create}>
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
                                <ListTools name="datasets" columns={columns} rows={found} hide={search.hide} onHide={(hide) => setSearch({ hide })} />
                            </Toolbar>
                            <DataTable
                                label={t("nav.datasets")}
                                rows={found}
                                columns={visibleColumns(columns, search.hide)}
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
