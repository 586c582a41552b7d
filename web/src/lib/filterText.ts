/*
 * What somebody typed into a filter box, as a filter. Words without any operator are looked for in the name,
 * because that is what most people mean; everything else is the server's language as it stands.
 */
const OPERATOR = /[<>=!()'"`]|\b(?:i?like|in|is|rlike)\b/i;

export function filterOf(text: string): string {
    const words = text.trim();
    if (words === "" || OPERATOR.test(words)) return words;
    return `name ILIKE '%${words.replace(/[\\%_]/g, "\\$&")}%'`;
}

export function isPlainSearch(text: string): boolean {
    return !OPERATOR.test(text.trim());
}

/** Both must hold; what is in the first keeps its place behind one parenthesis. */
export function andFilter(filter: string, more: string): string {
    if (filter === "" || more === "") return filter + more;
    return `(${filter}) AND ${more}`;
}

/** Places in UTF-8, as the server counts them, as places in a string. */
export function characterRange(text: string, at: number, length: number): { from: number; to: number } {
    const bytes = new TextEncoder().encode(text);
    const upTo = (end: number) => new TextDecoder().decode(bytes.slice(0, Math.max(0, end))).length;
    return { from: upTo(at), to: upTo(at + length) };
}
