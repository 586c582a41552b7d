/* One model version: try it, how good it is, how to call it, its files. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleStop, Download, Waypoints } from "lucide-react";
import { modelFileUrl, modelVersionQuery, useStopEndpoint } from "../../api/models";
import { useMay } from "../../api/permissions";
import { isServable, type ModelVersion, type ServableVersion, type Signature } from "../../api/types";
import { EvaluationView } from "../../charts/EvaluationView";
import { Button, ButtonLink, DownloadLink } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { Badge, StatePill } from "../../components/Status";
import { Card, Facts, Page, PageAnswer } from "../../components/Surface";
import { Tabs, type Tab } from "../../components/Tabs";
import { ViewOnly } from "../../components/ViewOnly";
import { useI18n } from "../../i18n/i18n";
import { formatBytes, formatMetric, formatMicroseconds } from "../../lib/format";
import { modelMetrics } from "../../lib/modelMetrics";
import { curlSnippet, pythonSnippet } from "../../lib/snippets";
import { useParam, useSearchState } from "../../lib/urlState";
import { AboutTab } from "./AboutTab";
import { RegistryMenu } from "./RegistryMenu";
import { TryImage } from "./TryImage";
import { TryTable } from "./TryTable";

export default function ModelVersionPage() {
    const { t } = useI18n();
    const project = useParam("project");
    const query = useQuery(modelVersionQuery(useParam("version")));
    return (
        <PageAnswer query={query} title={t("field.version")} crumbs={[{ label: t("nav.models"), to: `/projects/${project}/models` }]}>
            {(version) => <VersionView version={version} />}
        </PageAnswer>
    );
}

function VersionView({ version }: { version: ModelVersion }) {
    const { t } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const { may, refusal } = useMay(project, "model.write");
    const { evaluation } = version;
    const about: Tab = { id: "about", label: t("version.about"), content: () => <AboutTab version={version} may={may} /> };
    const tabs: Tab[] = [];
    if (isServable(version)) {
        tabs.push({ id: "try", label: t("version.try"), content: () => (version.input_kind === "image" ? <TryImage version={version} /> : <TryTable version={version} />) });
    }
    if (evaluation && (evaluation.confusion || evaluation.class_metrics)) {
        tabs.push({ id: "evaluation", label: t("run.evaluation"), content: () => <EvaluationView evaluation={evaluation} /> });
    }
    if (isServable(version)) tabs.push({ id: "use", label: t("version.use"), content: () => <UseTab version={version} /> });
    tabs.splice(isServable(version) ? 1 : 0, 0, about);
    tabs.push({ id: "files", label: t("dataset.files"), count: version.file_count, content: () => <FilesTab version={version} /> });
    return (
        <Page
            title={t("version.title", { name: version.model_name, n: version.version })}
            lead={version.description.split("\n")[0]}
            crumbs={[
                { label: t("nav.models"), to: `/projects/${project}/models` },
                { label: version.model_name, to: `/projects/${project}/models/${version.model_id}` },
            ]}
            badge={
                <>
                    <ViewOnly refusal={refusal} />
                    {version.endpoint && <StatePill state={version.endpoint.state} />}
                    {version.status !== "ready" && <StatePill state={version.status} />}
                    {version.stage !== "none" && <Badge>{t(`stage.${version.stage}`)}</Badge>}
                    {version.aliases.map((alias) => (
                        <Badge key={alias}>@{alias}</Badge>
                    ))}
                </>
            }
            actions={
                <>
                    {may && <StopEndpoint version={version} />}
                    <ButtonLink icon={Waypoints} to="/projects/$project/lineage" params={{ project }} search={{ node: `model_version:${version.id}`, direction: "up" }}>
                        {t("nav.lineage")}
                    </ButtonLink>
                    {may && <RegistryMenu object="model-versions" id={version.id} name={t("version.title", { name: version.model_name, n: version.version })} after={`/projects/${project}/models/${version.model_id}`} />}
                </>
            }
        >
            <div className="stack">
                <VersionFacts version={version} project={project} />
                <Tabs label={version.model_name} tabs={tabs} value={search.tab ?? tabs[0]!.id} onChange={(tab) => setSearch({ tab })} />
            </div>
        </Page>
    );
}

/* A running endpoint holds a place and memory; it starts again by itself with the next question. */
function StopEndpoint({ version }: { version: ModelVersion }) {
    const { t } = useI18n();
    const stop = useStopEndpoint(version.id);
    const endpoint = version.endpoint;
    if (!endpoint || (endpoint.state !== "ready" && endpoint.state !== "starting")) return null;
    return (
        <Button icon={CircleStop} busy={stop.isPending} onClick={() => stop.mutate(endpoint.id)}>
            {t("version.stop")}
        </Button>
    );
}

