import { ApiError } from "./apiError";
import { characterRange } from "./filterText";

/** The server's complaint about the filter, with its place in what was typed here; null when it complained about nothing. */
export function filterErrorOf(error: unknown, typed: string): { message: string; range: { from: number; to: number } | null } | null {
    if (!(error instanceof ApiError) || error.field !== "filter") return null;
    if (!error.position) return { message: error.message, range: null };
    const lead = typed.length - typed.trimStart().length;
    const { from, to } = characterRange(typed.trim(), error.position.at, error.position.length);
    return { message: error.message, range: { from: from + lead, to: to + lead } };
}
