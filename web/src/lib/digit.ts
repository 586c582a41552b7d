/*
 * Prepares a hand-drawn glyph as the digit sets were prepared: the ink is scaled to fit 20/28 of the tile
 * and centred by its centre of mass (LeCun et al., MNIST). Pixels are ink 0..255, row-major.
 */
import { clamp } from "./clamp";

export interface Bitmap {
    width: number;
    height: number;
    ink: Uint8ClampedArray;
}

interface Box {
    left: number;
    top: number;
    width: number;
    height: number;
}

const INK_THRESHOLD = 16;
const GLYPH_FRACTION = 20 / 28;

export function inkBox(image: Bitmap): Box | null {
    let left = image.width;
    let top = image.height;
    let right = -1;
    let bottom = -1;
    for (let y = 0; y < image.height; y++) {
        for (let x = 0; x < image.width; x++) {
            if (image.ink[y * image.width + x]! < INK_THRESHOLD) continue;
            left = Math.min(left, x);
            right = Math.max(right, x);
            top = Math.min(top, y);
            bottom = Math.max(bottom, y);
        }
    }
    return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/* Mean of the source pixels that fall on one target pixel: an area filter, so thin strokes do not vanish. */
function areaMean(image: Bitmap, x0: number, y0: number, x1: number, y1: number): number {
    let sum = 0;
    let count = 0;
    for (let y = Math.floor(y0); y < Math.max(Math.ceil(y1), Math.floor(y0) + 1); y++) {
        for (let x = Math.floor(x0); x < Math.max(Math.ceil(x1), Math.floor(x0) + 1); x++) {
            if (x < 0 || y < 0 || x >= image.width || y >= image.height) continue;
            sum += image.ink[y * image.width + x]!;
            count += 1;
        }
    }
    return count === 0 ? 0 : sum / count;
}

export function scaleBox(image: Bitmap, box: Box, width: number, height: number): Bitmap {
    const ink = new Uint8ClampedArray(width * height);
    const stepX = box.width / width;
    const stepY = box.height / height;
    for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
            const left = box.left + x * stepX;
            const top = box.top + y * stepY;
            ink[y * width + x] = areaMean(image, left, top, left + stepX, top + stepY);
        }
    }
    return { width, height, ink };
}

function centreOfMass(image: Bitmap): { x: number; y: number } {
    let sum = 0;
    let sumX = 0;
    let sumY = 0;
    image.ink.forEach((value, index) => {
        sum += value;
        sumX += value * (index % image.width);
        sumY += value * Math.floor(index / image.width);
    });
    return { x: sumX / sum, y: sumY / sum };
}

function paste(target: Bitmap, glyph: Bitmap, left: number, top: number): void {
    for (let y = 0; y < glyph.height; y++) {
        for (let x = 0; x < glyph.width; x++) {
            const tx = x + left;
            const ty = y + top;
            if (tx < 0 || ty < 0 || tx >= target.width || ty >= target.height) continue;
            target.ink[ty * target.width + tx] = glyph.ink[y * glyph.width + x]!;
        }
    }
}

/** A width × height tile with the drawing fitted and centred; null when nothing is drawn. */
export function centreGlyph(image: Bitmap, width: number, height: number): Bitmap | null {
    const box = inkBox(image);
    if (box === null) return null;
    const scale = Math.min((width * GLYPH_FRACTION) / box.width, (height * GLYPH_FRACTION) / box.height);
    const glyph = scaleBox(
        image,
        box,
        Math.max(1, Math.round(box.width * scale)),
        Math.max(1, Math.round(box.height * scale)),
    );
    const tile: Bitmap = { width, height, ink: new Uint8ClampedArray(width * height) };
    const centre = centreOfMass(glyph);
    const left = clamp(Math.round((width - 1) / 2 - centre.x), 0, width - glyph.width);
    const top = clamp(Math.round((height - 1) / 2 - centre.y), 0, height - glyph.height);
    paste(tile, glyph, left, top);
    return tile;
}
