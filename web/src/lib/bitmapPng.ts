import type { Bitmap } from "./digit";

/** Paints the ink white on black into the canvas, which takes the bitmap's size, and returns it as PNG. */
export async function bitmapPng(image: Bitmap, canvas: HTMLCanvasElement): Promise<Blob> {
    canvas.width = image.width;
    canvas.height = image.height;
    const ctx = canvas.getContext("2d")!;
    const pixels = ctx.createImageData(image.width, image.height);
    image.ink.forEach((value, index) => pixels.data.set([value, value, value, 255], index * 4));
    ctx.putImageData(pixels, 0, 0);
    return new Promise((resolve, reject) => {
        canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be encoded"))), "image/png");
    });
}
