const OVER = ["succeeded", "failed", "cancelled"];

/** Whether a run or a job in this state can still change by itself. */
export function isActive(state: string): boolean {
    return !OVER.includes(state);
}
