import type { Bitmap } from "./digit";

/** The ink, white on black, as a PNG of the bitmap's own size. */
export async function bitmapPng(image: Bitmap): Promise<Blob> {
    const canvas = document.createElement("canvas");
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
