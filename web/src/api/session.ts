/* The session, the profile and API tokens. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { ApiToken, ApiTokenCreate, ApiTokenCreated, Login, PasswordChange, Session, User, Worker } from "./types";
import { wholeList } from "./wholeList";

export const sessionQuery = queryOptions({
    queryKey: ["session"],
    queryFn: ({ signal }) => api<Session>("/api/v1/session", { signal }),
    staleTime: 5 * 60_000,
    refetchInterval: 5000,
    retry: false,
});

export const tokensQuery = queryOptions({
    queryKey: ["tokens"],
    queryFn: ({ signal }) => wholeList<ApiToken>("/api/v1/tokens", { signal }),
});

export const workersQuery = queryOptions({
    queryKey: ["workers"],
    queryFn: ({ signal }) => wholeList<Worker>("/api/v1/workers", { signal }),
    refetchInterval: 10_000,
});

export function useSignIn() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: Login) =>
            api<Session>("/api/v1/session", { method: "POST", json: body }),
        meta: { quiet: true },
        onSuccess: (session) => cache.setQueryData(sessionQuery.queryKey, session),
    });
}

export function useSignOut() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: () => api<void>("/api/v1/session", { method: "DELETE" }),
        onSettled: () => cache.clear(),
    });
}

export function useSwitchTeam() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (team_id: string) =>
            api<Session>("/api/v1/session/team", { method: "POST", json: { team_id } }),
        onSuccess: (session) => {
            cache.clear();
            cache.setQueryData(sessionQuery.queryKey, session);
        },
    });
}

export function useUpdateProfile() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: { name?: string; locale?: string }) =>
            api<User>("/api/v1/me", { method: "PATCH", json: body }),
        onSuccess: () => cache.invalidateQueries({ queryKey: sessionQuery.queryKey }),
    });
}

export function useChangePassword() {
    return useMutation({
        mutationFn: (body: PasswordChange) => api<void>("/api/v1/me/password", { method: "PUT", json: body }),
        meta: { quiet: true },
    });
}

export function useCreateToken() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: ApiTokenCreate) =>
            api<ApiTokenCreated>("/api/v1/tokens", { method: "POST", json: body }),
        onSuccess: () => cache.invalidateQueries({ queryKey: tokensQuery.queryKey }),
    });
}

export function useRevokeToken() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => api<void>(`/api/v1/tokens/${id}`, { method: "DELETE" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: tokensQuery.queryKey }),
    });
}
