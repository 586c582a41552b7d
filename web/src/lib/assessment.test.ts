import { expect, test } from "vitest";
import { assessmentOf } from "./assessment";

test("a judgement is read as clients tell it", () => {
    const json = { assessment_id: "a-1", assessment_name: "good", feedback: { value: true }, source: { source_type: "HUMAN", source_id: "ada" }, rationale: "it is", create_time: "2026-01-31T00:00:00Z", valid: false };
    expect(assessmentOf(json)).toEqual({ id: "a-1", name: "good", kind: "feedback", value: "true", rationale: "it is", source: "ada", sourceType: "HUMAN", spanId: "", createdAt: "2026-01-31T00:00:00Z", valid: false });
    expect(assessmentOf({ expectation: { serialized_value: { value: '{"a":1}' } } })).toMatchObject({ kind: "expectation", value: '{"a":1}', valid: true });
    expect(assessmentOf({ feedback: { error: { error_code: "TIMEOUT", error_message: "too slow" } } }).value).toBe("too slow");
});

test("what is no judgement is shown empty", () => {
    expect(assessmentOf({ assessment_id: 3, feedback: "x", source: null, rationale: {} })).toMatchObject({ id: "", value: "", source: "", rationale: "" });
});
