import { expect, test } from "vitest";
import { formatSpec } from "./formatSpec";

test("formatSpec keeps short members on one line and is the same JSON", () => {
    const spec = {
        model: {
            layers: [
                { type: "conv2d", out: 32, kernel: 3, stride: 1, padding: "same", bias: true },
                { type: "relu" },
                { type: "linear", out: "classes" },
            ],
            loss: "cross_entropy",
        },
        epochs: 5,
        features: null,
    };
    const text = formatSpec(spec);
    expect(JSON.parse(text)).toEqual(spec);
    expect(text).toContain('\n      {"type": "relu"},\n');
});
