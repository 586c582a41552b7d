/*
 * The build of the UI: hashed assets, each with a .gz and a .br beside it, so that the server sends
 * stored bytes and never compresses. Assets stay files (no data: URLs in scripts or styles), because
 * the page's Content-Security-Policy allows nothing inline.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const COMPRESSIBLE = /\.(js|css|html|svg|json|webmanifest|txt)$/;
const SMALLEST_WORTH_IT = 512;

function filesUnder(folder: string): string[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
}

function precompress(): Plugin {
    let outDir = "dist";
    return {
        name: "slipway-precompress",
        apply: "build",
        configResolved(config) {
            outDir = config.build.outDir;
        },
        closeBundle() {
            for (const file of filesUnder(outDir)) {
                const text = readFileSync(file);
                if (!COMPRESSIBLE.test(file) || text.length < SMALLEST_WORTH_IT) continue;
                writeFileSync(`${file}.gz`, gzipSync(text, { level: 9 }));
                const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
                writeFileSync(`${file}.br`, brotliCompressSync(text, { params }));
            }
        },
    };
}

export default defineConfig({
    plugins: [react(), precompress()],
    publicDir: "../static",
    build: {
        target: "es2022",
        assetsInlineLimit: 0,
        cssCodeSplit: true,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
    },
    server: {
        proxy: {
            "/api": { target: process.env.SLIPWAY_URL ?? "https://127.0.0.1:8443", secure: false },
            "/v2": { target: process.env.SLIPWAY_URL ?? "https://127.0.0.1:8443", secure: false },
        },
    },
    test: { include: ["src/**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
