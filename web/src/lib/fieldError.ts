import { ApiError } from "./apiError";

/** The server's sentence about this field, for the note under its control; null when it is about others. */
export function fieldError(error: unknown, field: string): string | null {
    return error instanceof ApiError && error.field === field ? error.message : null;
}
