import { expect, test } from "vitest";
import { formatGroupRoles, parseGroupRoles } from "./groupRoles";

test("lines become rows and rows become lines", () => {
    const rows = [{ group: "cn=ml,ou=lab", role: "editor" as const }, { group: "ops", role: "admin" as const }];
    expect(parseGroupRoles(formatGroupRoles(rows))).toEqual(rows);
    expect(parseGroupRoles(" \n ops=Admin \n\n")).toEqual([{ group: "ops", role: "admin" }]);
    expect(parseGroupRoles("")).toEqual([]);
});

test.each(["ops", "ops = chief", "= admin", "ops = none"])("%s is not a line", (text) => {
    expect(parseGroupRoles(text)).toBeNull();
});
