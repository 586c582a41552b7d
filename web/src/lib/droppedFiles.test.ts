import { expect, test } from "vitest";
import { chosenFiles, walkEntries } from "./droppedFiles";

const file = (fullPath: string) => ({ isFile: true, fullPath, name: fullPath.split("/").pop(), file: (done: (file: File) => void) => done({ name: fullPath } as File) }) as unknown as FileSystemEntry;
/* Browsers give at most a hundred a time; here two. */
const directory = (fullPath: string, children: FileSystemEntry[]) => ({
    isFile: false, fullPath, name: fullPath,
    createReader: () => {
        const parts = [children.slice(0, 2), children.slice(2), []];
        return { readEntries: (done: (part: FileSystemEntry[]) => void) => done(parts.shift()!) };
    },
}) as unknown as FileSystemEntry;

test("directories are walked in order, in as many parts as they come", async () => {
    const tree = [directory("/m", [file("/m/a"), directory("/m/b", [file("/m/b/c")]), file("/m/d")]), file("/e")];
    const { files, cut } = await walkEntries(tree);
    expect(files.map(({ path }) => path)).toEqual(["m/a", "m/b/c", "m/d", "e"]);
    expect(cut).toBe(false);
});

test("beyond the limit nothing is read", async () => {
    const { files, cut } = await walkEntries([file("/a"), file("/b"), file("/c")], 2);
    expect(files.map(({ path }) => path)).toEqual(["a", "b"]);
    expect(cut).toBe(true);
});

test("a chosen directory gives paths, chosen files their names", () => {
    const list = [{ name: "a.txt", webkitRelativePath: "m/a.txt" }, { name: "b.txt", webkitRelativePath: "" }] as unknown as FileList;
    expect(chosenFiles(list).files.map(({ path }) => path)).toEqual(["m/a.txt", "b.txt"]);
    expect(chosenFiles(list, 1)).toMatchObject({ files: [{ path: "m/a.txt" }], cut: true });
});