function VersionFacts({ version, project }: { version: ModelVersion; project: string }) {
    const { t, time, count } = useI18n();
    const endpoint = version.endpoint;
    return (
        <Card>
            <Facts
                items={[
                    ...modelMetrics(version.metrics).map(([key, value]): [string, string] => [key, formatMetric(value)]),
                    [t("version.input"), version.input_shape && version.input_shape.join(" × ")],
                    [t("dataset.classes"), version.classes === null ? null : count(version.classes.length)],
                    [t("field.size"), formatBytes(version.size_bytes)],
                    [t("field.run"), version.run_id && (
                        <Link to="/projects/$project/runs/$run" params={{ project, run: version.run_id }} search={{}}>
                            {t("version.run")}
                        </Link>
                    )],
                    [t("version.logged_model"), version.logged_model_id && (
                        <Link to="/projects/$project/logged-models/$model" params={{ project, model: version.logged_model_id }} search={{}}>
                            {t("version.logged_model.open")}
                        </Link>
                    )],
                    [t("field.created"), t("field.by", { time: time(version.created_at), name: version.created_by })],
                    [t("version.requests"), endpoint === null ? null : count(endpoint.requests)],
                    [t("version.p50"), endpoint === null || endpoint.p50_us === null ? null : formatMicroseconds(endpoint.p50_us)],
                ]}
            />
        </Card>
    );
}

function UseTab({ version }: { version: ServableVersion }) {
    const { t } = useI18n();
    const tensors = (list: Signature["inputs"]): [string, string][] =>
        list.map((tensor) => [tensor.name, `${tensor.datatype} [${tensor.shape.join(", ")}]`]);
    return (
        <div className="stack">
            <div className="grid-2">
                <Card title={t("version.inputs")}>
                    <Facts items={tensors(version.signature.inputs)} />
                </Card>
                <Card title={t("version.outputs")}>
                    <Facts items={tensors(version.signature.outputs)} />
                </Card>
            </div>
            <p className="muted small">{t("version.token_hint")}</p>
            <Card title={t("version.curl")}>
                <CodeBlock label={t("version.curl")} text={curlSnippet(location.origin, version)} />
            </Card>
            <Card title={t("version.python")}>
                <CodeBlock label={t("version.python")} text={pythonSnippet(location.origin, version)} />
            </Card>
        </div>
    );
}

function FilesTab({ version }: { version: ModelVersion }) {
    const { t } = useI18n();
    return (
        <Card title={t("dataset.files")}>
            <ul className="stack-s">
                {version.files.map((file) => (
                    <li key={file.name} className="row spread wrap">
                        <span>
                            <strong>{file.name}</strong> <span className="muted num">{formatBytes(file.size_bytes)}</span>{" "}
                            <span className="mono faint small">{file.sha256}</span>
                        </span>
                        <DownloadLink small icon={Download} name={file.name} href={modelFileUrl(version.id, file.name)}>
                            {t("action.download")}
                        </DownloadLink>
                    </li>
                ))}
            </ul>
        </Card>
    );
}
