/* How uPlot is set up for a metric panel: three data rows a series (high, low, last), a band, the marks. */
import uPlot from "uplot";
import { formatMetric } from "../lib/format";
import type { ChartSeries } from "./series";

const ROWS_A_SERIES = 3;
const MARK_PX = 4;
const MOST_POINTS = 60;

interface ChartSetup {
    keys: string[];
    width: number;
    height: number;
    logScale: boolean;
    series: () => ChartSeries[];
    onWindow: (from: number, to: number) => void;
    onCursor: (index: number | null) => void;
}

function token(name: string): string {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const colour = getComputedStyle(probe).color;
    probe.remove();
    return colour;
}

function faded(colour: string): string {
    return colour.replace(/^rgb\((.*)\)$/, "rgba($1, 0.16)");
}

/** Aligns the series on one axis. uPlot keeps null as a hole and joins over steps a series does not have. */
export function chartData(series: ChartSeries[], logScale: boolean): uPlot.AlignedData {
    const positive = (values: (number | null)[]) =>
        logScale ? values.map((value) => (value !== null && value > 0 ? value : null)) : values;
    const tables = series.map(
        (entry) => [entry.steps, positive(entry.high), positive(entry.low), positive(entry.last)] as uPlot.AlignedData,
    );
    return uPlot.join(tables, tables.map((table) => table.map(() => 2)));
}

/* Points are drawn where few fall into the visible window: a metric of each epoch, or a deep zoom. */
function sparse(series: () => ChartSeries[], index: number): uPlot.Series.Points.Show {
    return (plot) => {
        const { min = 0, max = 0 } = plot.scales.x!;
        const steps = series()[index]?.steps ?? [];
        return steps.filter((step) => step >= min! && step <= max!).length <= MOST_POINTS;
    };
}

function seriesOptions(keys: string[], series: () => ChartSeries[]): uPlot.Series[] {
    return keys.flatMap((key, index) => {
        const colour = token(`--series-${(index % 8) + 1}`);
        const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
        return [
            { ...edge, label: `${key} high` },
            { ...edge, label: `${key} low` },
            { label: key, stroke: colour, width: 1.75, points: { size: 5, fill: colour, show: sparse(series, index) } },
        ];
    });
}

function bands(keys: string[]): uPlot.Band[] {
    return keys.map((_key, index) => ({
        series: [index * ROWS_A_SERIES + 1, index * ROWS_A_SERIES + 2],
        fill: faded(token(`--series-${(index % 8) + 1}`)),
    }));
}

/* A small triangle on the lower edge at every step with a NaN or an infinity. */
function drawMarks(plot: uPlot, marks: number[][], colour: string): void {
    const { ctx, bbox } = plot;
    const size = MARK_PX * devicePixelRatio;
    ctx.save();
    ctx.fillStyle = colour;
    for (const step of marks.flat()) {
        const x = plot.valToPos(step, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        const y = bbox.top + bbox.height;
        ctx.beginPath();
        ctx.moveTo(x, y - size * 2);
        ctx.lineTo(x - size, y);
        ctx.lineTo(x + size, y);
        ctx.fill();
    }
    ctx.restore();
}

export function chartOptions(setup: ChartSetup): uPlot.Options {
    const axisColour = token("--text-faint");
    const gridColour = token("--border");
    const markColour = token("--bad");
    const axis: uPlot.Axis = {
        stroke: axisColour,
        font: "11px Inter Variable, system-ui, sans-serif",
        grid: { stroke: gridColour, width: 1 },
        ticks: { show: false },
    };
    return {
        width: setup.width,
        height: setup.height,
        legend: { show: false },
        padding: [10, 14, 0, 0],
        scales: { x: { time: false }, y: setup.logScale ? { distr: 3 } : {} },
        axes: [
            { ...axis, size: 26, grid: { show: false } },
            { ...axis, size: 56, values: (_plot, splits) => splits.map((value) => formatMetric(value)) },
        ],
        cursor: {
            drag: { x: true, y: false, setScale: false },
            points: { size: 7 },
        },
        series: [{}, ...seriesOptions(setup.keys, setup.series)],
        bands: bands(setup.keys),
        hooks: {
            draw: [(plot) => drawMarks(plot, setup.series().map((entry) => entry.nonFinite), markColour)],
            setCursor: [(plot) => setup.onCursor(plot.cursor.idx ?? null)],
            setSelect: [
                (plot) => {
                    if (plot.select.width < 4) return;
                    const from = Math.max(0, Math.floor(plot.posToVal(plot.select.left, "x")));
                    const to = Math.ceil(plot.posToVal(plot.select.left + plot.select.width, "x"));
                    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
                    setup.onWindow(from, to);
                },
            ],
        },
    };
}
