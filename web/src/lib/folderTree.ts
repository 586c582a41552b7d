/*
 * Experiments stand in folders named "a/b"; a folder is there while something is in it. The tree becomes one
 * flat list of rows, as a virtualised table wants it: folders first, then what has no folder of its own.
 */
export type TreeRow<T> =
    | { kind: "folder"; path: string; name: string; depth: number; count: number; open: boolean }
    | { kind: "item"; item: T; depth: number };

interface Node<T> {
    children: Map<string, Node<T>>;
    items: T[];
    count: number;
}

const empty = <T>(): Node<T> => ({ children: new Map(), items: [], count: 0 });

function rowsOf<T>(node: Node<T>, path: string, depth: number, closed: ReadonlySet<string>): TreeRow<T>[] {
    const names = [...node.children.keys()].sort((a, b) => a.localeCompare(b));
    const folders = names.flatMap((name): TreeRow<T>[] => {
        const child = node.children.get(name)!;
        const here = path === "" ? name : `${path}/${name}`;
        const open = !closed.has(here);
        const row = { kind: "folder" as const, path: here, name, depth, count: child.count, open };
        return open ? [row, ...rowsOf(child, here, depth + 1, closed)] : [row];
    });
    return [...folders, ...node.items.map((item) => ({ kind: "item" as const, item, depth }))];
}

export function treeRows<T extends { folder: string }>(items: T[], closed: ReadonlySet<string>): TreeRow<T>[] {
    const root = empty<T>();
    for (const item of items) {
        let node = root;
        for (const name of item.folder.split("/").filter(Boolean)) {
            if (!node.children.has(name)) node.children.set(name, empty());
            node = node.children.get(name)!;
            node.count += 1;
        }
        node.items.push(item);
    }
    return rowsOf(root, "", 0, closed);
}
