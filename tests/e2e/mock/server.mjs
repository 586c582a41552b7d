/*
 * Serves the built UI with canned answers, so that pages can be looked at without the server: every page
 * full, one run drawing live, and with ?empty or ?broken projects the empty and failed states. It keeps
 * just enough state for a click to show its effect. The end-to-end test uses the real server.
 *
 *   node tests/e2e/mock/server.mjs [port]
 */
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { ACCESS_ROUTES } from "./access.mjs";
import { TRACKING_ROUTES } from "./tracking.mjs";
import * as world from "./world.mjs";

const PORT = Number(process.argv[2] ?? 8088);
const DIST = join(import.meta.dirname, "../../../web/dist");
const TYPES = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
    ".woff2": "font/woff2", ".webmanifest": "application/manifest+json", ".txt": "text/plain",
};
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; frame-src blob:; font-src 'self'; "
    + "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
let signedIn = true;

function json(response, status, body) {
    const type = status >= 400 ? "application/problem+json" : "application/json";
    response.writeHead(status, { "Content-Type": type, "X-Request-Id": "01JD0000MOCK" });
    response.end(body === undefined ? undefined : JSON.stringify(body));
}

function problem(response, status, code, detail, field, position) {
    json(response, status, { type: "about:blank", title: code, status, code, detail, field, request_id: "01JD0000MOCK", position });
}

function page(items) {
    return { items, next_cursor: null };
}

async function bodyOf(request) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const bytes = Buffer.concat(parts);
    return (request.headers["content-type"] ?? "").includes("json") && bytes.length > 0 ? JSON.parse(bytes) : bytes;
}

function sendFile(response, path) {
    response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", "Content-Security-Policy": CSP });
    createReadStream(path).pipe(response);
}

function serveUi(url, response) {
    const path = join(DIST, normalize(url.pathname));
    const found = path.startsWith(DIST) && existsSync(path) && statSync(path).isFile();
    sendFile(response, found ? path : join(DIST, "index.html"));
}

function stream(request, response) {
    response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
    response.write(": open\n\n");
    const topics = new URL(request.url, "http://mock").searchParams.get("topics").split(",");
    let seq = 0;
    const timer = setInterval(() => {
        for (const topic of topics.filter((name) => name.startsWith("run:") || name.startsWith("job:"))) {
            const feed = { seq: ++seq, topic, kind: topic.startsWith("run:") ? "metrics" : "progress", at: new Date().toISOString() };
            response.write(`id: ${seq}\ndata: ${JSON.stringify(feed)}\n\n`);
        }
    }, 1000);
    request.on("close", () => clearInterval(timer));
}

