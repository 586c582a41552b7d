/* Groups of people and service accounts, which roles in projects are given to. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { Group, GroupCreate, GroupMember } from "./types";
import { wholeList } from "./wholeList";

export const groupsQuery = queryOptions({
    queryKey: ["groups"],
    queryFn: ({ signal }) => wholeList<Group>("/api/v1/groups", { signal }),
});

export function groupMembersQuery(group: string) {
    return queryOptions({
        queryKey: ["groups", group, "members"],
        queryFn: ({ signal }) => wholeList<GroupMember>(`/api/v1/groups/${group}/members`, { signal }),
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
