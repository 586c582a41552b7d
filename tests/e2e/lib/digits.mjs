/* Real digits for the test: a few thousand of MNIST as gzipped IDX files, and single ones as PNG. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync, gunzipSync, gzipSync } from "node:zlib";

const ROOT = join(import.meta.dirname, "../../..");
const SIDE = 28;
const IMAGE_HEADER = 16;
const LABEL_HEADER = 8;

function convertFromNpm(folder) {
    const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
    const source = join(process.env.SLIPWAY_THIRD_PARTY ?? join(cache, "slipway/third_party"), "mnist");
    if (!existsSync(source)) return false;
    mkdirSync(folder, { recursive: true });
    execFileSync("node", [join(ROOT, "server/third_party/mnist-to-idx.mjs"), source, folder]);
    return true;
}

function findFolder() {
    const made = join(ROOT, "build/digits");
    const folders = [process.env.SLIPWAY_DIGITS, join(ROOT, "../shared/data/mnist"), made];
    const found = folders.find((folder) => folder && existsSync(folder) && readdirSync(folder).some((name) => name.includes("images-idx3")));
    return found ?? (convertFromNpm(made) ? made : null);
}

function idx(dimensions, body) {
    const header = Buffer.alloc(4 + dimensions.length * 4);
    header[2] = 8;
    header[3] = dimensions.length;
    dimensions.forEach((size, index) => header.writeUInt32BE(size, 4 + index * 4));
    return gzipSync(Buffer.concat([header, body]));
}

/** { files: [images, labels], sample(label) } of the first `count` digits, or null when there are none here. */
export function digits(count) {
    const folder = findFolder();
    if (!folder) return null;
    const names = readdirSync(folder).filter((name) => !name.startsWith("t10k"));
    const read = (part) => gunzipSync(readFileSync(join(folder, names.find((name) => name.includes(part)))));
    const images = read("images-idx3").subarray(IMAGE_HEADER);
    const labels = read("labels-idx1").subarray(LABEL_HEADER);
    const kept = Math.min(count, labels.length - 100);
    const target = mkdtempSync(join(tmpdir(), "slipway-digits-"));
    const files = [join(target, "digits-images-idx3-ubyte.gz"), join(target, "digits-labels-idx1-ubyte.gz")];
    writeFileSync(files[0], idx([kept, SIDE, SIDE], images.subarray(0, kept * SIDE * SIDE)));
    writeFileSync(files[1], idx([kept], labels.subarray(0, kept)));
    /* From behind those that are imported: the model has never seen it. */
    const sample = (label) => {
        const at = labels.indexOf(label, kept);
        return png(images.subarray(at * SIDE * SIDE, (at + 1) * SIDE * SIDE), SIDE, SIDE);
    };
    return { files, folder: target, count: kept, sample };
}

function chunk(type, data) {
    const body = Buffer.concat([Buffer.from(type), data]);
    const out = Buffer.alloc(body.length + 8);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc32(body), body.length + 4);
    return out;
}

export function png(grey, width, height) {
    const header = Buffer.alloc(13);
    header.writeUInt32BE(width, 0);
    header.writeUInt32BE(height, 4);
    header[8] = 8;
    const rows = Buffer.alloc((width + 1) * height);
    for (let y = 0; y < height; y++) Buffer.from(grey.subarray(y * width, (y + 1) * width)).copy(rows, y * (width + 1) + 1);
    const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
    return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}
