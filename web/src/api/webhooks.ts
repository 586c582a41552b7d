/* Webhooks: addresses that are told of events of a project, what was sent to them, and a try. */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { Page, Webhook, WebhookCreate, WebhookDelivery, WebhookTest, WebhookUpdate } from "./types";

const POLL_MS = 5000;
const PAGE = 50;

const pathOf = (project: string, id?: string) => `/api/v1/projects/${project}/webhooks${id === undefined ? "" : `/${id}`}`;

export function webhooksQuery(project: string) {
    return queryOptions({
        queryKey: ["webhooks", project],
        queryFn: ({ signal }) => api<Page<Webhook>>(pathOf(project), { query: { limit: 200 }, signal }),
        refetchInterval: POLL_MS,
    });
}

export function deliveriesQuery(project: string, id: string) {
    return infiniteQueryOptions({
        queryKey: ["webhooks", project, id, "deliveries"],
        queryFn: ({ pageParam, signal }) => api<Page<WebhookDelivery>>(`${pathOf(project, id)}/deliveries`, { query: { cursor: pageParam, limit: PAGE }, signal }),
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
        refetchInterval: ({ state }) => POLL_MS * (state.data?.pages.length ?? 1),
    });
}

function useWebhookChange<Body, Answer>(project: string, send: (body: Body) => Promise<Answer>) {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: send,
        meta: { quiet: true },
        onSuccess: () => cache.invalidateQueries({ queryKey: ["webhooks", project] }),
    });
}

/** Makes a webhook, or changes the one with this id. */
export const useSaveWebhook = (project: string, id: string | null) =>
    useWebhookChange(project, (body: WebhookCreate & WebhookUpdate) =>
        id === null ? api<Webhook>(pathOf(project), { method: "POST", json: body }) : api<Webhook>(pathOf(project, id), { method: "PATCH", json: body }),
    );

export const useDeleteWebhook = (project: string) => useWebhookChange(project, (id: string) => api<void>(pathOf(project, id), { method: "DELETE" }));

export const useRedeliver = (project: string, id: string) =>
    useWebhookChange(project, (delivery: string) => api<WebhookDelivery>(`${pathOf(project, id)}/deliveries/${delivery}/redeliver`, { method: "POST" }));

export const useTestWebhook = (project: string, id: string) =>
    useWebhookChange(project, (event: string) => api<WebhookTest>(`${pathOf(project, id)}/test`, { method: "POST", json: { event } }));
