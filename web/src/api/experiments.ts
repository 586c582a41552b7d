/* Experiments: what runs are grouped by, and the folders they stand in. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { Experiment, ExperimentChange, ExperimentCreate, FolderMove, FolderMoved, Lifecycle } from "./types";
import { wholeList } from "./wholeList";

/* Beyond this the list says that it is not whole; nobody reads so many. */
const MOST = 5000;

/** All experiments of the project: a tree of folders cannot be shown in pages. */
export function experimentsQuery(project: string, lifecycle: Lifecycle = "active") {
    return queryOptions({
        queryKey: ["experiments", project, lifecycle],
        queryFn: ({ signal }) => wholeList<Experiment>(`/api/v1/projects/${project}/experiments`, { query: { lifecycle }, signal }, MOST),
        enabled: project !== "",
    });
}

export function useCreateExperiment(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: ExperimentCreate) => api<Experiment>(`/api/v1/projects/${project}/experiments`, { method: "POST", json: body, idempotencyKey: crypto.randomUUID() }),
        meta: { quiet: true },
        onSuccess: () => cache.invalidateQueries({ queryKey: ["experiments", project] }),
    });
}

export function useUpdateExperiment(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: ({ id, ...body }: ExperimentChange & { id: string }) => api<Experiment>(`/api/v1/experiments/${id}`, { method: "PATCH", json: body }),
        meta: { quiet: true },
        onSuccess: () => cache.invalidateQueries({ queryKey: ["experiments", project] }),
    });
}

/** Renames or moves a folder with all that is in it; to "" = up to the top. */
export function useMoveFolder(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: FolderMove) => api<FolderMoved>(`/api/v1/projects/${project}/experiment-folders/move`, { method: "POST", json: body }),
        meta: { quiet: true },
        onSuccess: () => cache.invalidateQueries({ queryKey: ["experiments", project] }),
    });
}

export type LifecycleChange = "archive" | "restore" | "delete";

/** Archives, restores, or deletes for good; its runs go with it. */
export function useMoveExperiment(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: ({ id, change }: { id: string; change: LifecycleChange }) =>
            change === "delete"
                ? api<unknown>(`/api/v1/experiments/${id}`, { method: "DELETE" })
                : api<unknown>(`/api/v1/experiments/${id}/${change}`, { method: "POST" }),
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: ["experiments", project] });
            void cache.invalidateQueries({ queryKey: ["runs", project] });
        },
    });
}
