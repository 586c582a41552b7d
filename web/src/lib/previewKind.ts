/* How a file is shown, by its type and name. What a browser would run (HTML, SVG) is shown as its text. */
export type PreviewKind = "text" | "json" | "csv" | "tsv" | "markdown" | "image" | "audio" | "video" | "pdf" | "none";

const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"];
const TEXTS = ["application/xml", "application/xhtml+xml", "application/yaml", "application/x-yaml", "application/toml", "application/jsonl", "image/svg+xml", "application/javascript"];
const TEXT_ENDINGS = /(^|\/)(MLmodel|MLproject|requirements|Dockerfile|Makefile|README|LICENSE)$|\.(txt|log|ya?ml|toml|ini|cfg|conf|py|r|sh|sql|c|h|cpp|rs|go|java|js|ts|css|html?|svg|xml|jsonl|err|out)$/i;

export function previewKind(mediaType: string, name: string): PreviewKind {
    const type = mediaType.split(";")[0]!.trim().toLowerCase();
    if (type === "text/markdown" || /\.md$/i.test(name)) return "markdown";
    if (type === "text/csv" || /\.csv$/i.test(name)) return "csv";
    if (type === "text/tab-separated-values" || /\.tsv$/i.test(name)) return "tsv";
    if (/[/+]json$/.test(type) || /\.(geo)?json$/i.test(name)) return "json";
    if (type === "application/pdf" || /\.pdf$/i.test(name)) return "pdf";
    if (IMAGES.includes(type)) return "image";
    if (type.startsWith("audio/")) return "audio";
    if (type.startsWith("video/")) return "video";
    if (type.startsWith("text/") || TEXTS.includes(type) || TEXT_ENDINGS.test(name)) return "text";
    return "none";
}
