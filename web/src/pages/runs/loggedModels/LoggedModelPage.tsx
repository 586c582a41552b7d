/* One logged model: where it came from, what was measured of it, its files, and the versions registered of it. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Archive, BoxSelect } from "lucide-react";
import { useMemo, useState } from "react";
import { loggedModelQuery, useArchiveLoggedModel, useTagLoggedModel, versionsOfLoggedModelQuery } from "../../../api/loggedModels";
import { useMay } from "../../../api/permissions";
import { runQuery } from "../../../api/runs";
import type { LoggedModel } from "../../../api/types";
import { Button } from "../../../components/Button";
import { ConfirmDialog } from "../../../components/Dialog";
import { Answer, Badge, StatePill } from "../../../components/Status";
import { Card, Facts, Page, PageAnswer } from "../../../components/Surface";
import { Tabs, type Tab } from "../../../components/Tabs";
import { Tags } from "../../../components/Tags";
import { ViewOnly } from "../../../components/ViewOnly";
import { useI18n } from "../../../i18n/i18n";
import { useParam, useSearchState } from "../../../lib/urlState";
import { ArtifactsTab } from "../ArtifactsTab";
import { KeyValues } from "../KeyValues";
import { RegisterDialog } from "../RegisterDialog";
import css from "../RunPage.module.css";
import { Measures } from "./Measures";

export default function LoggedModelPage() {
    const { t } = useI18n();
    const project = useParam("project");
    const query = useQuery(loggedModelQuery(useParam("model")));
    return (
        <PageAnswer query={query} title={t("logged_model.title")} crumbs={[{ label: t("nav.logged_models"), to: `/projects/${project}/logged-models` }]}>
            {(model) => <ModelView model={model} />}
        </PageAnswer>
    );
}

function ModelView({ model }: { model: LoggedModel }) {
    const { t } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const { may, refusal } = useMay(project, "run.write");
    const archived = model.archived_at !== null;
    const tabs: Tab[] = [
        { id: "overview", label: t("logged_model.overview"), content: () => <Overview model={model} project={project} may={may && !archived} /> },
        { id: "artifacts", label: t("run.artifacts"), content: () => <ArtifactsTab owner={{ kind: "logged-models", id: model.id }} may={may && !archived} pollMs={false} /> },
    ];
    return (
        <Page
            title={model.name}
            crumbs={[
                { label: t("nav.experiments"), to: `/projects/${project}/experiments` },
                { label: t("nav.logged_models"), to: `/projects/${project}/logged-models`, search: { experiment: model.experiment_id } },
            ]}
            badge={
                <>
                    <StatePill state={model.status} />
                    <ViewOnly refusal={refusal} />
                    {archived && <Badge>{t("lifecycle.archived")}</Badge>}
                </>
            }
            actions={may && !archived && <Actions model={model} project={project} />}
        >
            <div className="stack">
                <Summary model={model} project={project} />
                <Tabs label={model.name} tabs={tabs} value={search.tab ?? "overview"} onChange={(tab) => setSearch({ tab })} />
            </div>
        </Page>
    );
}

function Actions({ model, project }: { model: LoggedModel; project: string }) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const [asked, setAsked] = useState<"archive" | "register" | null>(null);
    const archive = useArchiveLoggedModel(model.id);
    return (
        <>
            <Button icon={Archive} onClick={() => setAsked("archive")}>
                {t("lifecycle.archive")}
            </Button>
            <Button variant="primary" icon={BoxSelect} onClick={() => setAsked("register")}>
                {t("run.register")}
            </Button>
            <ConfirmDialog
                open={asked === "archive"}
                onClose={() => setAsked(null)}
                title={t("logged_model.archive.title", { name: model.name })}
                body={t("logged_model.archive.body")}
                action={t("lifecycle.archive")}
                busy={archive.isPending}
                onConfirm={() => archive.mutate(undefined, { onSuccess: () => void navigate({ to: "/projects/$project/logged-models", params: { project }, search: { experiment: model.experiment_id } }) })}
            />
            <RegisterDialog of={{ kind: "logged-model", id: model.id, name: model.name }} project={project} open={asked === "register"} onClose={() => setAsked(null)} />
        </>
    );
}

function Summary({ model, project }: { model: LoggedModel; project: string }) {
    const { t, time } = useI18n();
    const { data: run } = useQuery(runQuery(model.source_run_id ?? ""));
    return (
        <Card>
            <Facts
                items={[
                    [t("logged_model.type"), model.model_type],
                    [t("logged_model.source_run"), model.source_run_id && (
                        <Link key="run" to="/projects/$project/runs/$run" params={{ project, run: model.source_run_id }} search={{}}>
                            {run?.name ?? model.source_run_id}
                        </Link>
                    )],
                    [t("field.created"), t("field.by", { time: time(model.created_at), name: model.created_by })],
                    [t("field.updated"), time(model.updated_at)],
                    [t("logged_model.id"), <span key="id" className="mono">{`m-${model.id.replaceAll("-", "")}`}</span>],
                    [t("field.state"), model.status_message],
                ]}
            />
        </Card>
    );
}

function Overview({ model, project, may }: { model: LoggedModel; project: string; may: boolean }) {
    const { t } = useI18n();
    const tag = useTagLoggedModel(model.id);
    const params = useMemo(() => Object.entries(model.params).sort(([a], [b]) => a.localeCompare(b)), [model.params]);
    return (
        <div className="stack">
            <Card title={t("run.tags")}>
                <Tags tags={model.tags} busy={tag.isPending} {...(may ? { onSet: (key: string, value: string) => tag.mutate({ [key]: value }), onRemove: (key: string) => tag.mutate({ [key]: null }) } : {})} />
            </Card>
            <div className="grid-2">
                <KeyValues title={t("run.params")} search={t("run.params.search")} rows={params} />
                <Versions model={model} project={project} />
            </div>
            <Measures model={model} project={project} />
        </div>
    );
}

function Versions({ model, project }: { model: LoggedModel; project: string }) {
    const { t, ago } = useI18n();
    const query = useQuery(versionsOfLoggedModelQuery(project, model.id));
    return (
        <Card title={t("logged_model.versions")} flush>
            <Answer query={query} lines={2}>
                {({ items }) => (
                    <ul className={css.list}>
                        {items.length === 0 && <li className={css.linked}>{t("logged_model.versions.none")}</li>}
                        {items.map((version) => (
                            <li key={version.id}>
                                <Link to="/projects/$project/models/$model/versions/$version" params={{ project, model: version.model_id, version: version.id }} search={{}}>
                                    <strong className="truncate grow">{t("version.of", { name: version.model_name, n: version.version })}</strong>
                                    {version.aliases.map((alias) => (
                                        <Badge key={alias}>@{alias}</Badge>
                                    ))}
                                    <span className="faint">{ago(version.created_at)}</span>
                                </Link>
                            </li>
                        ))}
                    </ul>
                )}
            </Answer>
        </Card>
    );
}
