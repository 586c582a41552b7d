/* One model: its versions side by side, its aliases, what it is for. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { Boxes, PenTool } from "lucide-react";
import { useMemo } from "react";
import { modelQuery, modelVersionsQuery, useRegistryTag, useUpdateModel } from "../../api/models";
import { useMay } from "../../api/permissions";
import type { Model, ModelVersion } from "../../api/types";
import { ButtonLink } from "../../components/Button";
import { DataTable } from "../../components/DataTable";
import { Notes } from "../../components/Notes";
import { Answer, Badge, EmptyState, StatePill } from "../../components/Status";
import { Card, Page, PageAnswer } from "../../components/Surface";
import { TagLine, Tags } from "../../components/Tags";
import { ViewOnly } from "../../components/ViewOnly";
import { useI18n, type I18n } from "../../i18n/i18n";
import { formatBytes, formatMetric } from "../../lib/format";
import { modelMetrics } from "../../lib/modelMetrics";
import { useParam } from "../../lib/urlState";
import { AliasCard } from "./AliasCard";
import { RegistryMenu } from "./RegistryMenu";

function columnsOf({ t, ago }: I18n, metrics: string[]): ColumnDef<ModelVersion>[] {
    return [
        { id: "version", header: t("field.version"), meta: { width: "90px" }, cell: ({ row }) => <strong>{t("version.short", { n: row.original.version })}</strong> },
        { id: "aliases", header: t("model.aliases"), meta: { width: "minmax(130px, 1fr)" }, cell: ({ row }) => row.original.aliases.map((alias) => <Badge key={alias}>@{alias}</Badge>) },
        { id: "stage", header: t("version.stage"), meta: { width: "112px" }, cell: ({ row }) => row.original.stage !== "none" && t(`stage.${row.original.stage}`) },
        ...metrics.map((key): ColumnDef<ModelVersion> => ({
            id: key, header: key, meta: { width: "minmax(120px, 1fr)", right: true }, cell: ({ row }) => formatMetric(row.original.metrics[key]),
        })),
        { id: "endpoint", header: t("model.endpoint"), meta: { width: "122px" }, cell: ({ row: { original } }) => (original.servable ? original.endpoint && <StatePill state={original.endpoint.state} /> : <span className="faint">{t("version.client_only")}</span>) },
        { id: "tags", header: t("run.tags"), meta: { width: "minmax(110px, 1fr)" }, cell: ({ row }) => <TagLine tags={row.original.tags} /> },
        { id: "size", header: t("field.size"), meta: { width: "96px", right: true }, cell: ({ row }) => formatBytes(row.original.size_bytes) },
        { id: "by", header: t("field.created_by"), meta: { width: "minmax(110px, 1fr)" }, cell: ({ row }) => <span className="truncate muted">{row.original.created_by}</span> },
        { id: "created", header: t("field.created"), meta: { width: "116px" }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
    ];
}

export default function ModelPage() {
    const { t } = useI18n();
    const project = useParam("project");
    const model = useQuery(modelQuery(useParam("model")));
    return (
        <PageAnswer query={model} title={t("field.model")} crumbs={[{ label: t("nav.models"), to: `/projects/${project}/models` }]}>
            {(data) => <ModelView model={data} />}
        </PageAnswer>
    );
}

function ModelView({ model }: { model: Model }) {
    const { t } = useI18n();
    const project = useParam("project");
    const { may, refusal } = useMay(project, "model.write");
    const update = useUpdateModel(model.id);
    const tag = useRegistryTag("models", model.id);
    const { data } = useQuery(modelVersionsQuery(model.id));
    const versions = useMemo(() => [...(data?.items ?? [])].sort((a, b) => b.version - a.version), [data]);
    const servable = versions.find((version) => version.servable);
    return (
        <Page
            title={model.name}
            lead={model.description.split("\n")[0]}
            crumbs={[{ label: t("nav.models"), to: `/projects/${project}/models` }]}
            badge={<ViewOnly refusal={refusal} />}
            actions={
                <>
                    {servable && (
                        <ButtonLink
                            variant="primary"
                            icon={PenTool}
                            to="/projects/$project/models/$model/versions/$version"
                            params={{ project, model: model.id, version: servable.id }}
                            search={{}}
                        >
                            {t("model.try_latest", { n: servable.version })}
                        </ButtonLink>
                    )}
                    {may && <RegistryMenu object="models" id={model.id} name={model.name} after={`/projects/${project}/models`} model={model} />}
                </>
            }
        >
            <div className="stack">
                <Versions model={model} versions={versions} />
                <div className="grid-2">
                    <AliasCard model={model} may={may} versions={versions.map((version) => version.version)} />
                    <Card title={t("run.tags")}>
                        <Tags tags={model.tags} busy={tag.isPending} {...(may ? { onSet: (key: string, value: string) => tag.mutate({ key, value }), onRemove: (key: string) => tag.mutate({ key, value: null }) } : {})} />
                    </Card>
                </div>
                <Notes title={t("field.description")} label={t("field.description")} text={model.description} busy={update.isPending} onSave={may ? (description, done) => update.mutate({ description }, { onSuccess: done }) : undefined} />
            </div>
        </Page>
    );
}

function Versions({ model, versions }: { model: Model; versions: ModelVersion[] }) {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const query = useQuery(modelVersionsQuery(model.id));
    const columns = useMemo(() => {
        const metrics = [...new Set(versions.flatMap((version) => modelMetrics(version.metrics).map(([key]) => key)))];
        return columnsOf(i18n, metrics);
    }, [i18n, versions]);
    return (
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
    );
}
