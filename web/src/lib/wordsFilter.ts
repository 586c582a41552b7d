import { searchOf } from "./filterText";

/** Words without an operator are looked for in any of these fields; everything else is the server's language as it stands. */
export function wordsFilter(text: string, fields: readonly string[]): string {
    const { q, filter } = searchOf(text);
    if (q === undefined) return filter ?? "";
    const part = q.replace(/[\\%_]/g, "\\$&").replaceAll("'", "''");
    return fields.map((field) => `${field} ILIKE '%${part}%'`).join(" OR ");
}
