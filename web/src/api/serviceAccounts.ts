/* Service accounts: programs with a role of their own, and their tokens. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { ApiToken, ApiTokenCreate, ApiTokenCreated, ServiceAccount, ServiceAccountCreate, ServiceAccountUpdate } from "./types";
import { wholeList } from "./wholeList";

export const serviceAccountsQuery = queryOptions({
    queryKey: ["service_accounts"],
    queryFn: ({ signal }) => wholeList<ServiceAccount>("/api/v1/service-accounts", { signal }),
});

export function serviceTokensQuery(account: string) {
    return queryOptions({
        queryKey: ["service_accounts", account, "tokens"],
        queryFn: ({ signal }) =>
            wholeList<ApiToken>(`/api/v1/service-accounts/${account}/tokens`, { signal }),
    });
}

function useServiceChange<Body, Reply>(send: (body: Body) => Promise<Reply>) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: send,
        onSuccess: () => {
            void cache.invalidateQueries({ queryKey: serviceAccountsQuery.queryKey });
            void cache.invalidateQueries({ queryKey: ["permissions"] });
        },
    });
}

export const useCreateServiceAccount = () =>
    useServiceChange((body: ServiceAccountCreate) => api<ServiceAccount>("/api/v1/service-accounts", { method: "POST", json: body }));

export const useUpdateServiceAccount = () =>
    useServiceChange(({ id, ...body }: ServiceAccountUpdate & { id: string }) =>
        api<ServiceAccount>(`/api/v1/service-accounts/${id}`, { method: "PATCH", json: body }),
    );

export const useDeleteServiceAccount = () =>
    useServiceChange((id: string) => api<void>(`/api/v1/service-accounts/${id}`, { method: "DELETE" }));

export const useCreateServiceToken = (account: string) =>
    useServiceChange((body: ApiTokenCreate) =>
        api<ApiTokenCreated>(`/api/v1/service-accounts/${account}/tokens`, { method: "POST", json: body }),
    );

export const useRevokeServiceToken = (account: string) =>
    useServiceChange((id: string) => api<void>(`/api/v1/service-accounts/${account}/tokens/${id}`, { method: "DELETE" }));
