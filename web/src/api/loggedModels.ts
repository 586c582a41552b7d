/* Logged models: what clients saved as a model, registered or not. Their files: artifacts.ts. */
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { LoggedModel, ModelVersion, Page } from "./types";

export interface LoggedModelFilter {
    experiment?: string;
    filter?: string;
    /** "metrics.loss DESC"; the newest first when there is none */
    order_by?: string;
}

/* Each comes with up to a thousand metrics. */
export function loggedModelsQuery(project: string, filter: LoggedModelFilter, limit = 50) {
    return infiniteQueryOptions({
        queryKey: ["logged_models", project, filter, limit],
        queryFn: ({ pageParam, signal }) => api<Page<LoggedModel>>(`/api/v1/projects/${project}/logged-models`, { query: { ...filter, cursor: pageParam, limit }, signal }),
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
        placeholderData: keepPreviousData,
    });
}

export function loggedModelQuery(id: string) {
    return queryOptions({
        queryKey: ["logged_model", id],
        queryFn: ({ signal }) => api<LoggedModel>(`/api/v1/logged-models/${id}`, { signal }),
        enabled: id !== "",
    });
}

/** The registered versions that were made of it. */
export function versionsOfLoggedModelQuery(project: string, id: string) {
    return queryOptions({
        queryKey: ["models", project, "of", id],
        queryFn: ({ signal }) => api<Page<ModelVersion>>(`/api/v1/projects/${project}/model-versions`, { query: { filter: `logged_model_id = '${id}'`, limit: 200 }, signal }),
    });
}

/** Sets tags; null takes one away. */
export function useTagLoggedModel(id: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (tags: Record<string, string | null>) => api<void>(`/api/v1/logged-models/${id}/tags`, { method: "PATCH", json: { tags } }),
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: ["logged_model", id] });
            void cache.invalidateQueries({ queryKey: ["logged_models"] });
        },
    });
}

/** It leaves every list; versions that were made of it stay. */
export function useArchiveLoggedModel(id: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: () => api<void>(`/api/v1/logged-models/${id}`, { method: "DELETE" }),
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: ["logged_model", id] });
            void cache.invalidateQueries({ queryKey: ["logged_models"] });
        },
    });
}
