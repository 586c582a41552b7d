/* Runs, their metrics and artifacts, and the training jobs that make them. */
import {
    infiniteQueryOptions,
    keepPreviousData,
    queryOptions,
    useMutation,
    useQueryClient,
} from "@tanstack/react-query";
import { asFilter } from "../lib/filterText";
import { api, withQuery } from "./client";
import type {
    AggregateMetric,
    Items,
    Lifecycle,
    MetricSeries,
    Page,
    Run,
    RunBulk,
    RunBulkDone,
    RunField,
    RunGroup,
    RunLinks,
    SpecReport,
    Template,
    TrainSpec,
} from "./types";

export interface RunFilter {
    experiment?: string;
    state?: string;
    /** Part of the name. */
    q?: string;
    filter?: string;
    /** "metrics.loss DESC"; the newest first when there is none */
    order_by?: string;
    lifecycle?: Lifecycle;
    /** With the least and the greatest value of each metric. */
    ranges?: boolean;
}

export function runsQuery(project: string, filter: RunFilter, limit = 100) {
    return infiniteQueryOptions({
        queryKey: ["runs", project, filter, limit],
        queryFn: ({ pageParam, signal }) =>
            api<Page<Run>>(`/api/v1/projects/${project}/runs`, {
                query: { ...filter, cursor: pageParam, limit },
                signal,
            }),
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
        placeholderData: keepPreviousData,
    });
}

/** What the project's runs (or one experiment's) can be filtered and ordered by. */
export function runFieldsQuery(project: string, experiment: string | undefined) {
    return queryOptions({
        queryKey: ["runs", project, "fields", experiment],
        queryFn: ({ signal }) => api<Items<RunField>>(`/api/v1/projects/${project}/runs/fields`, { query: { experiment }, signal }),
        staleTime: 30_000,
    });
}

/* More columns than these nobody reads side by side. */
const GROUP_METRICS = 8;

/** A summary of all runs that the filter finds, by the value of one field. */
export function runGroupsQuery(project: string, { order_by: _order, ...filter }: RunFilter, by: string, metrics: AggregateMetric[]) {
    return queryOptions({
        queryKey: ["runs", project, "groups", filter, by, metrics],
        queryFn: ({ signal }) =>
            api<Items<RunGroup>>(`/api/v1/projects/${project}/runs/aggregate`, {
                method: "POST",
                json: { ...filter, group_by: [by], metrics: metrics.slice(0, GROUP_METRICS) },
                signal,
            }),
        enabled: by !== "",
        placeholderData: keepPreviousData,
    });
}

/* What the server takes at once. */
const BULK_RUNS = 1000;

export function useBulkRuns(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: async ({ ids, ...change }: RunBulk) => {
            for (let at = 0; at < ids.length; at += BULK_RUNS) {
                await api<RunBulkDone>(`/api/v1/projects/${project}/runs/bulk`, { method: "POST", json: { ids: ids.slice(at, at + BULK_RUNS), ...change } });
            }
        },
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: ["runs", project] });
            void cache.invalidateQueries({ queryKey: ["run"] });
            void cache.invalidateQueries({ queryKey: ["experiments", project] });
        },
    });
}

export function runExportUrl(project: string, { q, state, filter, ...rest }: RunFilter, format: "csv" | "jsonl"): string {
    const search = { ...(q ? { q } : {}), ...(state ? { state } : {}), ...(filter ? { filter } : {}) };
    return withQuery(`/api/v1/projects/${project}/runs/export`, { ...rest, filter: asFilter(search), format });
}

export function runQuery(id: string) {
    return queryOptions({
        queryKey: ["run", id],
        queryFn: ({ signal }) => api<Run>(`/api/v1/runs/${id}`, { signal }),
        enabled: id !== "",
    });
}

/* As many of its metrics a run by itself tells of. */
const METRICS_OF_ONE = 1000;

export function knowsAllMetrics(run: Run): boolean {
    return Object.keys(run.metrics).length < METRICS_OF_ONE;
}

