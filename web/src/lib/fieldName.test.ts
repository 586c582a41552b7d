import { expect, test } from "vitest";
import { fieldName, parseFieldName, type FieldName } from "./fieldName";

test.each([
    [{ group: null, key: "created_at", part: "last" }, "created_at"],
    [{ group: "metrics", key: "val/loss", part: "last" }, "metrics.val/loss"],
    [{ group: "metrics", key: "val loss", part: "min" }, 'min(metrics."val loss")'],
    [{ group: "tags", key: 'say "hi"', part: "last" }, 'tags."say ""hi"""'],
    [{ group: "params", key: "学习率", part: "last" }, "params.学习率"],
] as [FieldName, string][])("%j is written %s and read back", (name, text) => {
    expect(fieldName(name)).toBe(text);
    expect(parseFieldName(text)).toEqual(name);
});
