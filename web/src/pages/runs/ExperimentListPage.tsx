/* The experiments of the project in their folders; archived ones in a view of their own, where they can come back or go for good. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Archive, Code, FlaskRound, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { experimentsQuery, useMoveExperiment, type LifecycleChange } from "../../api/experiments";
import { useMay } from "../../api/permissions";
import { useProjectLive } from "../../api/projects";
import type { Experiment } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { ConfirmDialog } from "../../components/Dialog";
import { BareSelect, SearchBox } from "../../components/Field";
import { Answer, EmptyState, FreshDot } from "../../components/Status";
import { Card, Page } from "../../components/Surface";
import { ViewOnly } from "../../components/ViewOnly";
import { TypedConfirmDialog } from "../../components/TypedConfirmDialog";
import { useI18n } from "../../i18n/i18n";
import { treeRows } from "../../lib/folderTree";
import { useParam, useSearchState } from "../../lib/urlState";
import { ExperimentDialog } from "./ExperimentDialog";
import { experimentColumns, rowId, type ExperimentAction } from "./experimentColumns";
import { FolderDialog } from "./FolderDialog";
import { LogFromCode, LogFromCodeDialog } from "./LogFromCode";

interface Asked {
    action: ExperimentAction | "new";
    experiment: Experiment | null;
}

function matches(experiment: Experiment, text: string): boolean {
    const haystack = [experiment.name, experiment.folder, experiment.description, ...Object.entries(experiment.tags).flat()];
    return haystack.some((part) => part.toLowerCase().includes(text));
}

export default function ExperimentListPage() {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const [search, setSearch] = useSearchState();
    const [asked, setAsked] = useState<Asked | null>(null);
    const [folder, setFolder] = useState<string | null>(null);
    const archived = search.show === "archived";
    const { may, refusal } = useMay(project, "run.write");
    const { freshness } = useProjectLive(project);
    const query = useQuery(experimentsQuery(project, archived ? "archived" : "active"));
    const all = useMemo(() => query.data?.items ?? [], [query.data]);
    const text = (search.q ?? "").toLowerCase();
    const found = useMemo(() => all.filter((item) => matches(item, text)), [all, text]);
    const closed = useMemo(() => new Set(text === "" ? (search.closed ?? "").split("|").filter(Boolean) : []), [search.closed, text]);
    const rows = useMemo(() => treeRows(found, closed), [found, closed]);
    const columns = useMemo(() => experimentColumns(i18n, may ? (action, experiment) => setAsked({ action, experiment }) : undefined, archived ? undefined : setFolder), [i18n, archived, may]);
    const folders = useMemo(() => [...new Set(all.map((item) => item.folder).filter(Boolean))].sort(), [all]);
    const toggle = (path: string) => setSearch({ closed: [...(closed.has(path) ? [...closed].filter((other) => other !== path) : [...closed, path])].join("|") });
    const create = may && (
        <Button variant="primary" icon={Plus} onClick={() => setAsked({ action: "new", experiment: null })}>
            {t("experiment.new")}
        </Button>
    );
    const actions = (
        <>
            <Button icon={Code} onClick={() => setSearch({ code: "1" })}>
                {t("log_code.open")}
            </Button>
            {create}
        </>
    );
    const open = (row: (typeof rows)[number]) => {
        if (row.kind === "folder") toggle(row.path);
        else void navigate({ to: "/projects/$project/runs", params: { project }, search: { experiment: row.item.id, ...(archived ? { show: "archived" } : {}) } });
    };
    return (
        <Page title={t("nav.experiments")} lead={t("experiments.lead")} badge={<><ViewOnly refusal={refusal} /><FreshDot freshness={freshness} /></>} actions={actions}>
            <Toolbar>
                <SearchBox label={t("experiments.search")} value={search.q ?? ""} onSearch={(q) => setSearch({ q })} />
                <BareSelect label={t("lifecycle.show")} value={archived ? "archived" : ""} onChange={(event) => setSearch({ show: event.target.value })}>
                    <option value="">{t("lifecycle.active")}</option>
                    <option value="archived">{t("lifecycle.archived")}</option>
                </BareSelect>
            </Toolbar>
            <Answer query={query}>
                {() => {
                    if (rows.length > 0) return <DataTable label={t("nav.experiments")} rows={rows} columns={columns} rowKey={rowId} onOpen={open} expanded={(row) => (row.kind === "folder" ? row.open : undefined)} />;
                    if (text !== "") {
                        return (
                            <EmptyState icon={FlaskRound} title={t("list.none.title")} body={t("list.none.body")}>
                                <Button onClick={() => setSearch({ q: null })}>{t("list.clear")}</Button>
                            </EmptyState>
                        );
                    }
                    if (archived) return <EmptyState icon={Archive} title={t("experiments.none_archived.title")} body={t("experiments.none_archived.body")} />;
                    return (
                        <div className="stack">
                            <EmptyState icon={FlaskRound} title={t("experiments.empty.title")} body={t("experiments.empty.body")}>
                                {create}
                            </EmptyState>
                            <Card title={t("log_code.title")}>
                                <LogFromCode experiment={undefined} />
                            </Card>
                        </div>
                    );
                }}
            </Answer>
            <LogFromCodeDialog open={search.code === "1"} onClose={() => setSearch({ code: null })} experiment={undefined} />
            {folder !== null && <FolderDialog project={project} folder={folder} onClose={() => setFolder(null)} />}
            {asked && <Asking asked={asked} project={project} folders={folders} onClose={() => setAsked(null)} />}
        </Page>
    );
}

function Asking({ asked, project, folders, onClose }: { asked: Asked; project: string; folders: string[]; onClose: () => void }) {
    const { t, tn } = useI18n();
    const move = useMoveExperiment(project);
    const { action, experiment } = asked;
    if (action === "new" || action === "edit" || !experiment) return <ExperimentDialog project={project} experiment={experiment} folders={folders} onClose={onClose} />;
    const confirm = (change: LifecycleChange) => () => move.mutate({ id: experiment.id, change }, { onSuccess: onClose });
    const props = { open: true, onClose, busy: move.isPending, title: t(`experiment.${action}.title`, { name: experiment.name }), action: t(`lifecycle.${action}`) };
    if (action === "delete") return <TypedConfirmDialog {...props} name={experiment.name} body={t("experiment.delete.body")} onConfirm={confirm(action)} />;
    return <ConfirmDialog {...props} body={action === "archive" ? tn("experiment.archive.body", experiment.runs) : t("experiment.restore.body")} onConfirm={confirm(action)} />;
}