/** The same run with every metric, however many, and with the least and the greatest value of each. */
export function runMetricsQuery(project: string, id: string) {
    return queryOptions({
        queryKey: ["run", id, "metrics", "all"],
        queryFn: async ({ signal }) => {
            const query = { filter: `id = '${id}'`, lifecycle: "all", ranges: true, limit: 1 };
            const page = await api<Page<Run>>(`/api/v1/projects/${project}/runs`, { query, signal });
            return page.items[0] ?? null;
        },
        placeholderData: keepPreviousData,
    });
}

export interface MetricWindow {
    keys: string[];
    buckets: number;
    from?: number;
    to?: number;
}

export function metricsQuery(run: string, view: MetricWindow) {
    return queryOptions({
        queryKey: ["run", run, "metrics", view],
        queryFn: ({ signal }) =>
            api<Items<MetricSeries>>(`/api/v1/runs/${run}/metrics`, {
                query: {
                    keys: view.keys.join(","),
                    buckets: view.buckets,
                    from_step: view.from,
                    to_step: view.to,
                },
                signal,
            }),
        enabled: run !== "" && view.keys.length > 0,
        placeholderData: keepPreviousData,
    });
}

export function templatesQuery(version: string) {
    return queryOptions({
        queryKey: ["templates", version],
        queryFn: ({ signal }) =>
            api<Items<Template>>("/api/v1/training/templates", {
                query: { dataset_version: version },
                signal,
            }),
        enabled: version !== "",
        staleTime: 5 * 60_000,
    });
}

export function specCheckQuery(version: string, spec: TrainSpec | null) {
    return queryOptions({
        queryKey: ["spec-check", version, spec],
        queryFn: ({ signal }) =>
            api<SpecReport>("/api/v1/training/check", {
                method: "POST",
                json: { dataset_version_id: version, spec },
                signal,
            }),
        enabled: version !== "" && spec !== null,
        retry: false,
        placeholderData: keepPreviousData,
    });
}

export interface TrainingRequest {
    dataset_version_id: string;
    name?: string;
    experiment?: string;
    spec: TrainSpec;
}

export function useStartTraining(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: TrainingRequest) =>
            api<Run>(`/api/v1/projects/${project}/training`, {
                method: "POST",
                json: body,
                idempotencyKey: crypto.randomUUID(),
            }),
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: ["runs", project] });
            void cache.invalidateQueries({ queryKey: ["jobs", project] });
        },
    });
}

export function useUpdateRun(id: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: { name?: string; notes?: string }) => api<Run>(`/api/v1/runs/${id}`, { method: "PATCH", json: body }),
        onSuccess: () => cache.invalidateQueries({ queryKey: ["run", id] }),
    });
}

/** Sets tags; null takes one away. */
export function useTagRun(id: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (tags: Record<string, string | null>) => api<void>(`/api/v1/runs/${id}/tags`, { method: "PATCH", json: { tags } }),
        onSuccess: () => cache.invalidateQueries({ queryKey: ["run", id] }),
    });
}

export function useMoveRun(id: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (change: "archive" | "restore" | "delete") =>
            change === "delete" ? api<unknown>(`/api/v1/runs/${id}`, { method: "DELETE" }) : api<unknown>(`/api/v1/runs/${id}/${change}`, { method: "POST" }),
        onSuccess: (_run, change) => {
            if (change !== "delete") void cache.invalidateQueries({ queryKey: ["run", id] });
            void cache.invalidateQueries({ queryKey: ["runs"] });
        },
    });
}

export function childRunsQuery(id: string) {
    return queryOptions({
        queryKey: ["run", id, "children"],
        queryFn: ({ signal }) => api<Page<Run>>(`/api/v1/runs/${id}/children`, { query: { limit: 200 }, signal }),
    });
}

/** Datasets that went in, and logged models that went in and came out. */
export function runLinksQuery(id: string) {
    return queryOptions({
        queryKey: ["run", id, "inputs"],
        queryFn: ({ signal }) => api<RunLinks>(`/api/v1/runs/${id}/inputs`, { signal }),
    });
}
