/*
 * Metrics of a run as panels. The window is in the URL and shared by all panels; the server answers with
 * buckets of that window, so zooming in shows more, not the same points stretched. A run may have a hundred
 * thousand metrics: a search narrows them, and only the panels in and around the window are asked for and drawn.
 */
import { useQuery } from "@tanstack/react-query";
import { ChartSpline, ZoomOut } from "lucide-react";
import { useMemo, useRef, useState, useSyncExternalStore } from "react";
import { metricsQuery } from "../../api/runs";
import type { Run } from "../../api/types";
import { MetricChart, type ChartView } from "../../charts/MetricChart";
import { chartSeries, panelsOf, type Panel } from "../../charts/series";
import { Button } from "../../components/Button";
import { Toolbar } from "../../components/DataTable";
import { Checkbox, SearchBox } from "../../components/Field";
import { Answer, EmptyState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { isActive } from "../../lib/isActive";
import { getTheme, subscribeTheme } from "../../lib/theme";
import { useSearchState } from "../../lib/urlState";
import { useNear } from "../../lib/useNear";
import css from "./ChartsTab.module.css";

const BUCKETS = 600;
/* Asked for together; whole rows of one, two, three or four. */
const GROUP = 12;
const PANELS = 8 * GROUP;
const MORE_PANELS = 32 * GROUP;
/* Of a panel that was never drawn. */
const PANEL_PX = 300;
const SEARCHABLE = 6;
const MOST_SMOOTHING = 0.98;

interface ChartsTabProps {
    run: Run;
    /** Of these metrics. */
    keys: string[];
    pollMs: number | false;
}

export function ChartsTab({ run, keys: all, pollMs }: ChartsTabProps) {
    const { t, count } = useI18n();
    const theme = useSyncExternalStore(subscribeTheme, getTheme);
    const [search, setSearch] = useSearchState();
    const [shown, setShown] = useState(PANELS);
    const keyText = [...all].sort().join("\n");
    const panels = useMemo(() => panelsOf(keyText === "" ? [] : keyText.split("\n")), [keyText]);
    const needle = (search.metric ?? "").toLowerCase();
    const found = useMemo(() => panels.filter((panel) => [panel.name, ...panel.keys].some((name) => name.toLowerCase().includes(needle))), [panels, needle]);
    const groups = useMemo(() => groupsOf(found.slice(0, shown)), [found, shown]);
    const window = search.from && search.to ? { from: Number(search.from), to: Number(search.to) } : null;
    const smoothing = Number(search.smooth ?? 0);
    if (all.length === 0) {
        return (
            <EmptyState
                icon={ChartSpline}
                title={t(isActive(run.state) ? "run.no_metrics.waiting" : "run.no_metrics.title")}
                body={t(isActive(run.state) ? "run.no_metrics.waiting.body" : "run.no_metrics.body")}
            />
        );
    }
    return (
        <>
            <Toolbar>
                {panels.length > SEARCHABLE && <SearchBox label={t("run.metrics.search")} value={search.metric ?? ""} onSearch={(metric) => setSearch({ metric })} />}
                <label className={css.smooth}>
                    {t("chart.smoothing")}
                    <input
                        type="range"
                        min={0}
                        max={MOST_SMOOTHING}
                        step={0.02}
                        value={smoothing}
                        onChange={(event) => setSearch({ smooth: event.target.value === "0" ? null : event.target.value })}
                    />
                </label>
                <Checkbox label={t("chart.log")} checked={search.log_scale === "1"} onChange={(event) => setSearch({ log_scale: event.target.checked ? "1" : null })} />
                <span className="grow" />
                {window ? (
                    <Button icon={ZoomOut} small onClick={() => setSearch({ from: null, to: null })}>
                        {t("chart.reset", { from: window.from, to: window.to })}
                    </Button>
                ) : (
                    <span className="faint small">{t("chart.hint")}</span>
                )}
            </Toolbar>
            {groups.map((group, index) => (
                <PanelGroup
                    key={group[0]!.name}
                    run={run.id}
                    panels={group}
                    first={index === 0}
                    pollMs={pollMs}
                    smoothing={smoothing}
                    logScale={search.log_scale === "1"}
                    window={window}
                    onWindow={(next) => setSearch({ from: next?.from, to: next?.to })}
                    theme={theme}
                />
            ))}
            {found.length === 0 && <p className="muted">{t("list.none.title")}</p>}
            {found.length > shown && (
                <div className={css.more}>
                    <Button onClick={() => setShown(shown + MORE_PANELS)}>{t("chart.more", { n: count(found.length - shown) })}</Button>
                </div>
            )}
        </>
    );
}

function groupsOf(panels: Panel[]): Panel[][] {
    return Array.from({ length: Math.ceil(panels.length / GROUP) }, (_unused, index) => panels.slice(index * GROUP, (index + 1) * GROUP));
}

interface GroupProps extends ChartView {
    run: string;
    panels: Panel[];
    first: boolean;
    pollMs: number | false;
}

/* Out of sight it only keeps its place. */
function PanelGroup({ run, panels, first, pollMs, ...view }: GroupProps) {
    const place = useRef<HTMLDivElement>(null);
    const { near, height } = useNear(place, first);
    const keys = panels.flatMap((panel) => panel.keys);
    const query = useQuery({ ...metricsQuery(run, { keys, buckets: BUCKETS, ...view.window }), enabled: near, refetchInterval: near && pollMs });
    const series = useMemo(() => new Map(query.data?.items.map((item) => [item.key, chartSeries(item)])), [query.data]);
    if (!near) return <div ref={place} className={css.group} style={{ height: height ?? (panels.length / 2) * PANEL_PX }} />;
    return (
        <div ref={place} className={css.group}>
            <Answer query={query}>
                {() => (
                    <div className={css.grid}>
                        {panels.map((panel) => (
                            <MetricChart key={panel.name} title={panel.name} series={panel.keys.flatMap((key) => series.get(key) ?? [])} {...view} />
                        ))}
                    </div>
                )}
            </Answer>
        </div>
    );
}
