/* The model registry, and asking a registered version for a prediction. */
import { infiniteQueryOptions, keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, request } from "./client";
import type { Endpoint, InferReply, InferTensor, Model, ModelUpdate, ModelVersion, ModelVersionCreate, ModelVersionUpdate, Page } from "./types";

/** `text`: a part of the name. */
export function modelsQuery(project: string, text = "") {
    const filter = text === "" ? null : `name ILIKE '%${text.replace(/[\\%_]/g, "\\$&").replaceAll("'", "''")}%'`;
    return infiniteQueryOptions({
        queryKey: ["models", project, text],
        queryFn: ({ pageParam, signal }) =>
            api<Page<Model>>(`/api/v1/projects/${project}/models`, {
                query: { cursor: pageParam, limit: 100, filter },
                signal,
            }),
        placeholderData: keepPreviousData,
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
    });
}

export function modelQuery(id: string) {
    return queryOptions({
        queryKey: ["model", id],
        queryFn: ({ signal }) => api<Model>(`/api/v1/models/${id}`, { signal }),
    });
}

export function modelVersionsQuery(id: string) {
    return queryOptions({
        queryKey: ["model", id, "versions"],
        queryFn: ({ signal }) =>
            api<Page<ModelVersion>>(`/api/v1/models/${id}/versions`, { query: { limit: 200 }, signal }),
    });
}

export function modelVersionQuery(id: string) {
    return queryOptions({
        queryKey: ["model_version", id],
        queryFn: ({ signal }) => api<ModelVersion>(`/api/v1/model-versions/${id}`, { signal }),
        enabled: id !== "",
    });
}

export function modelFileUrl(id: string, name: string): string {
    return `/api/v1/model-versions/${id}/files/${name.split("/").map(encodeURIComponent).join("/")}`;
}

export function useRegisterModel(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: ModelVersionCreate) =>
            api<ModelVersion>(`/api/v1/projects/${project}/model-versions`, { method: "POST", json: body }),
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: ["models", project] });
            void cache.invalidateQueries({ queryKey: ["model"] });
            void cache.invalidateQueries({ queryKey: ["lineage"] });
        },
    });
}

/* Any change of a model or a version may show on the pages of both. */
function useRegistryChange<T>(change: (input: T) => Promise<unknown>) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: change,
        onSuccess: () => {
            for (const key of ["models", "model", "model_version"]) void cache.invalidateQueries({ queryKey: [key] });
        },
    });
}

export function useUpdateModel(id: string) {
    return useRegistryChange((body: ModelUpdate) => api<Model>(`/api/v1/models/${id}`, { method: "PATCH", json: body }));
}

export function useUpdateModelVersion(id: string) {
    return useRegistryChange((body: ModelVersionUpdate) => api<ModelVersion>(`/api/v1/model-versions/${id}`, { method: "PATCH", json: body }));
}

export type RegistryObject = "models" | "model-versions";

/** Sets a tag; value null takes it away. */
export function useRegistryTag(object: RegistryObject, id: string) {
    const path = `/api/v1/${object}/${id}/tags`;
    return useRegistryChange(({ key, value }: { key: string; value: string | null }) =>
        value === null ? api<unknown>(path, { method: "DELETE", query: { key } }) : api<unknown>(path, { method: "POST", json: { key, value } }));
}

/** Gives the alias to a version; version null takes it away. */
export function useAlias(model: string) {
    return useRegistryChange(({ alias, version }: { alias: string; version: number | null }) => {
        const path = `/api/v1/models/${model}/aliases/${encodeURIComponent(alias)}`;
        return version === null ? api<unknown>(path, { method: "DELETE" }) : api<unknown>(path, { method: "PUT", json: { version } });
    });
}

export function useDeleteRegistered(object: RegistryObject, id: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: () => api<void>(`/api/v1/${object}/${id}`, { method: "DELETE" }),
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: ["models"] });
            if (object === "model-versions") void cache.invalidateQueries({ queryKey: ["model"] });
        },
    });
}

export function useStopEndpoint(version: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => api<Endpoint>(`/api/v1/endpoints/${id}/stop`, { method: "POST" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: ["model_version", version] }),
    });
}

export interface Prediction {
    reply: InferReply;
    latencyMs: number;
    /** What of it was the model's, when the server tells. */
    computeMs: number | null;
}

/** An image (its bytes as they are) or Open Inference Protocol inputs. */
export async function predict(
    version: string,
    input: Blob | InferTensor[],
    signal?: AbortSignal,
): Promise<Prediction> {
    const started = performance.now();
    const body = input instanceof Blob
        ? { body: input, headers: { "Content-Type": input.type } }
        : { json: { inputs: input } };
    const response = await request(`/api/v1/model-versions/${version}/predict`, {
        method: "POST",
        ...body,
        ...(signal ? { signal } : {}),
    });
    const reply = (await response.json()) as InferReply;
    const compute = /compute;dur=([\d.]+)/.exec(response.headers.get("Server-Timing") ?? "")?.[1];
    return { reply, latencyMs: performance.now() - started, computeMs: compute === undefined ? null : Number(compute) };
}
