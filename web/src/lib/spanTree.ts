/*
 * Spans in the order in which a tree shows them: a parent, then what happened below it by time. Spans are what a
 * client says they are: a parent may be missing or be its own grandchild, and there may be thousands, one in the other.
 */
export interface SpanPlace {
    span_id: string;
    parent_id: string | null;
    started_ns: number;
}

export interface SpanRow<T> {
    span: T;
    depth: number;
    children: number;
    /** How many rows below this one are its descendants. */
    descendants: number;
}

export function spanRows<T extends SpanPlace>(spans: readonly T[]): SpanRow<T>[] {
    const byTime = [...spans].sort((a, b) => a.started_ns - b.started_ns);
    const known = new Set(byTime.map((span) => span.span_id));
    const below = new Map<string, T[]>();
    const roots: T[] = [];
    for (const span of byTime) {
        if (span.parent_id === null || !known.has(span.parent_id) || span.parent_id === span.span_id) roots.push(span);
        else if (!below.get(span.parent_id)?.push(span)) below.set(span.parent_id, [span]);
    }
    const seen = new Set<string>();
    const rows: SpanRow<T>[] = [];
    /* Circles have no root: whoever of them came first stands for one. */
    for (const root of [...roots, ...byTime]) walk(root, below, seen, rows);
    countDescendants(rows);
    return rows;
}

/* A stack of its own, because the browser's is shorter than what a client may nest. */
function walk<T extends SpanPlace>(root: T, below: Map<string, T[]>, seen: Set<string>, rows: SpanRow<T>[]): void {
    const waiting = [{ span: root, depth: 0 }];
    while (waiting.length > 0) {
        const { span, depth } = waiting.pop()!;
        if (seen.has(span.span_id)) continue;
        seen.add(span.span_id);
        const children = (below.get(span.span_id) ?? []).filter((child) => !seen.has(child.span_id));
        rows.push({ span, depth, children: children.length, descendants: 0 });
        for (let index = children.length - 1; index >= 0; index--) waiting.push({ span: children[index]!, depth: depth + 1 });
    }
}

function countDescendants<T>(rows: SpanRow<T>[]): void {
    const open: number[] = [];
    for (let index = 0; index <= rows.length; index++) {
        const depth = rows[index]?.depth ?? 0;
        while (open.length > 0 && rows[open.at(-1)!]!.depth >= depth) {
            const at = open.pop()!;
            rows[at]!.descendants = index - at - 1;
        }
        open.push(index);
    }
}

/** Those that no closed row hides. */
export function openRows<T extends SpanPlace>(rows: readonly SpanRow<T>[], closed: ReadonlySet<string>): SpanRow<T>[] {
    const shown: SpanRow<T>[] = [];
    for (let index = 0; index < rows.length; index++) {
        const row = rows[index]!;
        shown.push(row);
        if (closed.has(row.span.span_id)) index += row.descendants;
    }
    return shown;
}
