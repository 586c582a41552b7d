/*
 * Children under their parents. Rows keep their order otherwise; a child whose parent is not in the list stays
 * where it is, and a circle (which the server does not make) is cut where it is met.
 */
export interface Nested<T> {
    row: T;
    depth: number;
    children: number;
}

export function nestRows<T extends { id: string; parent_id: string | null }>(rows: T[], closed: ReadonlySet<string>): Nested<T>[] {
    const here = new Set(rows.map((row) => row.id));
    const below = new Map<string, T[]>();
    for (const row of rows) {
        if (row.parent_id === null || !here.has(row.parent_id) || row.parent_id === row.id) continue;
        below.set(row.parent_id, [...(below.get(row.parent_id) ?? []), row]);
    }
    const seen = new Set<string>();
    const out: Nested<T>[] = [];
    const add = (row: T, depth: number, shown: boolean) => {
        if (seen.has(row.id)) return;
        seen.add(row.id);
        const children = below.get(row.id) ?? [];
        if (shown) out.push({ row, depth, children: children.length });
        for (const child of children) add(child, depth + 1, shown && !closed.has(row.id));
    };
    for (const row of rows) if (row.parent_id === null || !here.has(row.parent_id)) add(row, 0, true);
    for (const row of rows) add(row, 0, true);
    return out;
}
