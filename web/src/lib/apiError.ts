/** What the server refused and why; status 0 and code NETWORK when it did not answer at all. */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
        readonly field: string | null = null,
        readonly requestId: string | null = null,
    ) {
        super(message);
    }
}