/* method, pattern, handler(parameters of the pattern, url, body, response, refuse) → body, or undefined when it answered itself */
const ROUTES = [
    ["GET", "/session", (_p, _u, _b, r) => (signedIn ? world.session : problem(r, 401, "UNAUTHENTICATED", "no session"))],
    ["POST", "/session", (_p, _u, body, r) => {
        if (body.password === "wrong") return problem(r, 401, "UNAUTHENTICATED", "wrong e-mail or password");
        signedIn = true;
        return world.session;
    }],
    ["POST", "/session/refresh", (_p, _u, _b, r) => (signedIn ? world.session : problem(r, 401, "UNAUTHENTICATED", "no session"))],
    ["DELETE", "/session", (_p, _u, _b, r) => {
        signedIn = false;
        json(r, 204);
    }],
    ["GET", "/projects", () => page(world.projects)],
    ["GET", "/projects/:project", ([slug], _u, _b, r) => world.projects.find((item) => item.slug === slug) ?? problem(r, 404, "NOT_FOUND", `project "${slug}" does not exist`)],
    ["GET", "/projects/:project/datasets", ([slug], _u, _b, r) => lists(slug, r, world.datasets)],
    ["GET", "/projects/:project/jobs", ([slug], _u, _b, r) => lists(slug, r, world.jobs())],
    ["GET", "/projects/:project/models", ([slug], _u, _b, r) => lists(slug, r, world.models)],
    ["GET", "/datasets/:id", ([id]) => world.datasets.find((item) => item.id === id)],
    ["GET", "/datasets/:id/versions", ([id]) => page(world.versions.filter((item) => item.dataset_id === id))],
    ["GET", "/dataset-versions/:id", ([id]) => world.versions.find((item) => item.id === id)],
    ["GET", "/dataset-versions/:id/files/:name", (_p, _u, _b, r) => {
        r.writeHead(200, { "Content-Type": "image/svg+xml" });
        r.end(world.sprite());
    }],
    ["GET", "/training/templates", () => ({ items: world.templates })],
    ["POST", "/training/check", (_p, _u, body, r) => {
        const bad = body.spec.model.layers.findIndex((layer) => layer.kernel > 28);
        if (bad >= 0) return problem(r, 422, "UNPROCESSABLE", "kernel 99 does not fit the input [32, 28, 28]", `spec.model.layers[${bad}]`);
        return world.report;
    }],
    ["POST", "/projects/:project/training", () => world.runs()[0]],
    ["GET", "/jobs/:id", ([id]) => world.jobs().find((item) => item.id === id)],
    ["GET", "/jobs/:id/events", () => page(world.jobEvents)],
    ["GET", "/jobs/:id/logs", () => page(world.logs())],
    ["GET", "/runs/:id/metrics", ([id], url) => ({ items: world.metrics(id, url.searchParams) })],
    ["GET", "/runs/:id/logs", () => page(world.logs())],
    ["GET", "/models/:id", ([id]) => world.models.find((item) => item.id === id)],
    ["GET", "/models/:id/versions", ([id]) => page(world.modelVersions.filter((item) => item.model_id === id))],
    ["POST", "/projects/:project/model-versions", () => world.modelVersions[0]],
    ["GET", "/model-versions/:id", ([id]) => world.modelVersions.find((item) => item.id === id)],
    ["POST", "/model-versions/:id/predict", ([id]) => world.predict(id)],
    ["GET", "/lineage", (_p, url) => world.lineage(url.searchParams.get("node"))],
    ["GET", "/tokens", () => page(world.tokens)],
    ["POST", "/tokens", (_p, _u, body) => world.createToken(body)],
    ["DELETE", "/tokens/:id", ([id], _u, _b, r) => {
        world.revokeToken(id);
        json(r, 204);
    }],
    ["GET", "/workers", () => page(world.workers)],
    ["GET", "/uploads", () => page(world.uploads)],
    ...ACCESS_ROUTES,
    ...TRACKING_ROUTES,
];

function lists(slug, response, items) {
    if (slug === "broken") return problem(response, 503, "UNAVAILABLE", "the database could not be reached; try again in a moment");
    return page(slug === "empty" ? [] : items);
}

function match(method, path) {
    for (const [wanted, pattern, handle] of ROUTES) {
        const found = wanted === method && new RegExp(`^/api/v1${pattern.replace(/:\w+(\*|\([\w|]+\))?/g, (_whole, form = "([^/]+)") => (form === "*" ? "(.+)" : form))}$`).exec(path);
        if (found) return { handle, params: found.slice(1).map(decodeURIComponent) };
    }
    return null;
}

createServer(async (request, response) => {
    const url = new URL(request.url, "http://mock");
    if (url.pathname === "/api/v1/events") return stream(request, response);
    if (!url.pathname.startsWith("/api/")) return serveUi(url, response);
    const found = match(request.method, url.pathname);
    if (!found) return problem(response, 404, "NOT_FOUND", `${request.method} ${url.pathname} is not canned`);
    const body = found.handle(found.params, url, await bodyOf(request), response, (...rest) => problem(response, ...rest));
    if (response.writableEnded || response.headersSent) return undefined;
    return body === undefined ? problem(response, 404, "NOT_FOUND", "that object does not exist") : json(response, 200, body);
}).listen(PORT, "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}`));
