/*
 * Live changes. One EventSource a tab carries the topics of everything on screen (browsers allow only six
 * connections to a host, shared by all tabs). An event only says that something changed: the hub
 * invalidates the matching queries, never more often than twice a second for each. When the stream cannot
 * be opened or breaks, pages poll instead and the freshness mark says so.
 */
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useSyncExternalStore } from "react";
import type { Feed } from "./types";

export type Freshness = "live" | "connecting" | "polling" | "off";

const RECONNECT_MS = 10_000;
const COALESCE_MS = 500;
const POLL_MS = 3000;
const SAFETY_POLL_MS = 30_000;

/* Which queries a change makes stale. A key that ends in "." means that query alone, not those below it. */
const KEYS: Record<string, (id: string, kind: string) => string[][]> = {
    run: (id, kind) => {
        if (kind === "metrics" || kind === "progress") return [["run", id, "metrics"], ["run", id, "."]];
        if (kind === "logs") return [["run", id, "logs"]];
        return [["run", id], ["runs"]];
    },
    job: (id, kind) => (kind === "logs" ? [["job", id, "logs"]] : [["job", id], ["jobs"]]),
    dataset_version: (id) => [["dataset_version", id], ["dataset"], ["datasets"]],
    project: () => [["runs"], ["experiments"], ["jobs"], ["datasets"], ["models"], ["project"], ["projects"]],
};

class Hub {
    private topics = new Map<string, number>();
    private listeners = new Set<() => void>();
    private source: EventSource | null = null;
    private timer: ReturnType<typeof setTimeout> | undefined;
    private pending = new Map<string, string[]>();
    private flushTimer: ReturnType<typeof setTimeout> | undefined;
    private cache: QueryClient | null = null;
    state: Freshness = "off";

    subscribe = (listener: () => void) => {
        this.listeners.add(listener);
        return () => this.listeners.delete(listener);
    };

    get = () => this.state;

    add(topics: string[], cache: QueryClient): () => void {
        this.cache = cache;
        topics.forEach((topic) => this.topics.set(topic, (this.topics.get(topic) ?? 0) + 1));
        this.schedule(0);
        return () => {
            for (const topic of topics) {
                const left = (this.topics.get(topic) ?? 1) - 1;
                if (left > 0) this.topics.set(topic, left);
                else this.topics.delete(topic);
            }
            this.schedule(0);
        };
    }

    private set(state: Freshness): void {
        if (this.state === state) return;
        this.state = state;
        this.listeners.forEach((listener) => listener());
    }

    private schedule(delay: number): void {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.open(), delay);
    }

    private open(): void {
        const url = `/api/v1/events?topics=${[...this.topics.keys()].sort().join(",")}`;
        if (this.source && new URL(this.source.url).search === new URL(url, location.href).search
            && this.source.readyState !== EventSource.CLOSED) return;
        this.source?.close();
        this.source = null;
        if (this.topics.size === 0) return this.set("off");
        if (this.state === "off") this.set("connecting");
        const source = new EventSource(url);
        source.onopen = () => {
            this.set("live");
            this.topics.forEach((_count, topic) => this.queue(topic, "state"));
        };
        source.onmessage = (message: MessageEvent<string>) => this.receive(message.data);
        source.onerror = () => {
            this.set("polling");
            source.close();
            this.schedule(RECONNECT_MS);
        };
        this.source = source;
    }

    private receive(text: string): void {
        const event = JSON.parse(text) as Feed;
        this.queue(event.topic, event.kind);
    }

    private queue(topic: string, kind: string): void {
        const [noun = "", id = ""] = topic.split(":");
        for (const key of KEYS[noun]?.(id, kind) ?? []) this.pending.set(key.join("/"), key);
        this.flushTimer ??= setTimeout(() => this.flush(), COALESCE_MS);
    }

    private flush(): void {
        this.flushTimer = undefined;
        for (const key of this.pending.values()) {
            const exact = key.at(-1) === ".";
            void this.cache?.invalidateQueries({ queryKey: exact ? key.slice(0, -1) : key, exact });
        }
        this.pending.clear();
    }
}

const hub = new Hub();

/** Follows the topics while mounted; returns how fresh the page is and how often its queries should poll. */
export function useLive(topics: string[], active = true): { freshness: Freshness; pollMs: number | false } {
    const cache = useQueryClient();
    const joined = active ? [...topics].sort().join(",") : "";
    useEffect(() => {
        if (joined === "") return undefined;
        return hub.add(joined.split(","), cache);
    }, [joined, cache]);
    const freshness = useSyncExternalStore(hub.subscribe, hub.get);
    if (!active) return { freshness: "off", pollMs: false };
    return { freshness, pollMs: freshness === "live" ? SAFETY_POLL_MS : POLL_MS };
}
