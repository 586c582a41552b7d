/* The model registry of the project. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { Boxes } from "lucide-react";
import { useMemo } from "react";
import { modelsQuery } from "../../api/models";
import { useMay } from "../../api/permissions";
import { useProjectLive } from "../../api/projects";
import type { Model } from "../../api/types";
import { Button, ButtonLink } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { SearchBox } from "../../components/Field";
import { ListTools, visibleColumns } from "../../components/ListTools";
import { Answer, Badge, EmptyState } from "../../components/Status";
import { Page } from "../../components/Surface";
import { ViewOnly } from "../../components/ViewOnly";
import { TagLine } from "../../components/Tags";
import { useI18n, type I18n } from "../../i18n/i18n";
import { formatMetric } from "../../lib/format";
import { modelMetrics } from "../../lib/modelMetrics";
import { useParam, useSearchState } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";

const METRICS_SHOWN = 2;

function metricText(model: Model): string {
    return modelMetrics(model.metrics ?? {})
        .slice(0, METRICS_SHOWN)
        .map(([key, value]) => `${key} ${formatMetric(value)}`)
        .join(" · ");
}

function columnsOf({ t, ago }: I18n): ColumnDef<Model>[] {
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(180px, 1.4fr)", csv: (row) => row.name }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "description", header: t("field.description"), meta: { width: "minmax(160px, 2fr)", csv: (row) => row.description }, cell: ({ row }) => <span className="truncate muted">{row.original.description}</span> },
        { id: "latest_version", header: t("model.latest"), meta: { width: "120px", csv: (row) => row.latest_version }, cell: ({ row }) => row.original.latest_version !== null && t("version.short", { n: row.original.latest_version }) },
        { id: "aliases", header: t("model.aliases"), meta: { width: "minmax(130px, 1fr)", csv: (row) => Object.entries(row.aliases).map(([alias, number]) => `${alias}=${number}`).join(" ") }, cell: ({ row }) => (
            <span className="truncate">{Object.entries(row.original.aliases).map(([alias, number]) => <Badge key={alias}>{t("model.alias.short", { alias, n: number })}</Badge>)}</span>
        ) },
        { id: "tags", header: t("run.tags"), meta: { width: "minmax(120px, 1fr)", csv: (row) => JSON.stringify(row.tags) }, cell: ({ row }) => <TagLine tags={row.original.tags} /> },
        { id: "metrics", header: t("model.metrics"), meta: { width: "minmax(200px, 1.6fr)", csv: metricText }, cell: ({ row }) => (
            <span className="truncate num">
                {modelMetrics(row.original.metrics ?? {}).slice(0, METRICS_SHOWN).map(([key, value]) => `${key} ${formatMetric(value)}`).join(" · ")}
            </span>
        ) },
        { id: "updated_at", header: t("field.updated"), meta: { width: "140px", csv: (row) => row.updated_at }, cell: ({ row }) => <span className="muted">{ago(row.original.updated_at)}</span> },
    ];
}

export default function ModelListPage() {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const [search, setSearch] = useSearchState();
    const query = useInfiniteQuery(modelsQuery(project, search.q ?? ""));
    const { rows, onEnd } = useRows(query);
    const { refusal } = useMay(project, "model.write");
    useProjectLive(project);
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    return (
        <Page title={t("nav.models")} lead={t("models.lead")} badge={<ViewOnly refusal={refusal} />}>
            <Answer query={query}>
                {() =>
                    rows.length === 0 && !search.q ? (
                        <EmptyState icon={Boxes} title={t("models.empty.title")} body={t("models.empty.body")}>
                            <ButtonLink variant="primary" to="/projects/$project/runs" params={{ project }} search={{ state: "succeeded" }}>
                                {t("models.empty.action")}
                            </ButtonLink>
                        </EmptyState>
                    ) : (
                        <>
                            <Toolbar>
                                <SearchBox label={t("models.search")} value={search.q ?? ""} onSearch={(q) => setSearch({ q })} />
                                <ListTools name="models" columns={columns} rows={rows} hide={search.hide} onHide={(hide) => setSearch({ hide })} />
                            </Toolbar>
                            {rows.length === 0 ? (
                                <EmptyState icon={Boxes} title={t("list.none.title")} body={t("list.none.body")}>
                                    <Button onClick={() => setSearch({ q: null })}>{t("list.clear")}</Button>
                                </EmptyState>
                            ) : (
                                <DataTable
                                    label={t("nav.models")}
                                    rows={rows}
                                    columns={visibleColumns(columns, search.hide)}
                                    rowKey={(row) => row.id}
                                    onEnd={onEnd}
                                    onOpen={(row) => void navigate({ to: "/projects/$project/models/$model", params: { project, model: row.id }, search: {} })}
                                />
                            )}
                        </>
                    )
                }
            </Answer>
        </Page>
    );
}
