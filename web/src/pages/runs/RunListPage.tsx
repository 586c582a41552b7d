/* All runs of the project; filter, order and columns live in the URL. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Download, FlaskConical, Play } from "lucide-react";
import { useMemo, useState } from "react";
import { useLive } from "../../api/events";
import { experimentsQuery, runsQuery, type RunFilter } from "../../api/runs";
import type { Run } from "../../api/types";
import { Button, ButtonLink } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { BareSelect, SearchBox } from "../../components/Field";
import { downloadRows, ListTools, visibleColumns } from "../../components/ListTools";
import { MenuLabel, MenuLine, MenuToggle } from "../../components/Menu";
import { Answer, EmptyState, FreshDot } from "../../components/Status";
import { Page } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { isActive } from "../../lib/isActive";
import { useParam, useSearchState, type Search } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import { metricColumns, metricKeysOf, runColumns } from "./runColumns";

const POLL_MS = 5000;
const STATES = ["queued", "running", "lost_contact", "succeeded", "failed", "cancelled"] as const;

function filterOf(search: Search): RunFilter {
    const filter: RunFilter = { sort: search.sort || "-created_at" };
    for (const key of ["experiment", "state", "q"] as const) if (search[key]) filter[key] = search[key];
    return filter;
}

export default function RunListPage() {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const [search, setSearch] = useSearchState();
    const [selected, setSelected] = useState<Set<string>>(new Set());
    const filter = filterOf(search);
    const query = useInfiniteQuery({
        ...runsQuery(project, filter),
        refetchInterval: ({ state }) => (state.data?.pages.some((page) => page.items.some((run) => isActive(run.state))) ? POLL_MS : false),
    });
    const { rows, onEnd } = useRows<Run>(query);
    const { freshness } = useLive(rows[0] ? [`project:${rows[0].project_id}`] : [], rows.length > 0);
    const keys = useMemo(() => metricKeysOf(rows), [rows]);
    const shown = metricColumns(search.metrics, keys);
    const columns = useMemo(() => runColumns(i18n, shown), [i18n, shown.join()]);
    const train = (
        <ButtonLink variant="primary" icon={Play} to="/projects/$project/train" params={{ project }} search={{}}>
            {t("train.new")}
        </ButtonLink>
    );
    const toggleMetric = (key: string) => {
        const next = shown.includes(key) ? shown.filter((other) => other !== key) : [...shown, key];
        setSearch({ metrics: next.length === 0 ? "none" : next.join(",") });
    };
    const filtered = Boolean(search.q || search.state || search.experiment);
    return (
        <Page title={t("nav.runs")} lead={t("runs.lead")} badge={<FreshDot freshness={freshness} />} actions={train}>
            <Toolbar>
                <SearchBox label={t("runs.search")} value={search.q ?? ""} onSearch={(q) => setSearch({ q })} />
                <Filters search={search} project={project} onChange={setSearch} />
                <ListTools name="runs" columns={columns} rows={rows} hide={search.hide} onHide={(hide) => setSearch({ hide })}>
                    <MenuLine />
                    <MenuLabel>{t("runs.metric_columns")}</MenuLabel>
                    {keys.map((key) => (
                        <MenuToggle key={key} checked={shown.includes(key)} onToggle={() => toggleMetric(key)}>
                            {key}
                        </MenuToggle>
                    ))}
                </ListTools>
            </Toolbar>
            <Answer query={query}>
                {() =>
                    rows.length === 0 ? (
                        <EmptyState icon={FlaskConical} title={t(filtered ? "list.none.title" : "runs.empty.title")} body={t(filtered ? "list.none.body" : "runs.empty.body")}>
                            {filtered ? <Button onClick={() => setSearch({ q: null, state: null, experiment: null })}>{t("list.clear")}</Button> : train}
                        </EmptyState>
                    ) : (
                        <DataTable
                            label={t("nav.runs")}
                            rows={rows}
                            columns={visibleColumns(columns, search.hide)}
                            rowKey={(row) => row.id}
                            onEnd={onEnd}
                            sort={filter.sort ?? ""}
                            onSort={(sort) => setSearch({ sort })}
                            selected={selected}
                            onSelect={setSelected}
                            onOpen={(row) => void navigate({ to: "/projects/$project/runs/$run", params: { project, run: row.id }, search: {} })}
                            bulk={
                                <>
                                    <Button small icon={Download} onClick={() => downloadRows("runs", columns, rows.filter((row) => selected.has(row.id)))}>
                                        {t("list.csv")}
                                    </Button>
                                    <Button small onClick={() => setSelected(new Set())}>
                                        {t("list.unselect")}
                                    </Button>
                                </>
                            }
                        />
                    )
                }
            </Answer>
        </Page>
    );
}

function Filters({ search, project, onChange }: { search: Search; project: string; onChange: (patch: Search) => void }) {
    const { t } = useI18n();
    const { data: experiments } = useQuery(experimentsQuery(project));
    return (
        <>
            <BareSelect label={t("field.state")} value={search.state ?? ""} onChange={(event) => onChange({ state: event.target.value })}>
                <option value="">{t("filter.all_states")}</option>
                {STATES.map((state) => (
                    <option key={state} value={state}>
                        {t(`state.${state}`)}
                    </option>
                ))}
            </BareSelect>
            <BareSelect label={t("field.experiment")} value={search.experiment ?? ""} onChange={(event) => onChange({ experiment: event.target.value })}>
                <option value="">{t("filter.all_experiments")}</option>
                {experiments?.items.map((experiment) => (
                    <option key={experiment.id} value={experiment.id}>
                        {experiment.name}
                    </option>
                ))}
            </BareSelect>
        </>
    );
}
