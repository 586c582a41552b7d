import { expect, test } from "vitest";
import { measuresByDataset, newestMeasures } from "./modelMeasures";

const measure = (key: string, value: number, timestamp: number, dataset_name = "", dataset_digest = "") => ({ key, value, step: 0, timestamp, run_id: "", dataset_name, dataset_digest });
const all = [measure("loss", 0.5, 3), measure("loss", 0.9, 1, "train", "5e01"), measure("accuracy", 0.7, 2, "train", "5e01"), measure("loss", 0.6, 2, "eval")];

test("the newest value of a key counts", () => {
    expect(newestMeasures(all)).toEqual({ loss: 0.5, accuracy: 0.7 });
});

test("measures stand by what they were measured on", () => {
    expect(measuresByDataset(all).map(([name, items]) => [name, items.map(({ value }) => value)])).toEqual([["", [0.5]], ["eval", [0.6]], ["train (5e01)", [0.9, 0.7]]]);
});
