/*
 * What a span holds, out of the words of OTLP's JSON: attributes whose values say their type, and among them MLflow's
 * own, which are JSON in a text. Everything comes from a client and is kept as text to show.
 */
export interface SpanEvent {
    name: string;
    at_ns: number;
    attributes: [string, string][];
}

export interface SpanContent {
    inputs: string | null;
    outputs: string | null;
    attributes: [string, string][];
    events: SpanEvent[];
    /** What a failed span says of it. */
    message: string;
}

type Json = unknown;

const INPUTS = "mlflow.spanInputs";
const OUTPUTS = "mlflow.spanOutputs";
/* Said elsewhere on the page, or of no use to a reader. */
const HIDDEN = new Set([INPUTS, OUTPUTS, "mlflow.spanType", "mlflow.traceRequestId", "mlflow.spanFunctionName"]);

function member(json: Json, name: string): Json {
    return typeof json === "object" && json !== null ? (json as Record<string, Json>)[name] : undefined;
}

function list(json: Json): Json[] {
    return Array.isArray(json) ? json : [];
}

function textOf(json: Json): string {
    return typeof json === "string" ? json : "";
}

/* AnyValue: {string_value: …}, {array_value: {values: […]}} … */
function valueOf(any: Json): Json {
    const array = member(any, "array_value");
    if (array !== undefined) return list(member(array, "values")).map(valueOf);
    const pairs = member(any, "kvlist_value");
    if (pairs !== undefined) return Object.fromEntries(list(member(pairs, "values")).map((pair) => [textOf(member(pair, "key")), valueOf(member(pair, "value"))]));
    return ["string_value", "bool_value", "int_value", "double_value", "bytes_value"].map((name) => member(any, name)).find((value) => value !== undefined) ?? null;
}

/** A value as a person reads it: texts plain, JSON in lines. A text that is JSON is taken for that. */
export function readable(value: Json): string {
    if (typeof value !== "string") return JSON.stringify(value, null, 2) ?? "";
    if (!/^\s*["{[]/.test(value)) return value;
    try {
        const parsed = JSON.parse(value) as Json;
        return typeof parsed === "string" ? parsed : JSON.stringify(parsed, null, 2);
    } catch {
        return value;
    }
}

function pairsOf(attributes: Json): [string, string][] {
    return list(attributes).map((pair) => [textOf(member(pair, "key")), readable(valueOf(member(pair, "value")))]);
}

export function spanContent(body: Json): SpanContent {
    const pairs = pairsOf(member(body, "attributes"));
    const named = (key: string) => pairs.find(([name]) => name === key)?.[1] ?? null;
    const events = list(member(body, "events")).map((event) => ({
        name: textOf(member(event, "name")),
        at_ns: Number(member(event, "time_unix_nano") ?? 0),
        attributes: pairsOf(member(event, "attributes")),
    }));
    return {
        inputs: named(INPUTS),
        outputs: named(OUTPUTS),
        attributes: pairs.filter(([name]) => !HIDDEN.has(name)),
        events,
        message: textOf(member(member(body, "status"), "message")),
    };
}
