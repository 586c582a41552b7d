/** Each row as fractions of its true class; an empty class is all zeros. */
export function normaliseRows(matrix: number[][]): number[][] {
    return matrix.map((row) => {
        const sum = row.reduce((a, b) => a + b, 0);
        return row.map((count) => (sum === 0 ? 0 : count / sum));
    });
}

export interface Confusion {
    actual: string;
    predicted: string;
    count: number;
}

/** The mistakes made most often, worst first. */
export function worstConfusions(labels: string[], matrix: number[][], limit: number): Confusion[] {
    const pairs = matrix.flatMap((row, i) =>
        row.map((count, j) => ({ actual: labels[i] ?? "", predicted: labels[j] ?? "", count, same: i === j })),
    );
    return pairs
        .filter((pair) => !pair.same && pair.count > 0)
        .sort((a, b) => b.count - a.count)
        .slice(0, limit)
        .map(({ actual, predicted, count }) => ({ actual, predicted, count }));
}
