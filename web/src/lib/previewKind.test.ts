import { expect, test } from "vitest";
import { previewKind } from "./previewKind";

test.each([
    ["text/html; charset=utf-8", "a.html", "text"],
    ["image/svg+xml", "a.svg", "text"],
    ["image/png", "a.png", "image"],
    ["application/octet-stream", "model/MLmodel", "text"],
    ["application/octet-stream", "weights.bin", "none"],
    ["application/pdf", "a.pdf", "pdf"],
    ["application/geo+json", "map.geojson", "json"],
    ["text/plain", "table.tsv", "tsv"],
    ["audio/mpeg", "a.mp3", "audio"],
    ["video/mp4", "a.mp4", "video"],
    ["text/plain", "README.md", "markdown"],
])("%s of %s is shown as %s", (type, name, kind) => {
    expect(previewKind(type, name)).toBe(kind);
});
