import { expect, test } from "vitest";
import type { ServableVersion } from "../api/types";
import { curlSnippet, pythonSnippet } from "./snippets";

const TABLE = {
    id: "v1",
    model_name: "o'brien",
    version: 3,
    input_kind: "table",
    signature: {
        inputs: [
            { name: "it's", datatype: "BYTES", shape: [-1] },
            { name: "age", datatype: "FP32", shape: [-1] },
        ],
        outputs: [],
    },
} as unknown as ServableVersion;

test("curlSnippet quotes names for the shell", () => {
    const text = curlSnippet("https://host", TABLE);
    expect(text).toContain(`"name":"it'\\''s"`);
    expect(text).toContain("/v2/models/o'\\''brien/versions/3/infer'");
});

test("pythonSnippet sizes image tensors from the signature", () => {
    const image = {
        ...TABLE,
        input_kind: "image",
        signature: { inputs: [{ name: "input", datatype: "FP32", shape: [-1, 1, 28, 28] }], outputs: [] },
    } as ServableVersion;
    expect(pythonSnippet("https://host", image)).toContain(`"shape": [1,1,28,28], "data": [0.0] * 784`);
});
