/** What the server refused and why; status 0 and code NETWORK when it did not answer at all. */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
        readonly field: string | null = null,
        readonly requestId: string | null = null,
        /** Where in the field's text it is wrong, in bytes. */
        readonly position: { at: number; length: number } | null = null,
    ) {
        super(message);
    }
}
