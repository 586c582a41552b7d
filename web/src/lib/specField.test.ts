import { expect, test } from "vitest";
import { lineOfField } from "./specField";

const SPEC = `{
  "model": {
    "layers": [
      {"type": "flatten"},
      {"type": "linear", "out": 64},
      {
        "type": "linear",
        "out": "classes"
      }
    ],
    "loss": "cross_entropy"
  },
  "epochs": 5
}`;

test.each([
    ["spec.model.layers[0]", 4],
    ["spec.model.layers[1]", 5],
    ["model.layers[2]", 6],
    ["spec.model.layers[2].out", 8],
    ["spec.model.loss", 11],
    ["spec.epochs", 13],
    ["spec.model.layers[9].kernel", 3],
    ["spec.nothing", null],
])("lineOfField(%s) is %s", (field, line) => {
    expect(lineOfField(SPEC, field)).toBe(line);
});
