/* One's own second factor and the browsers one is signed in with. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import { membersQuery } from "./members";
import type { BrowserSession, RecoveryCodes, TotpSetup } from "./types";
import { wholeList } from "./wholeList";

export const sessionsQuery = queryOptions({
    queryKey: ["sessions"],
    queryFn: ({ signal }) => wholeList<BrowserSession>("/api/v1/sessions", { signal }),
});

export function useEndSession() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => api<void>(`/api/v1/sessions/${id}`, { method: "DELETE" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
    });
}

export function useEndOtherSessions() {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: () => api<void>("/api/v1/sessions/end-others", { method: "POST" }),
        onSuccess: () => cache.invalidateQueries({ queryKey: sessionsQuery.queryKey }),
    });
}

export function useBeginTotp() {
    return useMutation({ mutationFn: () => api<TotpSetup>("/api/v1/me/totp", { method: "POST" }) });
}

type CodeUse = "confirm" | "renew" | "remove";

const CODE_ROUTES: Record<CodeUse, [string, "POST" | "DELETE"]> = {
    confirm: ["/api/v1/me/totp/confirm", "POST"],
    renew: ["/api/v1/me/recovery-codes", "POST"],
    remove: ["/api/v1/me/totp", "DELETE"],
};

/** What a code of the second factor is good for: putting it in force, new recovery codes, removing it. */
export function useCode(use: CodeUse) {
    const cache = useQueryClient();
    const [path, method] = CODE_ROUTES[use];
    return useMutation({
        mutationFn: (code: string) => api<RecoveryCodes | undefined>(path, { method, json: { code } }),
        meta: { quiet: true },
        onSuccess: () => cache.invalidateQueries({ queryKey: membersQuery.queryKey }),
    });
}
