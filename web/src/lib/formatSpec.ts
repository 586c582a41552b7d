/** JSON as a person would lay it out: what fits on a line stays on it, so a layer is one line. */
const LINE = 100;

function inline(value: unknown): string {
    if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
    if (value !== null && typeof value === "object") {
        const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}: ${inline(member)}`);
        return `{${members.join(", ")}}`;
    }
    return JSON.stringify(value);
}

export function formatSpec(value: unknown, indent = ""): string {
    const short = inline(value);
    const composite = value !== null && typeof value === "object";
    if (!composite || (indent !== "" && indent.length + short.length <= LINE)) return short;
    const inner = `${indent}  `;
    if (Array.isArray(value)) {
        return `[\n${value.map((member) => inner + formatSpec(member, inner)).join(",\n")}\n${indent}]`;
    }
    const members = Object.entries(value).map(
        ([key, member]) => `${inner}${JSON.stringify(key)}: ${formatSpec(member, inner)}`,
    );
    return `{\n${members.join(",\n")}\n${indent}}`;
}
