/* A judgement of a trace, as a client's JSON tells it: every member may be anything. */
export interface Assessment {
    id: string;
    name: string;
    kind: "feedback" | "expectation" | "issue";
    /** As text; of an error, what went wrong. */
    value: string;
    rationale: string;
    /** Who or what says so. */
    source: string;
    sourceType: string;
    spanId: string;
    createdAt: string;
    /** Another one took its place. */
    valid: boolean;
}

type Members = Record<string, unknown>;

function object(value: unknown): Members {
    return typeof value === "object" && value !== null ? (value as Members) : {};
}

function text(value: unknown): string {
    return typeof value === "string" ? value : "";
}

function valueText(judged: Members): string {
    const { value } = judged;
    if (typeof value === "string") return value;
    if (value !== undefined && value !== null) return JSON.stringify(value);
    const serialized = object(judged.serialized_value);
    if (serialized.value !== undefined) return text(serialized.value);
    return text(object(judged.error).error_message) || text(object(judged.error).error_code);
}

export function assessmentOf(json: Members): Assessment {
    const kind = (["feedback", "expectation", "issue"] as const).find((name) => json[name] !== undefined) ?? "feedback";
    const source = object(json.source);
    return {
        id: text(json.assessment_id),
        name: text(json.assessment_name),
        kind,
        value: valueText(object(json[kind])),
        rationale: text(json.rationale),
        source: text(source.source_id),
        sourceType: text(source.source_type),
        spanId: text(json.span_id),
        createdAt: text(json.create_time),
        valid: json.valid !== false,
    };
}
