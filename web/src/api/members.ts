/* The people of the team, and the invitations of those to come. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import { sessionQuery } from "./session";
import type { Invitation, InvitationCreate, InvitationCreated, Member, MemberUpdate, ResetLink } from "./types";
import { wholeList } from "./wholeList";

export const membersQuery = queryOptions({
    queryKey: ["members"],
    queryFn: ({ signal }) => wholeList<Member>("/api/v1/members", { signal }),
});

export const invitationsQuery = queryOptions({
    queryKey: ["invitations"],
    queryFn: ({ signal }) => wholeList<Invitation>("/api/v1/invitations", { signal }),
});

export function useUpdateMember() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: ({ id, ...body }: MemberUpdate & { id: string }) =>
            api<Member>(`/api/v1/members/${id}`, { method: "PATCH", json: body }),
        onSettled: () => {
            void cache.invalidateQueries({ queryKey: membersQuery.queryKey });
            void cache.invalidateQueries({ queryKey: sessionQuery.queryKey });
        },
    });
}

export function useRemoveMember() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => api<void>(`/api/v1/members/${id}`, { method: "DELETE" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: membersQuery.queryKey }),
    });
}

export function useResetMember() {
    return useMutation({
        mutationFn: (id: string) => api<ResetLink>(`/api/v1/members/${id}/reset`, { method: "POST" }),
    });
}

export function useDropSecondFactor() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => api<void>(`/api/v1/members/${id}/second-factor`, { method: "DELETE" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: membersQuery.queryKey }),
    });
}

export function useInvite() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: InvitationCreate) =>
            api<InvitationCreated>("/api/v1/invitations", { method: "POST", json: body }),
        onSuccess: () => cache.invalidateQueries({ queryKey: invitationsQuery.queryKey }),
    });
}

export function useRevokeInvitation() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => api<void>(`/api/v1/invitations/${id}`, { method: "DELETE" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: invitationsQuery.queryKey }),
    });
}
