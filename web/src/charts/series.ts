/*
 * The maths of the metric charts, apart from drawing. A bucket keeps the lowest, the highest and the last
 * value of its steps, so a spike is visible at every zoom. Non-finite values are holes in the line and are
 * marked at their step.
 */
import type { Bucket, MetricSeries } from "../api/types";

export interface ChartSeries {
    key: string;
    steps: number[];
    /** null is a hole: every value of the bucket was NaN or infinite. */
    last: (number | null)[];
    low: (number | null)[];
    high: (number | null)[];
    /** Steps of buckets that hold at least one non-finite value. */
    nonFinite: number[];
}

function finite(value: number | string): number | null {
    return typeof value === "number" && Number.isFinite(value) ? value : null;
}

function line(bucket: Bucket): number | null {
    return finite(bucket.last) ?? finite(bucket.first) ?? finite(bucket.max) ?? finite(bucket.min);
}

export function chartSeries(series: MetricSeries): ChartSeries {
    const buckets = series.buckets;
    return {
        key: series.key,
        steps: buckets.map((bucket) => bucket.last_step),
        last: buckets.map(line),
        low: buckets.map((bucket) => finite(bucket.min) ?? line(bucket)),
        high: buckets.map((bucket) => finite(bucket.max) ?? line(bucket)),
        nonFinite: buckets.filter((bucket) => bucket.non_finite > 0).map((bucket) => bucket.last_step),
    };
}

/** Exponential moving average that ignores holes; weight 0 leaves the values as they are. */
export function smooth(values: (number | null)[], weight: number): (number | null)[] {
    if (weight <= 0) return values;
    let mean = 0;
    let bias = 1;
    return values.map((value) => {
        if (value === null) return null;
        mean = mean * weight + value * (1 - weight);
        bias *= weight;
        return mean / (1 - bias);
    });
}

export interface Panel {
    name: string;
    keys: string[];
}

/** Panels by what is measured: "train/loss" and "val/loss" share "loss"; the rest stand alone. */
export function panelsOf(keys: string[]): Panel[] {
    const panels = new Map<string, string[]>();
    for (const key of [...keys].sort()) {
        const name = /^(train|val|test)\//.test(key) ? key.slice(key.indexOf("/") + 1) : key;
        panels.set(name, [...(panels.get(name) ?? []), key]);
    }
    const rank = (name: string) => {
        const place = ["loss", "accuracy", "rmse", "mae", "lr"].indexOf(name);
        return place >= 0 ? place : name.startsWith("system/") ? 99 : 50;
    };
    return [...panels.entries()]
        .map(([name, members]) => ({ name, keys: members }))
        .sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
}
