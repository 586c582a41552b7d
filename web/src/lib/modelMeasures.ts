/* What runs measured of a logged model, as its pages show it: the newest value of each key, or all by data set. */
export interface Measure {
    key: string;
    value: number | string;
    step: number;
    timestamp: number;
    run_id: string;
    dataset_name: string;
    dataset_digest: string;
}

export function newestMeasures(measures: readonly Measure[]): Record<string, number | string> {
    const byTime = [...measures].sort((a, b) => a.timestamp - b.timestamp || a.step - b.step);
    return Object.fromEntries(byTime.map(({ key, value }) => [key, value]));
}

/** Groups of one data set each, "" first; within one by key, then as they came. */
export function measuresByDataset<T extends Measure>(measures: readonly T[]): [name: string, measures: T[]][] {
    const groups = new Map<string, T[]>();
    for (const measure of measures) {
        const name = measure.dataset_digest === "" ? measure.dataset_name : `${measure.dataset_name} (${measure.dataset_digest})`;
        if (!groups.get(name)?.push(measure)) groups.set(name, [measure]);
    }
    return [...groups].sort(([a], [b]) => a.localeCompare(b));
}
