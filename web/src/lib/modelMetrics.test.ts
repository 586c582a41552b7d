import { expect, test } from "vitest";
import { modelMetrics } from "./modelMetrics";

test("modelMetrics puts the test split first and leaves out how it was trained", () => {
    const metrics = { lr: 0.1, "val/loss": 0.2, "train/loss": 0.1, "test/accuracy": 0.9 };
    expect(modelMetrics(metrics)).toEqual([["test/accuracy", 0.9], ["val/loss", 0.2]]);
});

test("modelMetrics of a run logged by hand is everything", () => {
    expect(modelMetrics({ score: 1 })).toEqual([["score", 1]]);
});
