/* Projects of the caller's team, and the lineage graph that joins everything in them. */
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import { useLive } from "./events";
import type { LineageGraph, Project } from "./types";
import { wholeList } from "./wholeList";

export const projectsQuery = queryOptions({
    queryKey: ["projects"],
    queryFn: ({ signal }) => wholeList<Project>("/api/v1/projects", { signal }),
    staleTime: 30_000,
});

export function projectQuery(slug: string) {
    return queryOptions({
        queryKey: ["project", slug],
        queryFn: ({ signal }) => api<Project>(`/api/v1/projects/${slug}`, { signal }),
    });
}

/** Follows what is made and changed in a project, from before its first object is there. */
export function useProjectLive(slug: string): ReturnType<typeof useLive> {
    const { data } = useQuery(projectsQuery);
    const project = data?.items.find((item) => item.slug === slug);
    return useLive(project ? [`project:${project.id}`] : [], project !== undefined);
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
