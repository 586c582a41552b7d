import { formatDuration, formatMicroseconds } from "./format";

const MINUTE_S = 60;

/** How long a piece of work took: "12 µs", "3.4 ms", "1.25 s", "3 m 20 s". */
export function formatNanoseconds(ns: number): string {
    const us = Math.max(0, ns) / 1000;
    if (us < 999_500) return formatMicroseconds(us);
    const seconds = us / 1_000_000;
    return seconds < MINUTE_S ? `${seconds.toFixed(2)} s` : formatDuration(seconds);
}

export function formatMilliseconds(ms: number): string {
    return formatNanoseconds(ms * 1_000_000);
}
