import { expect, test } from "vitest";
import { readAnswer } from "./prediction";

const tensor = (name: string, data: (number | string)[]) => ({ name, datatype: "FP32", shape: [1, data.length], data });

test("readAnswer ranks the classes by probability", () => {
    const reply = { model_name: "m", outputs: [tensor("probabilities", [0.1, 0.7, 0.2]), tensor("label", ["b"])] };
    const answer = readAnswer(reply, ["a", "b", "c"]);
    expect(answer.label).toBe("b");
    expect(answer.ranked.map((entry) => entry.label)).toEqual(["b", "c", "a"]);
});

test("readAnswer reads the value of a regression", () => {
    const answer = readAnswer({ model_name: "m", outputs: [tensor("value", [42.5])] }, null);
    expect(answer).toEqual({ label: null, value: 42.5, ranked: [] });
});
