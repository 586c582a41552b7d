import { expect, test } from "vitest";
import { centreGlyph, inkBox, type Bitmap } from "./digit";

function drawing(width: number, height: number, left: number, top: number, w: number, h: number): Bitmap {
    const ink = new Uint8ClampedArray(width * height);
    for (let y = top; y < top + h; y++) for (let x = left; x < left + w; x++) ink[y * width + x] = 255;
    return { width, height, ink };
}

test("centreGlyph fits the ink into 20 of 28 pixels, wherever it was drawn", () => {
    const tile = centreGlyph(drawing(280, 280, 5, 190, 40, 80), 28, 28)!;
    expect(inkBox(tile)).toEqual({ left: 9, top: 4, width: 10, height: 20 });
});

test("centreGlyph keeps the shape's proportions", () => {
    const box = inkBox(centreGlyph(drawing(280, 280, 0, 0, 280, 28), 28, 28)!)!;
    expect([box.width, box.height]).toEqual([20, 2]);
});

test("centreGlyph of an empty drawing is null", () => {
    expect(centreGlyph(drawing(10, 10, 0, 0, 0, 0), 28, 28)).toBeNull();
});

test("centreGlyph centres by mass, not by the box", () => {
    const image = drawing(100, 100, 20, 20, 60, 60);
    for (let y = 40; y < 80; y++) for (let x = 20; x < 80; x++) image.ink[y * 100 + x] = x < 32 ? 255 : 0;
    const box = inkBox(centreGlyph(image, 28, 28)!)!;
    expect(box.top).toBeGreaterThan(4);
});
