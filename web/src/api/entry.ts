/* The ways in without a session: first start, an invitation's link, a reset's link. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import { sessionQuery } from "./session";
import type { InvitationAccept, InvitationView, Session, Setup, SetupState } from "./types";

export const setupQuery = queryOptions({
    queryKey: ["setup"],
    queryFn: ({ signal }) => api<SetupState>("/api/v1/setup", { signal }),
    staleTime: Infinity,
});

export function inviteQuery(token: string) {
    return queryOptions({
        queryKey: ["invite", token],
        queryFn: ({ signal }) => api<InvitationView>(`/api/v1/invite/${token}`, { signal }),
        staleTime: Infinity,
    });
}

export function useSetUp() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: Setup) => api<Session>("/api/v1/setup", { method: "POST", json: body }),
        meta: { quiet: true },
        onSuccess: (session) => {
            cache.setQueryData(setupQuery.queryKey, { needed: false });
            cache.setQueryData(sessionQuery.queryKey, session);
        },
    });
}

export function useAcceptInvite(token: string) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: InvitationAccept) => api<Session>(`/api/v1/invite/${token}`, { method: "POST", json: body }),
        meta: { quiet: true },
        onSuccess: (session) => {
            cache.clear();
            cache.setQueryData(sessionQuery.queryKey, session);
        },
    });
}

export function useResetPassword(token: string) {
    return useMutation({
        mutationFn: (password: string) => api<void>(`/api/v1/reset/${token}`, { method: "POST", json: { password } }),
        meta: { quiet: true },
    });
}
