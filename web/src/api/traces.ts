/* Traces of applications that use language models, their spans, and what people think of them. */
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { AssessmentCreate, AssessmentMade, Page, Trace, TraceDetail, TracesDeleted, TraceSpan } from "./types";

export interface TraceFilter {
    experiment?: string;
    /** Linked to this run. */
    run?: string;
    filter?: string;
    /** "duration_ms DESC"; the newest first when there is none */
    order_by?: string;
}

export function tracesQuery(project: string, filter: TraceFilter, limit = 100) {
    return infiniteQueryOptions({
        queryKey: ["traces", project, filter, limit],
        queryFn: ({ pageParam, signal }) => api<Page<Trace>>(`/api/v1/projects/${project}/traces`, { query: { ...filter, cursor: pageParam, limit }, signal }),
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
        placeholderData: keepPreviousData,
    });
}

export function traceQuery(id: string) {
    return queryOptions({
        queryKey: ["trace", id],
        queryFn: ({ signal }) => api<TraceDetail>(`/api/v1/traces/${id}`, { signal }),
    });
}

/** One span with all that it holds: of a large trace they do not come at once. */
export function spanQuery(trace: string, span: string) {
    return queryOptions({
        queryKey: ["trace", trace, "span", span],
        queryFn: ({ signal }) => api<TraceSpan>(`/api/v1/traces/${trace}/spans/${encodeURIComponent(span)}`, { signal }),
        staleTime: 60_000,
    });
}

function useTraceChange<I, O>(id: string, change: (input: I) => Promise<O>, quiet = false) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: change,
        meta: { quiet },
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: ["trace", id] });
            void cache.invalidateQueries({ queryKey: ["traces"] });
        },
    });
}

/** Sets tags; null takes one away. */
export function useTagTrace(id: string) {
    return useTraceChange(id, (tags: Record<string, string | null>) => api<void>(`/api/v1/traces/${id}/tags`, { method: "PATCH", json: { tags } }));
}

export function useAssessTrace(id: string) {
    return useTraceChange(id, (body: AssessmentCreate) => api<AssessmentMade>(`/api/v1/traces/${id}/assessments`, { method: "POST", json: body }), true);
}

export function useDeleteAssessment(id: string) {
    return useTraceChange(id, (assessment: string) => api<void>(`/api/v1/traces/${id}/assessments/${encodeURIComponent(assessment)}`, { method: "DELETE" }));
}

/* What the server takes at once. */
const DELETED_AT_ONCE = 1000;

/** By their trace_id. */
export function useDeleteTraces(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: async (ids: string[]) => {
            for (let at = 0; at < ids.length; at += DELETED_AT_ONCE) {
                await api<TracesDeleted>(`/api/v1/projects/${project}/traces/delete`, { method: "POST", json: { ids: ids.slice(at, at + DELETED_AT_ONCE) } });
            }
        },
        onSuccess: () => cache.invalidateQueries({ queryKey: ["traces"] }),
    });
}
