import { expect, test } from "vitest";
import { grantable } from "./grantable";

test("only owners make owners, and only who administers gives roles", () => {
    expect(grantable("owner")).toContain("owner");
    expect(grantable("admin")).toEqual(["viewer", "editor", "admin"]);
    expect(grantable("editor")).toEqual([]);
    expect(grantable("none")).toEqual([]);
});
