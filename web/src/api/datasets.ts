/* Datasets and their immutable versions. */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { Dataset, DatasetVersion, Page, SplitSpec } from "./types";

const IMPORT_POLL_MS = 3000;

export function datasetsQuery(project: string) {
    return infiniteQueryOptions({
        queryKey: ["datasets", project],
        queryFn: ({ pageParam, signal }) =>
            api<Page<Dataset>>(`/api/v1/projects/${project}/datasets`, {
                query: { cursor: pageParam, limit: 100 },
                signal,
            }),
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
    });
}

export function datasetQuery(id: string) {
    return queryOptions({
        queryKey: ["dataset", id],
        queryFn: ({ signal }) => api<Dataset>(`/api/v1/datasets/${id}`, { signal }),
    });
}

/* An import ends within seconds or minutes: its versions are asked for until then, stream or no stream. */
function importPoll(versions: DatasetVersion[] | undefined): number | false {
    return versions?.some((version) => version.state === "importing") ? IMPORT_POLL_MS : false;
}

export function datasetVersionsQuery(id: string) {
    return queryOptions({
        queryKey: ["dataset", id, "versions"],
        queryFn: ({ signal }) =>
            api<Page<DatasetVersion>>(`/api/v1/datasets/${id}/versions`, { query: { limit: 200 }, signal }),
        refetchInterval: ({ state }) => importPoll(state.data?.items),
    });
}

export function datasetVersionQuery(id: string) {
    return queryOptions({
        queryKey: ["dataset_version", id],
        queryFn: ({ signal }) => api<DatasetVersion>(`/api/v1/dataset-versions/${id}`, { signal }),
        refetchInterval: ({ state }) => importPoll(state.data && [state.data]),
        enabled: id !== "",
    });
}

export function versionFileUrl(id: string, name: string): string {
    return `/api/v1/dataset-versions/${id}/files/${encodeURIComponent(name)}`;
}

export function useCreateDataset(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: { name: string; description?: string }) =>
            api<Dataset>(`/api/v1/projects/${project}/datasets`, { method: "POST", json: body }),
        onSuccess: () => cache.invalidateQueries({ queryKey: ["datasets", project] }),
    });
}

export interface ImportRequest {
    upload_ids: string[];
    format?: string;
    target?: string;
    split?: SplitSpec;
}

export function useImportVersion(dataset: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: ImportRequest) =>
            api<DatasetVersion>(`/api/v1/datasets/${dataset}/versions`, { method: "POST", json: body }),
        onSuccess: () => cache.invalidateQueries({ queryKey: ["dataset", dataset] }),
    });
}
