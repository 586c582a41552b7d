/* Single sign-on: what the sign-in page offers, and the identity providers behind it. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, withQuery } from "./client";
import type { Provider, ProviderCreate, ProviderTest, ProviderUpdate, SignIn } from "./types";
import { wholeList } from "./wholeList";

export const signInQuery = queryOptions({
    queryKey: ["sign_in"],
    queryFn: ({ signal }) => api<SignIn>("/api/v1/sign-in", { signal }),
    staleTime: 60_000,
});

export function ssoUrl(provider: string, returnTo: string): string {
    return withQuery(`/api/v1/sso/${provider}/start`, { return_to: returnTo });
}

export const providersQuery = queryOptions({
    queryKey: ["providers"],
    queryFn: ({ signal }) => wholeList<Provider>("/api/v1/providers", { signal }),
});

function useProviderChange<Body>(send: (body: Body) => Promise<unknown>) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: send,
        meta: { quiet: true },
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: providersQuery.queryKey });
            void cache.invalidateQueries({ queryKey: signInQuery.queryKey });
        },
    });
}

/** Makes a provider, or changes the one with this id. */
export const useSaveProvider = (id: string | null) =>
    useProviderChange((body: ProviderCreate & ProviderUpdate) =>
        id === null
            ? api<Provider>("/api/v1/providers", { method: "POST", json: body })
            : api<Provider>(`/api/v1/providers/${id}`, { method: "PATCH", json: body }),
    );

export const useDeleteProvider = () =>
    useProviderChange((id: string) => api<void>(`/api/v1/providers/${id}`, { method: "DELETE" }));

export function useTestProvider() {
    return useMutation({
        mutationFn: (id: string) => api<ProviderTest>(`/api/v1/providers/${id}/test`, { method: "POST" }),
    });
}
