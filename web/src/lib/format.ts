/* Numbers, sizes and times as people read them. Pure: the locale and "now" are arguments. */
const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

export function formatCount(value: number, locale: string): string {
    return new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(value);
}

/** A metric: four significant digits, exponents for the very small and the very large. */
export function formatMetric(value: number | string | null | undefined): string {
    if (value === null || value === undefined) return "–";
    const number = Number(value);
    if (Number.isNaN(number)) return "NaN";
    if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
    if (number === 0) return "0";
    const size = Math.abs(number);
    if (size < 1e-4 || size >= 1e7) return number.toExponential(2);
    if (Number.isInteger(number)) return String(number);
    return String(Number(number.toPrecision(4)));
}

export function formatPercent(fraction: number, locale: string, digits = 1): string {
    return new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: digits }).format(fraction);
}

export function formatBytes(bytes: number): string {
    let value = bytes;
    let unit = 0;
    while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
        value /= 1000;
        unit += 1;
    }
    const digits = unit === 0 || value >= 99.5 ? 0 : 1;
    return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** "450 ms", "12 s", "3 m 20 s", "2 h 5 m", "3 d 4 h". */
export function formatDuration(seconds: number): string {
    if (seconds < 1) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
    const whole = Math.round(seconds);
    if (whole < 60) return `${whole} s`;
    const units: [number, string][] = [[86_400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
    const start = units.findIndex(([size]) => whole >= size);
    const [size, name] = units[start]!;
    const [nextSize, nextName] = units[start + 1]!;
    const rest = Math.floor((whole % size) / nextSize);
    const head = `${Math.floor(whole / size)} ${name}`;
    return rest > 0 ? `${head} ${rest} ${nextName}` : head;
}

export function formatMicroseconds(us: number): string {
    return us < 1000 ? `${Math.round(us)} µs` : `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`;
}

export function formatTime(iso: string, locale: string): string {
    return new Date(iso).toLocaleString(locale, { dateStyle: "medium", timeStyle: "medium" });
}

export function formatClock(iso: string, locale: string): string {
    return new Date(iso).toLocaleTimeString(locale, { hour12: false });
}

/** "just now", "5 minutes ago", "in 3 days". */
export function formatRelative(iso: string, now: number, locale: string): string {
    const seconds = (new Date(iso).getTime() - now) / 1000;
    const format = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
    const steps: [number, Intl.RelativeTimeFormatUnit][] = [
        [86_400 * 365, "year"],
        [86_400 * 30, "month"],
        [86_400, "day"],
        [3600, "hour"],
        [60, "minute"],
    ];
    for (const [size, unit] of steps) {
        if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
    }
    return Math.abs(seconds) < 10 ? format.format(0, "second") : format.format(Math.trunc(seconds), "second");
}

export function secondsBetween(from: string | null, to: string | null, now: number): number | null {
    if (from === null) return null;
    return ((to === null ? now : new Date(to).getTime()) - new Date(from).getTime()) / 1000;
}
