/* Projects of the caller's team, and the lineage graph that joins everything in them. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { LineageGraph, Page, Project } from "./types";

export const projectsQuery = queryOptions({
    queryKey: ["projects"],
    queryFn: ({ signal }) => api<Page<Project>>("/api/v1/projects", { query: { limit: 200 }, signal }),
    staleTime: 30_000,
});

export function projectQuery(slug: string) {
    return queryOptions({
        queryKey: ["project", slug],
        queryFn: ({ signal }) => api<Project>(`/api/v1/projects/${slug}`, { signal }),
    });
}

export function useCreateProject() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: { slug: string; name: string; description?: string }) =>
            api<Project>("/api/v1/projects", { method: "POST", json: body }),
        onSuccess: () => cache.invalidateQueries({ queryKey: projectsQuery.queryKey }),
    });
}

export interface LineageView {
    node: string;
    direction: "up" | "down" | "both";
    depth: number;
}

export function lineageQuery(view: LineageView) {
    return queryOptions({
        queryKey: ["lineage", view],
        queryFn: ({ signal }) => api<LineageGraph>("/api/v1/lineage", { query: { ...view }, signal }),
        enabled: view.node !== "",
    });
}
