import { expect, test } from "vitest";
import type { MetricSeries } from "../api/types";
import { chartSeries, panelsOf, smooth } from "./series";

const bucket = (step: number, min: number | string, max: number | string, last: number | string, non_finite = 0) => ({
    step, last_step: step + 9, at: "", min, max, first: min, last, count: 10, non_finite,
});

test("chartSeries keeps the envelope, makes holes of NaN and marks it", () => {
    const series: MetricSeries = {
        key: "train/loss", points: 30, first_step: 0, last_step: 29,
        buckets: [bucket(0, 1, 9, 2), bucket(10, "NaN", "NaN", "NaN", 10), bucket(20, 0.5, 3, "NaN", 1)],
    };
    const chart = chartSeries(series);
    expect(chart.last).toEqual([2, null, 0.5]);
    expect(chart.high).toEqual([9, null, 3]);
    expect(chart.nonFinite).toEqual([19, 29]);
});

test("smooth with weight 0 changes nothing; with weight it keeps holes and the level", () => {
    expect(smooth([1, null, 3], 0)).toEqual([1, null, 3]);
    const level = smooth([2, null, 2, 2], 0.9);
    expect(level[1]).toBeNull();
    expect(level[3]).toBeCloseTo(2);
});

test("panelsOf puts train and validation of one measure together, loss first", () => {
    const panels = panelsOf(["val/accuracy", "lr", "train/loss", "val/loss", "system/cpu"]);
    expect(panels.map((panel) => panel.name)).toEqual(["loss", "accuracy", "lr", "system/cpu"]);
    expect(panels[0]?.keys).toEqual(["train/loss", "val/loss"]);
});
