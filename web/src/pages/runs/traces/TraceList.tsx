/* Traces of the project, of an experiment or of a run. Filter, order and columns live in the URL. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ListTree, Trash2 } from "lucide-react";
import { useMemo, useState, type ReactNode } from "react";
import { useMay } from "../../../api/permissions";
import { tracesQuery, useDeleteTraces, type TraceFilter } from "../../../api/traces";
import type { Trace } from "../../../api/types";
import { Button } from "../../../components/Button";
import { DataTable, Toolbar } from "../../../components/DataTable";
import { ConfirmDialog } from "../../../components/Dialog";
import { FilterBox } from "../../../components/FilterBox";
import { ListTools, visibleColumns } from "../../../components/ListTools";
import { Answer, EmptyState } from "../../../components/Status";
import { useI18n, type Key } from "../../../i18n/i18n";
import { fieldName } from "../../../lib/fieldName";
import type { FilterField } from "../../../lib/filterComplete";
import { filterErrorOf } from "../../../lib/filterError";
import { useSearchState } from "../../../lib/urlState";
import { useRows } from "../../../lib/useRows";
import { wordsFilter } from "../../../lib/wordsFilter";
import { FilterHelp } from "../FilterHelp";
import { traceColumns } from "./traceColumns";

const POLL_MS = 10_000;
const WORDS_IN = ["name", "request"];
const FIELDS: FilterField[] = [
    { name: "state", type: "text", values: ["ok", "error", "in_progress"] },
    ...["name", "request", "response", "text", "trace_id", "client_request_id", "run_id", "prompt", "span.name", "span.type", "span.content"].map((name) => ({ name, type: "text" }) as const),
    { name: "span.status", type: "text", values: ["OK", "ERROR", "UNSET"] },
    { name: "requested_at", type: "time" },
    { name: "end_time", type: "time" },
    { name: "duration_ms", type: "number" },
];
const EXAMPLES: [string, Key][] = [
    ["refund", "trace_help.words"],
    ["state = 'error' AND duration_ms > 2000", "trace_help.slow"],
    ["span.type = 'RETRIEVER' AND span.name LIKE 'look%'", "trace_help.spans"],
    ["span.attributes.model = 'small'", "trace_help.attributes"],
    ["text LIKE '%timeout%'", "trace_help.text"],
    ["feedback.correct = 'false' OR feedback.correct IS NULL", "trace_help.feedback"],
    ["tags.stage IN ('live', 'canary') AND NOT metadata.\"mlflow.trace.user\" = 'ada'", "trace_help.tags"],
    ["requested_at > '2026-01-31'", "trace_help.time"],
];
const FACTS: Key[] = ["trace_help.fact.span", "trace_help.fact.missing"];

interface TraceListProps {
    project: string;
    scope: Pick<TraceFilter, "experiment" | "run">;
    /** What stands in place of a list that nothing is in. */
    empty: ReactNode;
    children?: ReactNode;
}

/* Beside what every trace has, whatever those on the page have. */
function fieldsOf(rows: Trace[]): FilterField[] {
    const keys = (of: (trace: Trace) => string[]) => [...new Set(rows.flatMap(of))].sort();
    const tags = keys((trace) => Object.keys(trace.tags)).map((key) => fieldName({ group: "tags", key, part: "last" }));
    const metadata = keys((trace) => Object.keys(trace.metadata)).map((key) => `metadata.${fieldName({ group: "tags", key, part: "last" }).slice("tags.".length)}`);
    return [...FIELDS, ...[...tags, ...metadata].map((name) => ({ name, type: "text" }) as const)];
}

export function TraceList({ project, scope, empty, children }: TraceListProps) {
    const i18n = useI18n();
    const { t } = i18n;
    const navigate = useNavigate();
    const [search, setSearch] = useSearchState();
    const { may } = useMay(project, "run.write");
    const [help, setHelp] = useState(false);
    const [selected, setSelected] = useState<Set<string>>(new Set());
    const { sort } = search;
    const typed = search.filter ?? "";
    const filter: TraceFilter = { ...scope, filter: wordsFilter(typed, WORDS_IN), ...(sort ? { order_by: sort.startsWith("-") ? `${sort.slice(1)} DESC` : `${sort} ASC` } : {}) };
    const query = useInfiniteQuery({
        ...tracesQuery(project, filter),
        retry: false,
        refetchInterval: ({ state }) => (state.data?.pages[0]?.items.some((trace) => trace.state === "in_progress") ? POLL_MS : false),
    });
    const { rows, onEnd } = useRows<Trace>(query);
    const error = filterErrorOf(query.error, typed);
    const fields = useMemo(() => fieldsOf(rows), [rows]);
    const all = useMemo(() => traceColumns(i18n), [i18n]);
    const columns = useMemo(() => visibleColumns(all, search.hide), [all, search.hide]);
    return (
        <>
            <Toolbar>
                <FilterBox label={t("traces.filter")} placeholder={t("traces.filter.placeholder")} value={typed} onFilter={(text) => setSearch({ filter: text })} fields={fields} error={error} onHelp={() => setHelp(true)} />
            </Toolbar>
            <Toolbar>
                {children}
                <ListTools name="traces" columns={all} rows={rows} hide={search.hide} onHide={(hide) => setSearch({ hide })} />
            </Toolbar>
            {!error && (
                <Answer query={query}>
                    {() => {
                        if (rows.length === 0 && typed === "") return empty;
                        if (rows.length === 0) {
                            return (
                                <EmptyState icon={ListTree} title={t("list.none.title")} body={t("list.none.body")}>
                                    <Button onClick={() => setSearch({ filter: null })}>{t("list.clear")}</Button>
                                </EmptyState>
                            );
                        }
                        return (
                            <DataTable
                                label={t("nav.traces")}
                                rows={rows}
                                columns={columns}
                                rowKey={(trace) => trace.trace_id}
                                onEnd={onEnd}
                                sort={sort ?? "-requested_at"}
                                onSort={(next) => setSearch({ sort: next })}
                                {...(may ? { selected, onSelect: setSelected } : {})}
                                onOpen={(trace) => void navigate({ to: "/projects/$project/traces/$trace", params: { project, trace: trace.id }, search: {} })}
                                bulk={<BulkDelete project={project} ids={[...selected]} onDone={() => setSelected(new Set())} />}
                            />
                        );
                    }}
                </Answer>
            )}
            <FilterHelp
                open={help}
                onClose={() => setHelp(false)}
                onTry={(text) => {
                    setHelp(false);
                    setSearch({ filter: text });
                }}
                examples={EXAMPLES}
                facts={FACTS}
            />
        </>
    );
}

function BulkDelete({ project, ids, onDone }: { project: string; ids: string[]; onDone: () => void }) {
    const { t, tn } = useI18n();
    const [asking, setAsking] = useState(false);
    const remove = useDeleteTraces(project);
    return (
        <>
            <Button small icon={Trash2} onClick={() => setAsking(true)}>
                {t("lifecycle.delete")}
            </Button>
            <Button small variant="ghost" onClick={onDone}>
                {t("list.unselect")}
            </Button>
            <ConfirmDialog
                open={asking}
                onClose={() => setAsking(false)}
                title={tn("traces.delete.title", ids.length)}
                body={t("traces.delete.body")}
                action={t("lifecycle.delete")}
                busy={remove.isPending}
                onConfirm={() =>
                    remove.mutate(ids, {
                        onSuccess: () => {
                            setAsking(false);
                            onDone();
                        },
                    })
                }
            />
        </>
    );
}
