/* Who can do what, and why; and the roles in one project that differ from those in the team. */
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import { sessionQuery } from "./session";
import type { EffectivePermission, PermissionAnswer, ProjectRole, ProjectRoleSet } from "./types";
import { wholeList } from "./wholeList";

const RECHECK_MS = 60_000;

/** Those that pages ask about before they offer a change. */
export type Change = "dataset.write" | "endpoint.write" | "job.write" | "model.write" | "project.admin" | "run.write";

export interface May {
    /** Without an answer the role in the team decides what is shown; the server decides what is done. */
    may: boolean;
    /** Why not, and who can change that. */
    refusal: PermissionAnswer | null;
}

export function useMay(project: string, permission: Change): May {
    const { data: session } = useQuery(sessionQuery);
    const { data } = useQuery({
        queryKey: ["permissions", project, "check", permission, session?.role],
        queryFn: ({ signal }) => api<PermissionAnswer>("/api/v1/permissions/check", { query: { permission, project }, signal }),
        enabled: project !== "" && session !== undefined,
        staleTime: RECHECK_MS,
        retry: false,
    });
    const presumed = permission === "project.admin" ? session?.role === "admin" || session?.role === "owner" : session?.role !== "viewer";
    return { may: data?.allowed ?? presumed, refusal: data && !data.allowed ? data : null };
}

export function permissionsQuery(project: string) {
    return queryOptions({
        queryKey: ["permissions", project],
        queryFn: ({ signal }) => wholeList<EffectivePermission>("/api/v1/permissions", { query: { project }, signal }),
    });
}

export function projectRolesQuery(project: string) {
    return queryOptions({
        queryKey: ["permissions", project, "roles"],
        queryFn: ({ signal }) => wholeList<ProjectRole>(`/api/v1/projects/${project}/roles`, { signal }),
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
