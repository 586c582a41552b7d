/* Jobs: queued work, its states, attempts and logs. */
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "./client";
import type { Job, JobEvent, LogLine, Page } from "./types";

export interface JobFilter {
    state?: string;
    kind?: string;
}

export function jobsQuery(project: string, filter: JobFilter) {
    return infiniteQueryOptions({
        queryKey: ["jobs", project, filter],
        queryFn: ({ pageParam, signal }) =>
            api<Page<Job>>(`/api/v1/projects/${project}/jobs`, {
                query: { ...filter, cursor: pageParam, limit: 100 },
                signal,
            }),
        initialPageParam: null as string | null,
        getNextPageParam: (last) => last.next_cursor,
    });
}

export function jobQuery(id: string) {
    return queryOptions({
        queryKey: ["job", id],
        queryFn: ({ signal }) => api<Job>(`/api/v1/jobs/${id}`, { signal }),
        enabled: id !== "",
    });
}

export function jobEventsQuery(id: string) {
    return queryOptions({
        queryKey: ["job", id, "events"],
        queryFn: ({ signal }) =>
            api<Page<JobEvent>>(`/api/v1/jobs/${id}/events`, { query: { limit: 200 }, signal }),
    });
}

/** `owner` is "jobs" or "runs": both keep log lines under the same sub-path. */
export function logsQuery(owner: "jobs" | "runs", id: string, search: string) {
    return infiniteQueryOptions({
        queryKey: [owner === "jobs" ? "job" : "run", id, "logs", search],
        queryFn: ({ pageParam, signal }) =>
            api<Page<LogLine>>(`/api/v1/${owner}/${id}/logs`, {
                query: { after: pageParam, limit: 200, ...(owner === "runs" ? { q: search } : {}) },
                signal,
            }),
        initialPageParam: 0,
        getNextPageParam: (last) => (last.items.length < 200 ? null : last.items.at(-1)?.seq),
    });
}

function useJobAction(action: "cancel" | "retry") {
    const cache = useQueryClient();
    return useMutation({
        mutationFn: (id: string) => api<Job>(`/api/v1/jobs/${id}/${action}`, { method: "POST" }),
        onSuccess: (job) => {
            void cache.invalidateQueries({ queryKey: ["job", job.id] });
            void cache.invalidateQueries({ queryKey: ["jobs"] });
            if (job.run_id) void cache.invalidateQueries({ queryKey: ["run", job.run_id] });
        },
    });
}

export const useCancelJob = () => useJobAction("cancel");
export const useRetryJob = () => useJobAction("retry");
