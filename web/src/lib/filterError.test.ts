import { expect, test } from "vitest";
import { ApiError } from "./apiError";
import { filterErrorOf } from "./filterError";

const refused = (position: { at: number; length: number } | null, field = "filter") => new ApiError(400, "INVALID", "no", field, null, position);

test("a complaint is placed in the text as it was typed, in characters", () => {
    expect(filterErrorOf(refused({ at: 4, length: 3 }), "  größe = 1")).toEqual({ message: "no", range: { from: 5, to: 7 } });
    expect(filterErrorOf(refused(null), "x")).toEqual({ message: "no", range: null });
});

test("other failures are no complaints about the filter", () => {
    expect(filterErrorOf(refused(null, "cursor"), "x")).toBeNull();
    expect(filterErrorOf(new Error("x"), "x")).toBeNull();
});
