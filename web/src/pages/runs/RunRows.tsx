/* The rows of the run list: children under their parents, what can be done to those selected, and what to do when there are none. */
import { useNavigate } from "@tanstack/react-router";
import { ChartSpline } from "lucide-react";
import { useMemo, useState } from "react";
import type { Experiment, Run } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable } from "../../components/DataTable";
import { downloadRows } from "../../components/ListTools";
import { EmptyState } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { nestRows } from "../../lib/nestRows";
import { useParam, type Search, type SetSearch } from "../../lib/urlState";
import { BulkActions } from "./BulkActions";
import { LogFromCode } from "./LogFromCode";
import { runColumns } from "./runColumns";

interface RunRowsProps {
    rows: Run[];
    shown: string[];
    search: Search;
    setSearch: SetSearch;
    selected: Set<string>;
    onSelect: (selected: Set<string>) => void;
    onEnd: () => void;
    experiment: Experiment | undefined;
    /** Change what is selected. */
    may: boolean;
}

export function RunRows({ rows, shown, search, setSearch, selected, onSelect, onEnd, experiment, may }: RunRowsProps) {
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
                    may={may}
                    onCsv={() => downloadRows("runs", columns, nested.filter(({ row }) => selected.has(row.id)))}
                    onDone={() => onSelect(new Set())}
                />
            }
        />
    );
}
