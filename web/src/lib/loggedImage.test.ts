import { expect, test } from "vitest";
import { imagesByKey, loggedImage } from "./loggedImage";

const uuid = "0b8f2f52-33a5-4d5e-9a53-2a1b3c4d5e6f";

test.each(["%", "+"])("names with %s are read", (mark) => {
    const path = `images/val#sample${mark}step${mark}12${mark}timestamp${mark}1700000000000${mark}${uuid}.png`;
    expect(loggedImage(path)).toEqual({ path, key: "val/sample", step: 12, at: 1700000000000 });
    expect(loggedImage(path.replace(".png", `${mark}compressed.webp`))).toBeNull();
});

test("other files are none", () => {
    expect(["images/cat.png", "plots/a%step%1%timestamp%2%ab.png"].map(loggedImage)).toEqual([null, null]);
});

test("steps are in order", () => {
    const path = (key: string, step: number) => `images/${key}%step%${step}%timestamp%1%ab.png`;
    const keys = imagesByKey([path("b", 2), path("a", 10), path("a", 9)]);
    expect([...keys].map(([key, list]) => [key, list.map(({ step }) => step)])).toEqual([["a", [9, 10]], ["b", [2]]]);
});
