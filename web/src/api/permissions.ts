/* Who can do what, and why; and the roles in one project that differ from those in the team. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { EffectivePermission, Page, ProjectRole, ProjectRoleSet } from "./types";

export function permissionsQuery(project: string) {
    return queryOptions({
        queryKey: ["permissions", project],
        queryFn: ({ signal }) => api<Page<EffectivePermission>>("/api/v1/permissions", { query: { project, limit: 200 }, signal }),
    });
}

export function projectRolesQuery(project: string) {
    return queryOptions({
        queryKey: ["permissions", project, "roles"],
        queryFn: ({ signal }) => api<Page<ProjectRole>>(`/api/v1/projects/${project}/roles`, { query: { limit: 200 }, signal }),
    });
}

export function useSetProjectRole(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: ProjectRoleSet) => api<ProjectRole>(`/api/v1/projects/${project}/roles`, { method: "PUT", json: body }),
        onSuccess: () => cache.invalidateQueries({ queryKey: ["permissions"] }),
    });
}

export function useDropProjectRole(project: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: ({ subject_kind, subject_id }: Pick<ProjectRole, "subject_kind" | "subject_id">) =>
            api<void>(`/api/v1/projects/${project}/roles/${subject_kind}/${subject_id}`, { method: "DELETE" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: ["permissions"] }),
    });
}
