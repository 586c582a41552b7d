/** The metrics that say how good a version is: of the test split, then of the validation split; else all. */
export function modelMetrics(metrics: Record<string, number>): [string, number][] {
    const entries = Object.entries(metrics).sort(([a], [b]) => a.localeCompare(b));
    const of = (split: string) => entries.filter(([key]) => key.startsWith(`${split}/`));
    const judged = [...of("test"), ...of("val")];
    return judged.length > 0 ? judged : entries;
}
