/*
 * Which items a typed text means: first those that contain it whole (earlier is better), then those that
 * contain its letters in order. Items of equal rank keep their order.
 */
function rank(label: string, text: string): number | null {
    const at = label.indexOf(text);
    if (at >= 0) return at === 0 || label[at - 1] === " " ? 0 : 1;
    let from = 0;
    for (const letter of text) {
        const next = label.indexOf(letter, from);
        if (next < 0) return null;
        from = next + 1;
    }
    return 2;
}

export function rankMatches<T>(items: T[], text: string, label: (item: T) => string): T[] {
    const needle = text.trim().toLowerCase();
    if (needle === "") return items;
    return items
        .map((item, index) => ({ item, index, rank: rank(label(item).toLowerCase(), needle) }))
        .filter((entry) => entry.rank !== null)
        .sort((a, b) => a.rank! - b.rank! || a.index - b.index)
        .map((entry) => entry.item);
}
