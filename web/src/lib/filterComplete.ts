/*
 * What may follow where the cursor stands in a filter. It reads the text before the cursor as the server's
 * language would (fields, operators, values, AND and OR) but refuses nothing: the server does, with a place.
 */
export interface FilterField {
    name: string;
    type: "text" | "number" | "time" | "id";
    /** The values there are, when there are few. */
    values?: readonly string[];
}

export interface Completion {
    /** The part of the text that a choice replaces. */
    from: number;
    to: number;
    options: { text: string; detail: string }[];
}

type Expected = "field" | "operator" | "value" | "joiner";
interface Place {
    expected: Expected;
    field: string;
    inList: boolean;
}

const TOKEN = /'(?:[^'\\]|\\.)*'?|`[^`]*`?|[()]|,|[<>=!]+|[^\s()<>=!,'"`]+(?:"(?:[^"]|"")*"?|`[^`]*`?)?|"(?:[^"]|"")*"?/g;
const OPERATORS = {
    text: ["=", "!=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"],
    number: ["<", "<=", ">", ">=", "=", "!=", "IN", "IS NULL", "IS NOT NULL"],
    time: [">", ">=", "<", "<=", "=", "!="],
    id: ["=", "!=", "IN"],
} as const;
const MOST_OPTIONS = 12;

function afterOperator(token: string, place: Place): Place {
    const word = token.toUpperCase();
    if (word === "IS" || word === "NOT") return place;
    if (word === "NULL") return { ...place, expected: "joiner" };
    return { ...place, expected: "value" };
}

function step(place: Place, token: string): Place {
    const word = token.toUpperCase();
    switch (place.expected) {
        case "field":
            if (token === "(" || word === "NOT" || /^(MIN|MAX|LAST)$/.test(word)) return place;
            return { expected: "operator", field: token, inList: false };
        case "operator":
            return token === ")" ? place : afterOperator(token, place);
        case "value":
            if (token === "(") return { ...place, inList: true };
            if (place.inList && token !== ")") return place;
            return { ...place, expected: "joiner", inList: false };
        case "joiner":
            return word === "AND" || word === "OR" ? { expected: "field", field: "", inList: false } : place;
    }
}

/* Spaces stand at both ends, so that what was chosen and what is there do not run together. */
function optionsFor(place: Place, fields: readonly FilterField[]): { text: string; detail: string }[] {
    const field = fields.find(({ name }) => name === place.field);
    if (place.expected === "field") return [...fields.map(({ name, type }) => ({ text: name, detail: type })), { text: "NOT", detail: "" }];
    if (place.expected === "operator") return OPERATORS[field?.type ?? "text"].map((text) => ({ text, detail: "" }));
    if (place.expected === "value") return (field?.values ?? []).map((value) => ({ text: `'${value}'`, detail: "" }));
    return ["AND", "OR"].map((text) => ({ text, detail: "" }));
}

export function completeFilter(text: string, cursor: number, fields: readonly FilterField[]): Completion {
    const before = text.slice(0, cursor);
    const tokens = [...before.matchAll(TOKEN)];
    const last = tokens.at(-1);
    const typing = last !== undefined && last.index + last[0].length === cursor && !/^[(),]$|^[<>=!]+$/.test(last[0]) ? last : undefined;
    const place = tokens.filter((token) => token !== typing).reduce((at, [token]) => step(at, token), { expected: "field", field: "", inList: false } as Place);
    const from = typing?.index ?? cursor;
    const typed = (typing?.[0] ?? "").toLowerCase();
    const rank = (option: { text: string }) => (option.text.toLowerCase().startsWith(typed) ? 0 : 1);
    const options = optionsFor(place, fields)
        .filter((option) => option.text.toLowerCase().includes(typed.replace(/^'/, "")) && option.text.toLowerCase() !== typed)
        .sort((a, b) => rank(a) - rank(b))
        .slice(0, MOST_OPTIONS);
    return { from, to: cursor, options };
}
