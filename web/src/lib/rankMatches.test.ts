import { expect, test } from "vitest";
import { rankMatches } from "./rankMatches";

const find = (text: string) => rankMatches(["New dataset", "Runs", "digits runner", "Go home"], text, (item) => item);

test("rankMatches prefers word starts, then parts, then letters in order", () => {
    expect(find("run")).toEqual(["Runs", "digits runner"]);
    expect(find("ata")).toEqual(["New dataset"]);
    expect(find("gh")).toEqual(["Go home"]);
    expect(find("xyz")).toEqual([]);
});

test("rankMatches of nothing is everything", () => {
    expect(find(" ")).toHaveLength(4);
});
