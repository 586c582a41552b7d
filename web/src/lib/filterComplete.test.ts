import { expect, test } from "vitest";
import { completeFilter, type FilterField } from "./filterComplete";

const fields: FilterField[] = [
    { name: "name", type: "text" },
    { name: "state", type: "text", values: ["running", "failed"] },
    { name: "created_at", type: "time" },
    { name: "metrics.val/loss", type: "number" },
    { name: 'params."batch size"', type: "text" },
];
const at = (text: string) => completeFilter(text.replace("|", ""), text.indexOf("|"), fields);
const texts = (text: string) => at(text).options.map((option) => option.text);

test("an empty filter begins with a field", () => {
    expect(texts("|")).toEqual([...fields.map(({ name }) => name), "NOT"]);
});

test("a part of a name finds it, and the choice replaces what was typed", () => {
    expect(at("state = 'failed' AND loss|")).toEqual({ from: 21, to: 25, options: [{ text: "metrics.val/loss", detail: "number" }] });
});

test.each([
    ["metrics.val/loss |", "<"],
    ["min(metrics.val/loss) |", "<"],
    ['params."batch size" |', "="],
    ["created_at |", ">"],
    ["state = |", "'running'"],
    ["state = 'f|", "'failed'"],
    ["state IN (|", "'running'"],
    ["state IN ('failed', |", "'running'"],
    ["name IS |", "="],
    ["name IS NULL |", "AND"],
    ["name = 'it\\'s' |", "AND"],
    ["(name = 'x') |", "AND"],
    ["NOT (name = 'x' OR |", "name"],
    ["metrics.val/loss < 0.5 |", "AND"],
    ["metrics.val/loss<|", undefined],
])("%s", (text, first) => {
    expect(texts(text)[0]).toBe(first);
});
