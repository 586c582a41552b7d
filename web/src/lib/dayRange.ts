const DAY_MS = 86_400_000;

/** Days as they are picked, "2026-03-01", as the moments between which they lie; "" leaves an end open. */
export function dayRange(first: string | undefined, last: string | undefined): { from?: string; to?: string } {
    const start = first ? new Date(`${first}T00:00`) : null;
    const end = last ? new Date(`${last}T00:00`) : null;
    return {
        ...(start && !Number.isNaN(start.getTime()) ? { from: start.toISOString() } : {}),
        ...(end && !Number.isNaN(end.getTime()) ? { to: new Date(end.getTime() + DAY_MS).toISOString() } : {}),
    };
}
