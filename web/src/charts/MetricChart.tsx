/*
 * One panel of metrics: a line through the last value of each bucket inside the band from its lowest to its
 * highest. Holes are drawn as holes, non-finite values as marks on the lower edge. Dragging or the keys
 * zoom; the page then asks the server for finer buckets of that window.
 */
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { Skeleton } from "../components/Status";
import { useI18n } from "../i18n/i18n";
import { clamp } from "../lib/clamp";
import { formatMetric } from "../lib/format";
import { chartData, chartOptions } from "./chartOptions";
import css from "./MetricChart.module.css";
import { smooth, type ChartSeries } from "./series";

export interface Window {
    from: number;
    to: number;
}

/** How all panels of a page are looked at. */
export interface ChartView {
    smoothing: number;
    logScale: boolean;
    window: Window | null;
    onWindow: (window: Window | null) => void;
    theme: string;
}

interface MetricChartProps extends ChartView {
    title: string;
    series: ChartSeries[];
}

const HEIGHT = 220;
const ZOOM_STEP = 0.6;

export function MetricChart(props: MetricChartProps) {
    if (props.series.length > 0) return <Plot {...props} />;
    return (
        <figure className={css.panel}>
            <div className={css.head}>
                <h3>{props.title}</h3>
            </div>
            <Skeleton lines={5} />
        </figure>
    );
}

function Plot({ title, series, smoothing, logScale, window: view, onWindow, theme }: MetricChartProps) {
    const { t } = useI18n();
    const host = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot | null>(null);
    const live = useRef({ series, onWindow });
    live.current = { series, onWindow };
    const [cursor, setCursor] = useState<number | null>(null);
    const keys = series.map((entry) => entry.key).join("\n");

    useEffect(() => {
        const element = host.current!;
        const made = new uPlot(
            chartOptions({
                keys: keys.split("\n"),
                width: element.clientWidth,
                height: HEIGHT,
                logScale,
                series: () => live.current.series,
                onWindow: (from, to) => live.current.onWindow({ from, to }),
                onCursor: setCursor,
            }),
            chartData(live.current.series, logScale),
            element,
        );
        plot.current = made;
        const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
        observer.observe(element);
        return () => {
            observer.disconnect();
            made.destroy();
        };
    }, [keys, logScale, theme]);

    const from = view?.from;
    const to = view?.to;
    useEffect(() => {
        const smoothed = series.map((entry) => ({ ...entry, last: smooth(entry.last, smoothing) }));
        plot.current?.setData(chartData(smoothed, logScale), true);
        if (from !== undefined && to !== undefined) plot.current?.setScale("x", { min: from, max: to });
    }, [series, smoothing, logScale, from, to, theme]);

    const onKey = (event: KeyboardEvent) => {
        const action = keyAction(event.key, plot.current);
        if (!action) return;
        event.preventDefault();
        event.stopPropagation();
        if (action === "reset") onWindow(null);
        else if (typeof action !== "string") onWindow(action);
    };

    return (
        <figure className={css.panel}>
            <div className={css.head}>
                <h3>{title}</h3>
            </div>
            <Legend series={series} cursor={cursor} plot={plot.current} />
            <div
                ref={host}
                className={css.plot}
                role="img"
                tabIndex={0}
                aria-label={t("chart.label", { name: title, series: series.map((entry) => entry.key).join(", ") })}
                data-keys="own"
                onKeyDown={onKey}
                onDoubleClick={() => onWindow(null)}
            />
        </figure>
    );
}

/* Moves the cursor, or answers the window the key asks for. */
function keyAction(key: string, plot: uPlot | null): Window | "moved" | "reset" | null {
    if (!plot) return null;
    const { min, max } = plot.scales.x!;
    if (min === undefined || max === undefined || min === null || max === null) return null;
    if (key === "0") return "reset";
    if (key === "ArrowLeft" || key === "ArrowRight") {
        const steps = plot.data[0];
        const index = clamp((plot.cursor.idx ?? steps.length - 1) + (key === "ArrowLeft" ? -1 : 1), 0, steps.length - 1);
        plot.setCursor({ left: plot.valToPos(steps[index] ?? 0, "x"), top: HEIGHT / 3 });
        return "moved";
    }
    if (key !== "+" && key !== "=" && key !== "-") return null;
    const index = plot.cursor.idx;
    const centre = index !== null && index !== undefined ? (plot.data[0][index] ?? min) : (min + max) / 2;
    const factor = key === "-" ? 1 / ZOOM_STEP : ZOOM_STEP;
    return {
        from: Math.max(0, Math.round(centre - (centre - min) * factor)),
        to: Math.round(centre + (max - centre) * factor),
    };
}

function Legend({ series, cursor, plot }: { series: ChartSeries[]; cursor: number | null; plot: uPlot | null }) {
    const { t } = useI18n();
    const step = cursor === null ? null : plot?.data[0]?.[cursor];
    return (
        <figcaption className={css.legend}>
            {series.map((entry, index) => {
                const value = step === null || step === undefined ? entry.last.at(-1) : lastAtOrBefore(entry, step);
                const bad = entry.nonFinite.length;
                return (
                    <span key={entry.key}>
                        <i className={css.swatch} style={{ background: `var(--series-${(index % 8) + 1})` }} aria-hidden />
                        {entry.key} <b>{formatMetric(value)}</b>
                        {bad > 0 && ` · ${t("chart.non_finite", { n: bad })}`}
                    </span>
                );
            })}
            {step !== null && step !== undefined && <span>{t("chart.step", { step })}</span>}
        </figcaption>
    );
}

function lastAtOrBefore(series: ChartSeries, step: number): number | null {
    const index = series.steps.findLastIndex((at) => at <= step);
    return index < 0 ? null : (series.last[index] ?? null);
}
