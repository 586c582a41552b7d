/* What the team may have at most, and has. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { QuotaSet, Quotas } from "./types";

export const quotasQuery = queryOptions({
    queryKey: ["quotas"],
    queryFn: ({ signal }) => api<Quotas>("/api/v1/quotas", { signal }),
});

export function useSetQuota() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (body: QuotaSet) => api<Quotas>("/api/v1/quotas", { method: "PUT", json: body }),
        onSuccess: (quotas) => cache.setQueryData(quotasQuery.queryKey, quotas),
    });
}
