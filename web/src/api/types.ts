/*
 * Names for parts of the printed shapes, and shapes of JSON the server stores without looking inside
 * (samples from the data runner, training specs): those are described in full here.
 */
import type { Column, DatasetVersion, LineageGraph, MetricSeries, ModelVersion, NodeKind } from "./types.gen";

export type * from "./types.gen";

export interface Page<T> {
    items: T[];
    next_cursor: string | null;
}

export interface Items<T> {
    items: T[];
}

export type Bucket = MetricSeries["buckets"][number];
export type LineageNode = LineageGraph["nodes"][number];
export type LineageEdge = LineageGraph["edges"][number];
export type Histogram = NonNullable<Column["histogram"]>;
export type ClassCount = NonNullable<DatasetVersion["classes"]>[number];
export type Splits = NonNullable<DatasetVersion["splits"]>;
export type Signature = ModelVersion["signature"];
export type { NodeKind };

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
