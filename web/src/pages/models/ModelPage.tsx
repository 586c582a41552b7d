/* One model: its versions and how they compare. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { Boxes, PenTool } from "lucide-react";
import { useMemo } from "react";
import { modelQuery, modelVersionsQuery } from "../../api/models";
import type { Model, ModelVersion } from "../../api/types";
import { ButtonLink } from "../../components/Button";
import { DataTable } from "../../components/DataTable";
import { Answer, EmptyState, StatePill } from "../../components/Status";
import { Page } from "../../components/Surface";
import { useI18n, type I18n } from "../../i18n/i18n";
import { formatBytes, formatMetric } from "../../lib/format";
import { modelMetrics } from "../../lib/modelMetrics";
import { useParam } from "../../lib/urlState";

function columnsOf({ t, ago }: I18n, metrics: string[]): ColumnDef<ModelVersion>[] {
    return [
        { id: "version", header: t("field.version"), meta: { width: "100px" }, cell: ({ row }) => <strong>{t("version.short", { n: row.original.version })}</strong> },
        ...metrics.map((key): ColumnDef<ModelVersion> => ({
            id: key, header: key, meta: { width: "minmax(120px, 1fr)", right: true }, cell: ({ row }) => formatMetric(row.original.metrics[key]),
        })),
        { id: "endpoint", header: t("model.endpoint"), meta: { width: "120px" }, cell: ({ row }) => row.original.endpoint && <StatePill state={row.original.endpoint.state} /> },
        { id: "size", header: t("field.size"), meta: { width: "110px", right: true }, cell: ({ row }) => formatBytes(row.original.size_bytes) },
        { id: "by", header: t("field.created_by"), meta: { width: "minmax(120px, 1fr)" }, cell: ({ row }) => <span className="truncate muted">{row.original.created_by}</span> },
        { id: "created", header: t("field.created"), meta: { width: "130px" }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
    ];
}

export default function ModelPage() {
    const model = useQuery(modelQuery(useParam("model")));
    return (
        <Answer query={model} lines={10}>
            {(data) => <ModelView model={data} />}
        </Answer>
    );
}

function ModelView({ model }: { model: Model }) {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const query = useQuery(modelVersionsQuery(model.id));
    const versions = useMemo(() => [...(query.data?.items ?? [])].sort((a, b) => b.version - a.version), [query.data]);
    const columns = useMemo(() => {
        const metrics = [...new Set(versions.flatMap((version) => modelMetrics(version.metrics).map(([key]) => key)))];
        return columnsOf(i18n, metrics);
    }, [i18n, versions]);
    const latest = versions[0];
    return (
        <Page
            title={model.name}
            lead={model.description}
            crumbs={[{ label: t("nav.models"), to: `/projects/${project}/models` }]}
            actions={
                latest?.servable && (
                    <ButtonLink
                        variant="primary"
                        icon={PenTool}
                        to="/projects/$project/models/$model/versions/$version"
                        params={{ project, model: model.id, version: latest.id }}
                        search={{}}
                    >
                        {t("model.try_latest", { n: latest.version })}
                    </ButtonLink>
                )
            }
        >
            <Answer query={query}>
                {() =>
                    versions.length === 0 ? (
                        <EmptyState icon={Boxes} title={t("model.empty.title")} body={t("models.empty.body")} />
                    ) : (
                        <DataTable
                            label={t("dataset.versions")}
                            rows={versions}
                            columns={columns}
                            rowKey={(row) => row.id}
                            onOpen={(row) =>
                                void navigate({
                                    to: "/projects/$project/models/$model/versions/$version",
                                    params: { project, model: model.id, version: row.id },
                                    search: {},
                                })
                            }
                        />
                    )
                }
            </Answer>
        </Page>
    );
}
