/* What the runs of the project or of one experiment saved as models. Filter, order and columns live in the URL. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Package } from "lucide-react";
import { useMemo, useState } from "react";
import { experimentsQuery } from "../../../api/experiments";
import { loggedModelsQuery, type LoggedModelFilter } from "../../../api/loggedModels";
import type { LoggedModel } from "../../../api/types";
import { Button } from "../../../components/Button";
import { DataTable, Toolbar } from "../../../components/DataTable";
import { BareSelect } from "../../../components/Field";
import { FilterBox } from "../../../components/FilterBox";
import { ListTools, visibleColumns } from "../../../components/ListTools";
import { Answer, EmptyState } from "../../../components/Status";
import { Page } from "../../../components/Surface";
import { useI18n, type Key } from "../../../i18n/i18n";
import { fieldName, type FieldGroup } from "../../../lib/fieldName";
import type { FilterField } from "../../../lib/filterComplete";
import { filterErrorOf } from "../../../lib/filterError";
import { useParam, useSearchState, type Search } from "../../../lib/urlState";
import { useRows } from "../../../lib/useRows";
import { wordsFilter } from "../../../lib/wordsFilter";
import { FilterHelp } from "../FilterHelp";
import { SiblingTabs } from "../SiblingTabs";
import { loggedModelColumns } from "./loggedModelColumns";

const WORDS_IN = ["name", "model_type"];
const FIELDS: FilterField[] = [
    { name: "name", type: "text" },
    { name: "model_type", type: "text" },
    { name: "status", type: "text", values: ["pending", "ready", "failed"] },
    { name: "source_run_id", type: "id" },
    { name: "created_at", type: "time" },
    { name: "updated_at", type: "time" },
];
const EXAMPLES: [string, Key][] = [
    ["forest", "logged_model_help.words"],
    ["metrics.loss < 0.1 AND params.depth = '3'", "logged_model_help.metric"],
    ["status = 'ready' AND model_type LIKE 'agent%'", "logged_model_help.type"],
    ["source_run_id = '0192f3a0-0000-7000-8000-000000000230'", "logged_model_help.run"],
    ["tags.\"reviewed by\" IS NOT NULL", "logged_model_help.tags"],
];

function modelFilter(search: Search): LoggedModelFilter {
    const { sort } = search;
    return {
        filter: wordsFilter(search.filter ?? "", WORDS_IN),
        ...(search.experiment ? { experiment: search.experiment } : {}),
        ...(sort ? { order_by: sort.startsWith("-") ? `${sort.slice(1)} DESC` : `${sort} ASC` } : {}),
    };
}

/* Beside what every model has, whatever those on the page have. */
function fieldsOf(rows: LoggedModel[]): FilterField[] {
    const named = (group: FieldGroup, keys: string[], type: FilterField["type"]) => [...new Set(keys)].sort().map((key) => ({ name: fieldName({ group, key, part: "last" }), type }));
    return [
        ...FIELDS,
        ...named("metrics", rows.flatMap((model) => model.metrics.map(({ key }) => key)), "number"),
        ...named("params", rows.flatMap((model) => Object.keys(model.params)), "text"),
        ...named("tags", rows.flatMap((model) => Object.keys(model.tags)), "text"),
    ];
}

export default function LoggedModelListPage() {
    const i18n = useI18n();
    const { t } = i18n;
    const project = useParam("project");
    const navigate = useNavigate();
    const [search, setSearch] = useSearchState();
    const [help, setHelp] = useState(false);
    const { data: experiments } = useQuery(experimentsQuery(project));
    const experiment = experiments?.items.find((item) => item.id === search.experiment);
    const query = useInfiniteQuery({ ...loggedModelsQuery(project, modelFilter(search)), retry: false });
    const { rows, onEnd } = useRows<LoggedModel>(query);
    const error = filterErrorOf(query.error, search.filter ?? "");
    const fields = useMemo(() => fieldsOf(rows), [rows]);
    const all = useMemo(() => loggedModelColumns(i18n, project, rows), [i18n, project, rows]);
    const columns = useMemo(() => visibleColumns(all, search.hide), [all, search.hide]);
    const table = () => {
        if (rows.length > 0) {
            return (
                <DataTable
                    label={t("nav.logged_models")}
                    rows={rows}
                    columns={columns}
                    rowKey={(model) => model.id}
                    onEnd={onEnd}
                    sort={search.sort ?? "-created_at"}
                    onSort={(sort) => setSearch({ sort })}
                    onOpen={(model) => void navigate({ to: "/projects/$project/logged-models/$model", params: { project, model: model.id }, search: {} })}
                />
            );
        }
        if (!search.filter) return <EmptyState icon={Package} title={t("logged_models.empty.title")} body={t("logged_models.empty.body")} />;
        return (
            <EmptyState icon={Package} title={t("list.none.title")} body={t("list.none.body")}>
                <Button onClick={() => setSearch({ filter: null })}>{t("list.clear")}</Button>
            </EmptyState>
        );
    };
    return (
        <Page
            title={experiment?.name ?? t("nav.logged_models")}
            lead={t("logged_models.lead")}
            {...(search.experiment ? { crumbs: [{ label: t("nav.experiments"), to: `/projects/${project}/experiments` }, { label: t("nav.logged_models"), to: `/projects/${project}/logged-models` }] } : {})}
        >
            <SiblingTabs project={project} experiment={search.experiment} here="logged-models" />
            <Toolbar>
                <FilterBox label={t("logged_models.filter")} placeholder={t("logged_models.filter.placeholder")} value={search.filter ?? ""} onFilter={(text) => setSearch({ filter: text })} fields={fields} error={error} onHelp={() => setHelp(true)} />
            </Toolbar>
            <Toolbar>
                <BareSelect label={t("field.experiment")} value={search.experiment ?? ""} onChange={(event) => setSearch({ experiment: event.target.value })}>
                    <option value="">{t("filter.all_experiments")}</option>
                    {experiments?.items.map((item) => (
                        <option key={item.id} value={item.id}>
                            {item.folder === "" ? item.name : `${item.folder}/${item.name}`}
                        </option>
                    ))}
                </BareSelect>
                <ListTools name="logged-models" columns={all} rows={rows} hide={search.hide} onHide={(hide) => setSearch({ hide })} />
            </Toolbar>
            {!error && <Answer query={query}>{table}</Answer>}
            <FilterHelp
                open={help}
                onClose={() => setHelp(false)}
                onTry={(text) => {
                    setHelp(false);
                    setSearch({ filter: text });
                }}
                examples={EXAMPLES}
                facts={["filter_help.fact.missing", "filter_help.fact.case"]}
            />
        </Page>
    );
}
