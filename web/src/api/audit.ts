/* The audit log: searched, exported, verified. */
import { infiniteQueryOptions, useMutation } from "@tanstack/react-query";
import { api, withQuery } from "./client";
import type { AuditEvent, AuditVerification, Page } from "./types";

export interface AuditFilter {
    actor?: string;
    action?: string;
    object?: string;
    refused?: string;
    from?: string;
    to?: string;
}

export function auditQuery(filter: AuditFilter) {
    return infiniteQueryOptions({
        queryKey: ["audit", filter],
        queryFn: ({ pageParam, signal }) =>
            api<Page<AuditEvent>>("/api/v1/audit", { query: { ...filter, cursor: pageParam, limit: 200 }, signal }),
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
    });
}

export function auditExportUrl(format: "jsonl" | "csv"): string {
    return withQuery("/api/v1/audit/export", { format });
}

export function useVerifyAudit() {
    return useMutation({ mutationFn: () => api<AuditVerification>("/api/v1/audit/verify") });
}
