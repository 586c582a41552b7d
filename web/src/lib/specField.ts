/*
 * Finds the line of a JSON text that a server's field path names ("spec.model.layers[2].out"), so that an
 * error can be shown where it belongs. Walks the text once, keeping the path of what it stands in.
 */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+|\n/g;

interface Level {
    array: boolean;
    index: number;
    key: string;
}

function pathOf(levels: Level[]): string {
    return levels.reduce((path, level) => {
        if (level.array) return `${path}[${level.index}]`;
        return path === "" ? level.key : `${path}.${level.key}`;
    }, "");
}

/** Every path in the text with the line (from 1) where its value starts. */
export function linesOfPaths(text: string): Map<string, number> {
    const lines = new Map<string, number>();
    const levels: Level[] = [];
    let line = 1;
    let key: string | null = null;
    const value = () => {
        const path = pathOf(levels);
        if (path !== "" && !lines.has(path)) lines.set(path, line);
    };
    for (const [token] of text.matchAll(TOKEN)) {
        const top = levels.at(-1);
        if (token === "\n") line += 1;
        else if (token === "{" || token === "[") {
            value();
            levels.push({ array: token === "[", index: 0, key: "" });
            key = null;
        } else if (token === "}" || token === "]") levels.pop();
        else if (token === ",") {
            if (top?.array) top.index += 1;
            key = null;
        } else if (token === ":") {
            if (top && key !== null) top.key = key;
        } else if (top && !top.array && key === null && token.startsWith('"')) key = token.slice(1, -1);
        else value();
    }
    return lines;
}

/** The line for a field, or for its nearest parent that is in the text; null when there is none. */
export function lineOfField(text: string, field: string): number | null {
    const lines = linesOfPaths(text);
    let path = field.replace(/^spec\.?/, "");
    while (path !== "") {
        const line = lines.get(path);
        if (line !== undefined) return line;
        path = path.replace(/(\.[^.[]*|\[\d+\]|^[^.[]*)$/, "");
    }
    return null;
}
