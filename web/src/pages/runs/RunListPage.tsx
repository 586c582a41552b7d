/* The runs of the project or of one experiment. Filter, order, columns and grouping live in the URL: what one sees can be sent on. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Code, Columns3, Download, Play } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { experimentsQuery } from "../../api/experiments";
import { useMay } from "../../api/permissions";
import { useProjectLive } from "../../api/projects";
import { runExportUrl, runFieldsQuery, runsQuery, type RunFilter } from "../../api/runs";
import type { Experiment, Run, RunField } from "../../api/types";
import { Button, ButtonLink } from "../../components/Button";
import { Toolbar } from "../../components/DataTable";
import { BareSelect } from "../../components/Field";
import { FilterBox } from "../../components/FilterBox";
import { Menu, MenuItem } from "../../components/Menu";
import { Answer, FreshDot } from "../../components/Status";
import { Page } from "../../components/Surface";
import { ViewOnly } from "../../components/ViewOnly";
import { useI18n } from "../../i18n/i18n";
import { downloadUrl } from "../../lib/downloadUrl";
import { parseFieldName } from "../../lib/fieldName";
import { filterErrorOf } from "../../lib/filterError";
import { searchOf } from "../../lib/filterText";
import { columnsText, shownColumns } from "../../lib/runColumnIds";
import { useParam, useSearchState, type Search, type SetSearch } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import { ColumnsDialog } from "./ColumnsDialog";
import { FilterHelp } from "./FilterHelp";
import { LogFromCodeDialog } from "./LogFromCode";
import { metricKeysOf } from "./runColumns";
import { GroupSelect, RunGroups } from "./RunGroups";
import { RunRows } from "./RunRows";
import { SiblingTabs } from "./SiblingTabs";

/* Runs of clients open without a word to the stream. A page of the list more takes a request more. */
const POLL_MS = 5000;
const STATES = ["queued", "running", "lost_contact", "succeeded", "failed", "cancelled"] as const;

function runFilter(search: Search): RunFilter {
    const sort = search.sort;
    return {
        ...searchOf(search.filter ?? ""),
        ...(search.experiment ? { experiment: search.experiment } : {}),
        ...(search.state ? { state: search.state } : {}),
        ...(sort ? { order_by: sort.startsWith("-") ? `${sort.slice(1)} DESC` : `${sort} ASC` } : {}),
        ...(search.show === "archived" ? { lifecycle: "archived" } : {}),
    };
}

/* Columns of a metric's least or greatest value: the server looks for those only when asked. */
function hasRanges(search: Search): boolean {
    return (search.cols ?? "").split(",").some((id) => parseFieldName(decodeURIComponent(id)).part !== "last");
}

