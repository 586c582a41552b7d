/* The runs of the project or of one experiment. Filter, order, columns and grouping live in the URL: what one sees can be sent on. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ChartSpline, Code, Columns3, Download, Play } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useLive } from "../../api/events";
import { experimentsQuery } from "../../api/experiments";
import { runExportUrl, runFieldsQuery, runsQuery, type RunFilter } from "../../api/runs";
import type { Experiment, Run, RunField } from "../../api/types";
import { Button, ButtonLink } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { BareSelect } from "../../components/Field";
import { FilterBox } from "../../components/FilterBox";
import { downloadRows } from "../../components/ListTools";
import { Menu, MenuItem } from "../../components/Menu";
import { Answer, EmptyState, FreshDot } from "../../components/Status";
import { Card, Page } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { downloadUrl } from "../../lib/downloadUrl";
import { parseFieldName } from "../../lib/fieldName";
import { filterErrorOf } from "../../lib/filterError";
import { searchOf } from "../../lib/filterText";
import { isActive } from "../../lib/isActive";
import { nestRows } from "../../lib/nestRows";
import { columnsText, shownColumns } from "../../lib/runColumnIds";
import { useParam, useSearchState, type Search, type SetSearch } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import { BulkActions } from "./BulkActions";
import { ColumnsDialog } from "./ColumnsDialog";
import { FilterHelp } from "./FilterHelp";
import { LogFromCode, LogFromCodeDialog } from "./LogFromCode";
import { metricKeysOf, runColumns } from "./runColumns";
import { GroupSelect, RunGroups } from "./RunGroups";

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
    const filter = useMemo(() => runFilter(search), [search]);
    const query = useInfiniteQuery({
        ...runsQuery(project, filter),
        retry: false,
        refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some((run) => isActive(run.state))) ? POLL_MS : false),
    });
    const { rows, onEnd } = useRows<Run>(query);
    const { data: known } = useQuery(runFieldsQuery(project, search.experiment));
    const { freshness } = useLive(rows[0] ? [`project:${rows[0].project_id}`] : [], rows.length > 0);
    const error = filterErrorOf(query.error, search.filter ?? "");
    const fields = useMemo(() => (known?.items ?? []).map((field) => (field.name === "state" ? { ...field, values: STATES } : field)), [known]);
    const keys = useMemo(() => metricKeysOf(rows), [rows]);
    const shown = useMemo(() => shownColumns(search.cols, keys).filter((id) => id !== "experiment" || !search.experiment), [search.cols, search.experiment, keys]);
    const actions = (
        <>
            <Button icon={Code} onClick={() => setDialog("code")}>
                {t("log_code.open")}
            </Button>
            <ButtonLink variant="primary" icon={Play} to="/projects/$project/train" params={{ project }} search={{}}>
                {t("train.new")}
            </ButtonLink>
        </>
    );
    return (
        <Page
            title={experiment?.name ?? t("nav.runs")}
            lead={experiment ? experiment.description.split("\n")[0] : t("runs.lead")}
            badge={<FreshDot freshness={freshness} />}
            actions={actions}
            {...(search.experiment ? { crumbs: [{ label: t("nav.experiments"), to: `/projects/${project}/experiments` }, { label: t("nav.runs"), to: `/projects/${project}/runs` }] } : {})}
        >
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
                    <MenuItem onSelect={() => downloadUrl(runExportUrl(project, filter, "csv"))}>{t("runs.export.csv")}</MenuItem>
                    <MenuItem onSelect={() => downloadUrl(runExportUrl(project, filter, "jsonl"))}>{t("runs.export.jsonl")}</MenuItem>
                </Menu>
            </Toolbar>
            {search.group && !error && (
                <div style={{ marginBottom: "var(--s3)" }}>
                    <RunGroups project={project} filter={filter} by={search.group} metrics={shown.map(parseFieldName).filter(({ group }) => group === "metrics").map(({ key }) => key)} />
                </div>
            )}
            {!error && (
                <Answer query={query}>
                    {() => <Rows rows={rows} shown={shown} search={search} setSearch={setSearch} selected={selected} onSelect={setSelected} onEnd={onEnd} experiment={experiment} />}
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

interface RowsProps {
    rows: Run[];
    shown: string[];
    search: Search;
    setSearch: SetSearch;
    selected: Set<string>;
    onSelect: (selected: Set<string>) => void;
    onEnd: () => void;
    experiment: Experiment | undefined;
}

function Rows({ rows, shown, search, setSearch, selected, onSelect, onEnd, experiment }: RowsProps) {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
    const nested = useMemo(() => nestRows(rows, closed), [rows, closed]);
    const columns = useMemo(() => {
        const onToggle = (id: string) => setClosed((old) => new Set(old.has(id) ? [...old].filter((other) => other !== id) : [...old, id]));
        return runColumns(i18n, shown, { closed, onToggle });
    }, [i18n, shown, closed]);
    const filtered = Boolean(search.filter || search.state || search.show);
    if (rows.length === 0 && filtered) {
        return (
            <EmptyState icon={ChartSpline} title={t("list.none.title")} body={t("list.none.body")}>
                <Button onClick={() => setSearch({ filter: null, state: null, show: null })}>{t("list.clear")}</Button>
            </EmptyState>
        );
    }
    if (rows.length === 0) {
        return (
            <div className="stack">
                <EmptyState icon={ChartSpline} title={t("runs.empty.title")} body={t("runs.empty.body")} />
                <Card title={t("log_code.title")}>
                    <LogFromCode experiment={experiment} />
                </Card>
            </div>
        );
    }
    return (
        <DataTable
            label={t("nav.runs")}
            rows={nested}
            columns={columns}
            rowKey={({ row }) => row.id}
            onEnd={onEnd}
            sort={search.sort ?? "-created_at"}
            onSort={(sort) => setSearch({ sort })}
            selected={selected}
            onSelect={onSelect}
            expanded={({ row, children }) => (children > 0 ? !closed.has(row.id) : undefined)}
            onOpen={({ row }) => void navigate({ to: "/projects/$project/runs/$run", params: { project, run: row.id }, search: {} })}
            bulk={
                <BulkActions
                    project={project}
                    ids={[...selected]}
                    archived={search.show === "archived"}
                    onCsv={() => downloadRows("runs", columns, nested.filter(({ row }) => selected.has(row.id)))}
                    onDone={() => onSelect(new Set())}
                />
            }
        />
    );
}
