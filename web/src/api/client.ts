/*
 * The only place that fetches. Every failure becomes one ApiError: the server's problem+json as it is,
 * or code NETWORK when no answer came. A 401 is answered by one refresh of the session, shared by all
 * requests that meet it, and one repeat; after that the session is over and the listeners are told.
 */
import { ApiError } from "../lib/apiError";

export type Query = Record<string, string | number | boolean | null | undefined>;

interface Options {
    method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD";
    query?: Query;
    json?: unknown;
    body?: Blob;
    headers?: Record<string, string>;
    signal?: AbortSignal;
    idempotencyKey?: string;
}

const sessionEnded = new Set<() => void>();
let refreshing: Promise<boolean> | null = null;

/* Doors that need no session: a 401 of theirs is an answer, not the end of one. */
const DOORS = /^\/api\/v1\/(setup$|sign-in$|invite\/|reset\/)/;

export function onSessionEnded(listener: () => void): () => void {
    sessionEnded.add(listener);
    return () => sessionEnded.delete(listener);
}

export function withQuery(path: string, query: Query = {}): string {
    const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
    if (pairs.length === 0) return path;
    return `${path}?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`;
}

async function send(path: string, options: Options): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
    const method = options.method ?? "GET";
    if (method !== "GET" && method !== "HEAD") headers["X-Slipway-Request"] = "1";
    if (options.json !== undefined) headers["Content-Type"] = "application/json";
    if (options.idempotencyKey) headers["Idempotency-Key"] = options.idempotencyKey;
    try {
        return await fetch(withQuery(path, options.query), {
            method,
            headers,
            body: options.json !== undefined ? JSON.stringify(options.json) : (options.body ?? null),
            signal: options.signal ?? null,
            credentials: "same-origin",
        });
    } catch (cause) {
        if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
        throw new ApiError(0, "NETWORK", "");
    }
}

async function failure(response: Response): Promise<ApiError> {
    const requestId = response.headers.get("X-Request-Id");
    const text = await response.text();
    try {
        const problem = JSON.parse(text) as Record<string, unknown>;
        return new ApiError(
            response.status,
            String(problem.code ?? response.status),
            String(problem.detail ?? problem.error ?? problem.title ?? response.statusText),
            typeof problem.field === "string" ? problem.field : null,
            typeof problem.request_id === "string" ? problem.request_id : requestId,
            (problem.position as ApiError["position"] | undefined) ?? null,
        );
    } catch {
        return new ApiError(response.status, String(response.status), response.statusText, null, requestId);
    }
}

function refresh(): Promise<boolean> {
    refreshing ??= send("/api/v1/session/refresh", { method: "POST" })
        .then((response) => response.ok)
        .catch(() => false)
        .finally(() => {
            refreshing = null;
        });
    return refreshing;
}

/** Sends one request; the response is 2xx, everything else is thrown as an ApiError. */
export async function request(path: string, options: Options = {}): Promise<Response> {
    let response = await send(path, options);
    const isDoor = DOORS.test(path) || (path === "/api/v1/session" && options.method === "POST");
    if (response.status === 401 && !isDoor) {
        if (await refresh()) response = await send(path, options);
        if (response.status === 401) sessionEnded.forEach((listener) => listener());
    }
    if (!response.ok) throw await failure(response);
    return response;
}

/** Sends one request and returns its JSON; void for replies without a body. */
export async function api<T>(path: string, options: Options = {}): Promise<T> {
    const response = await request(path, options);
    if (response.status === 204) return undefined as T;
    return (await response.json()) as T;
}
