/* Groups of people and service accounts, which roles in projects are given to. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { Group, GroupCreate, GroupMember, Page } from "./types";

export const groupsQuery = queryOptions({
    queryKey: ["groups"],
    queryFn: ({ signal }) => api<Page<Group>>("/api/v1/groups", { query: { limit: 200 }, signal }),
});

export function groupMembersQuery(group: string) {
    return queryOptions({
        queryKey: ["groups", group, "members"],
        queryFn: ({ signal }) => api<Page<GroupMember>>(`/api/v1/groups/${group}/members`, { query: { limit: 200 }, signal }),
    });
}

function useGroupChange<Body>(send: (body: Body) => Promise<unknown>) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: send,
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: groupsQuery.queryKey });
            void cache.invalidateQueries({ queryKey: ["permissions"] });
        },
    });
}

export const useCreateGroup = () =>
    useGroupChange((body: GroupCreate) => api<Group>("/api/v1/groups", { method: "POST", json: body }));

export const useDeleteGroup = () => useGroupChange((id: string) => api<void>(`/api/v1/groups/${id}`, { method: "DELETE" }));

export const useJoinGroup = (group: string) =>
    useGroupChange((user_id: string) => api<Group>(`/api/v1/groups/${group}/members`, { method: "POST", json: { user_id } }));

export const useLeaveGroup = (group: string) =>
    useGroupChange((user: string) => api<void>(`/api/v1/groups/${group}/members/${user}`, { method: "DELETE" }));