export default function RunListPage() {
    const { t } = useI18n();
    const project = useParam("project");
    const [search, setSearch] = useSearchState();
    const [selected, setSelected] = useState<Set<string>>(new Set());
    const [dialog, setDialog] = useState<"code" | "help" | "columns" | null>(null);
    /* It outlives the filter, so that one can select here and there; what is archived is another list. */
    useEffect(() => setSelected(new Set()), [search.show]);
    const { data: experiments } = useQuery(experimentsQuery(project, search.show === "archived" ? "all" : "active"));
    const experiment = experiments?.items.find((item) => item.id === search.experiment);
    const { may, refusal } = useMay(project, "run.write");
    const filter = useMemo(() => runFilter(search), [search]);
    const ranges = hasRanges(search);
    const query = useInfiniteQuery({
        ...runsQuery(project, ranges ? { ...filter, ranges } : filter),
        retry: false,
        refetchInterval: ({ state }) => (state.status === "error" ? false : POLL_MS * (state.data?.pages.length ?? 1)),
    });
    const { rows, onEnd } = useRows<Run>(query);
    const { data: known } = useQuery(runFieldsQuery(project, search.experiment));
    const { freshness } = useProjectLive(project);
    const error = filterErrorOf(query.error, search.filter ?? "");
    const fields = useMemo(() => (known?.items ?? []).map((field) => (field.name === "state" ? { ...field, values: STATES } : field)), [known]);
    const keys = useMemo(() => metricKeysOf(rows), [rows]);
    const shown = useMemo(() => shownColumns(search.cols, keys).filter((id) => id !== "experiment" || !search.experiment), [search.cols, search.experiment, keys]);
    const actions = (
        <>
            <Button icon={Code} onClick={() => setDialog("code")}>
                {t("log_code.open")}
            </Button>
            {may && (
                <ButtonLink variant="primary" icon={Play} to="/projects/$project/train" params={{ project }} search={{}}>
                    {t("train.new")}
                </ButtonLink>
            )}
        </>
    );
    return (
        <Page
            title={experiment?.name ?? t("nav.runs")}
            lead={experiment ? experiment.description.split("\n")[0] : t("runs.lead")}
            badge={
                <>
                    <ViewOnly refusal={refusal} />
                    <FreshDot freshness={freshness} />
                </>
            }
            actions={actions}
            {...(search.experiment ? { crumbs: [{ label: t("nav.experiments"), to: `/projects/${project}/experiments` }, { label: t("nav.runs"), to: `/projects/${project}/runs` }] } : {})}
        >
            <SiblingTabs project={project} experiment={search.experiment} here="runs" />
            <Toolbar>
                <FilterBox label={t("runs.filter")} placeholder={t("runs.filter.placeholder")} value={search.filter ?? ""} onFilter={(text) => setSearch({ filter: text })} fields={fields} error={error} onHelp={() => setDialog("help")} />
            </Toolbar>
            <Toolbar>
                <Selects search={search} setSearch={setSearch} experiments={experiments?.items ?? []} fields={fields} />
                <span className="grow" />
                <Button icon={Columns3} onClick={() => setDialog("columns")}>
                    {t("list.columns")}
                </Button>
                <Menu align="end" trigger={<Button icon={Download}>{t("runs.export")}</Button>}>
                    <MenuItem onSelect={() => downloadUrl(runExportUrl(project, { ...filter, ranges }, "csv"))}>{t("runs.export.csv")}</MenuItem>
                    <MenuItem onSelect={() => downloadUrl(runExportUrl(project, { ...filter, ranges }, "jsonl"))}>{t("runs.export.jsonl")}</MenuItem>
                </Menu>
            </Toolbar>
            {search.group && !error && (
                <div style={{ marginBottom: "var(--s3)" }}>
                    <RunGroups project={project} filter={filter} by={search.group} metrics={shown.map(parseFieldName).filter(({ group }) => group === "metrics")} />
                </div>
            )}
            {!error && (
                <Answer query={query}>
                    {() => <RunRows rows={rows} shown={shown} search={search} setSearch={setSearch} selected={selected} onSelect={setSelected} onEnd={onEnd} experiment={experiment} may={may} />}
                </Answer>
            )}
            <LogFromCodeDialog open={dialog === "code"} onClose={() => setDialog(null)} experiment={experiment} />
            <FilterHelp
                open={dialog === "help"}
                onClose={() => setDialog(null)}
                onTry={(text) => {
                    setDialog(null);
                    setSearch({ filter: text });
                }}
            />
            {dialog === "columns" && <ColumnsDialog fields={fields} shown={shown} onChange={(columns) => setSearch({ cols: columns && columnsText(columns) })} onClose={() => setDialog(null)} />}
        </Page>
    );
}

interface SelectsProps {
    search: Search;
    setSearch: SetSearch;
    experiments: Experiment[];
    fields: readonly RunField[];
}

function Selects({ search, setSearch, experiments, fields }: SelectsProps) {
    const { t } = useI18n();
    return (
        <>
            <BareSelect label={t("field.state")} value={search.state ?? ""} onChange={(event) => setSearch({ state: event.target.value })}>
                <option value="">{t("filter.all_states")}</option>
                {STATES.map((state) => (
                    <option key={state} value={state}>
                        {t(`state.${state}`)}
                    </option>
                ))}
            </BareSelect>
            <BareSelect label={t("field.experiment")} value={search.experiment ?? ""} onChange={(event) => setSearch({ experiment: event.target.value })}>
                <option value="">{t("filter.all_experiments")}</option>
                {experiments.map((item) => (
                    <option key={item.id} value={item.id}>
                        {item.folder === "" ? item.name : `${item.folder}/${item.name}`}
                    </option>
                ))}
            </BareSelect>
            <BareSelect label={t("lifecycle.show")} value={search.show ?? ""} onChange={(event) => setSearch({ show: event.target.value })}>
                <option value="">{t("lifecycle.active")}</option>
                <option value="archived">{t("lifecycle.archived")}</option>
            </BareSelect>
            <GroupSelect value={search.group ?? ""} fields={fields} onChange={(group) => setSearch({ group })} />
        </>
    );
}
