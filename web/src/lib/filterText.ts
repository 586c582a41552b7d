/*
 * What somebody typed into a filter box. Words without any operator are looked for in the name, because that is
 * what most people mean; everything else is the server's language as it stands.
 */
const OPERATOR = /[<>=!()'"`]|\b(?:i?like|in|is|rlike)\b/i;

export function searchOf(text: string): { q?: string; filter?: string } {
    const words = text.trim();
    if (words === "") return {};
    return OPERATOR.test(words) ? { filter: words } : { q: words };
}

/** Places in UTF-8, as the server counts them, as places in a string. */
export function characterRange(text: string, at: number, length: number): { from: number; to: number } {
    const bytes = new TextEncoder().encode(text);
    const upTo = (end: number) => new TextDecoder().decode(bytes.slice(0, Math.max(0, end))).length;
    return { from: upTo(at), to: upTo(at + length) };
}

/** The whole search in the filter language alone, for what takes nothing else. */
export function asFilter({ q, state, filter }: { q?: string; state?: string; filter?: string }): string {
    const text = q?.replace(/[\\%_]/g, "\\$&").replaceAll("'", "''");
    const parts = [filter && `(${filter})`, text && `name ILIKE '%${text}%'`, state && `state = '${state}'`];
    return parts.filter(Boolean).join(" AND ");
}
