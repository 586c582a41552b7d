/*
 * The printed shapes, and in full what the server stores without looking inside: the data runner's columns
 * and samples, evaluations, training specs, and the Open Inference Protocol.
 */
import type * as gen from "./types.gen";

export type * from "./types.gen";

export interface Items<T> {
    items: T[];
}

export interface Statistics {
    min: number;
    max: number;
    mean: number;
    stddev: number;
    p05: number;
    p25: number;
    p50: number;
    p75: number;
    p95: number;
}

export interface Histogram {
    edges: number[];
    counts: number[];
}

export interface Column {
    name: string;
    type: string;
    nulls: number;
    distinct: number;
    statistics: Statistics | null;
    histogram: Histogram | null;
    top: { value: string; count: number }[] | null;
}

export interface ImageSamples {
    tile: number;
    columns: number;
    items: { row: number; label: string; split: string }[];
}

export interface TableSamples {
    columns: string[];
    rows: (string | null)[][];
}

export interface SplitSpec {
    train: number;
    validation: number;
    test: number;
    seed: number;
    stratify: boolean;
}

export interface DatasetVersion extends Omit<gen.DatasetVersion, "columns" | "samples" | "split" | "error"> {
    columns: Column[] | null;
    samples: ImageSamples | TableSamples | null;
    split: SplitSpec | null;
    error: gen.JobError | null;
}

export interface Evaluation {
    confusion: { labels: string[]; matrix: number[][] } | null;
    class_metrics: { label: string; precision: number; recall: number; f1: number; support: number }[] | null;
}

export interface Run extends Omit<gen.Run, "evaluation"> {
    evaluation: Evaluation | null;
}

export interface ModelVersion extends Omit<gen.ModelVersion, "evaluation"> {
    evaluation: Evaluation | null;
}

export type Signature = NonNullable<ModelVersion["signature"]>;

/* One that Slipway can serve: the server says so with `servable`. */
export interface ServableVersion extends ModelVersion {
    signature: Signature;
    input_kind: string;
    input_shape: number[];
}

export function isServable(version: ModelVersion): version is ServableVersion {
    return version.servable;
}

/* Metric values are numbers, or "NaN", "Infinity", "-Infinity". */
export type MetricValue = number | string;

export interface Bucket extends Omit<gen.MetricBucket, "min" | "max" | "first" | "last"> {
    min: MetricValue;
    max: MetricValue;
    first: MetricValue;
    last: MetricValue;
}

export interface MetricSeries extends Omit<gen.MetricSeries, "buckets"> {
    buckets: Bucket[];
}

export interface TrainSpec {
    model: { layers: Record<string, unknown>[]; loss: string };
    target?: string | null;
    features?: string[] | null;
    optimizer: { type: string; lr: number; weight_decay?: number } & Record<string, unknown>;
    schedule: { type: string } & Record<string, unknown>;
    batch_size: number;
    epochs: number;
    seed: number;
    device: string;
    [more: string]: unknown;
}

/* Open Inference Protocol v2. */
export interface InferTensor {
    name: string;
    datatype: string;
    shape: number[];
    data: (number | string | boolean)[];
}

export interface InferReply {
    model_name: string;
    model_version?: string;
    outputs: InferTensor[];
}

export type Lifecycle = "active" | "archived" | "all";
export type Texts = Record<string, string>;
