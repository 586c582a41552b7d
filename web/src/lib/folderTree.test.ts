import { expect, test } from "vitest";
import { treeRows } from "./folderTree";

const items = [{ name: "x", folder: "" }, { name: "y", folder: "vision/small" }, { name: "z", folder: "vision" }, { name: "w", folder: "audio" }];
const text = (closed: string[]) =>
    treeRows(items, new Set(closed)).map((row) => "  ".repeat(row.depth) + (row.kind === "folder" ? `${row.path}/ ${row.count}` : row.item.name));

test("folders come first, with what is below them counted", () => {
    expect(text([])).toEqual(["audio/ 1", "  w", "vision/ 2", "  vision/small/ 1", "    y", "  z", "x"]);
});

test("a closed folder hides what is below it", () => {
    expect(text(["vision"])).toEqual(["audio/ 1", "  w", "vision/ 2", "x"]);
});
