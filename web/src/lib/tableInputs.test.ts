import { expect, test } from "vitest";
import { badNumbers, tableInputs } from "./tableInputs";

const SIGNATURE = {
    inputs: [
        { name: "age", datatype: "FP32", shape: [-1] },
        { name: "sex", datatype: "BYTES", shape: [-1] },
    ],
    outputs: [],
};

test("tableInputs makes one tensor a column", () => {
    expect(tableInputs(SIGNATURE, { age: "42", sex: "female" })).toEqual([
        { name: "age", datatype: "FP32", shape: [1], data: [42] },
        { name: "sex", datatype: "BYTES", shape: [1], data: ["female"] },
    ]);
});

test("badNumbers names what is no number", () => {
    expect(badNumbers(SIGNATURE, { age: "x" })).toEqual(["age"]);
    expect(badNumbers(SIGNATURE, { age: " " })).toEqual(["age"]);
    expect(badNumbers(SIGNATURE, { age: "1e3" })).toEqual([]);
});
