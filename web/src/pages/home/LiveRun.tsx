/* The run that is drawing now, or the last one that did. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo, useState, useSyncExternalStore } from "react";
import { useLive } from "../../api/events";
import { metricsQuery, runQuery } from "../../api/runs";
import { MetricChart, type Window } from "../../charts/MetricChart";
import { chartSeries, panelsOf } from "../../charts/series";
import { FreshDot, Progress, StatePill } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { getTheme, subscribeTheme } from "../../lib/theme";
import css from "./HomePage.module.css";

const BUCKETS = 400;
const PANELS = 2;

export function LiveRun({ project, id }: { project: string; id: string }) {
    const { t } = useI18n();
    const theme = useSyncExternalStore(subscribeTheme, getTheme);
    const [window, setWindow] = useState<Window | null>(null);
    const first = useQuery(runQuery(id));
    const running = first.data?.state === "running" || first.data?.state === "queued";
    const { freshness, pollMs } = useLive([`run:${id}`], running);
    const { data: run } = useQuery({ ...runQuery(id), refetchInterval: pollMs });
    const panels = useMemo(() => panelsOf(Object.keys(run?.metrics ?? {}).filter((key) => !key.startsWith("test/"))).slice(0, PANELS), [run]);
    const keys = panels.flatMap((panel) => panel.keys);
    const { data: metrics } = useQuery({
        ...metricsQuery(id, { keys, buckets: BUCKETS, ...window }),
        refetchInterval: pollMs,
    });
    const series = useMemo(() => new Map(metrics?.items.map((item) => [item.key, chartSeries(item)])), [metrics]);
    if (!run) return null;
    return (
        <Card
            flush
            title={
                <span className="row">
                    <Link to="/projects/$project/runs/$run" params={{ project, run: id }} search={{}}>
                        {run.name}
                    </Link>
                    <StatePill state={run.state} />
                </span>
            }
            actions={<FreshDot freshness={freshness} />}
        >
            <div className={css.live}>
                {running && <Progress label={run.name} value={run.progress} message={run.message} etaSeconds={run.eta_s} />}
                {panels.length === 0 ? (
                    <p className="muted">{t("home.waiting")}</p>
                ) : (
                    <div className="grid-2">
                        {panels.map((panel) => (
                            <MetricChart
                                key={panel.name}
                                title={panel.name}
                                series={panel.keys.flatMap((key) => series.get(key) ?? [])}
                                smoothing={0}
                                logScale={false}
                                window={window}
                                onWindow={setWindow}
                                theme={theme}
                            />
                        ))}
                    </div>
                )}
            </div>
        </Card>
    );
}
