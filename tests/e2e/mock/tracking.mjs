/* Experiments, runs of clients and files as the mock knows them: enough for every page of tracking to be full. */
import { wav } from "../lib/wav.mjs";
import * as world from "./world.mjs";

const NOW = Date.now();
const ago = (seconds) => new Date(NOW - seconds * 1000).toISOString();
const id = (n) => `0192f3a0-0000-7000-8000-${String(n).padStart(12, "0")}`;
const page = (items) => ({ items, next_cursor: null });
/* What somebody might try to have run in another's browser. */
const HOSTILE = "<img src=x onerror=alert(1)>";
const NOTES = `## What changed\n\nA **wider** second block, see [the plan](https://example.org/plan) and [this](javascript:alert(1)).\n\n- [x] learning rate sweep\n- [ ] augmentation\n\n| lr | accuracy |\n| --- | ---: |\n| 0.01 | 0.984 |\n| 0.002 | **0.991** |\n\n\`\`\`python\nmodel.fit(train)\n\`\`\`\n\n${HOSTILE} &lt;b&gt; ![chart](https://example.org/x.png)\n`;

const experiment = (n, number, name, rest) => ({
    id: id(n), project_id: id(1), number, name, description: "", folder: "", artifact_location: null, tags: {}, runs: 0, created_at: ago(9e5 - number), updated_at: ago(4000 * (number + 1)), archived_at: null, ...rest,
});
let experiments = [
    experiment(33, 0, "Default", { runs: 2 }),
    experiment(31, 1, "baseline", { folder: "vision", runs: 10, description: "The first network that works.", tags: { owner: "ada", stage: "done" } }),
    experiment(32, 2, "wider", { folder: "vision/ablation", runs: 4, tags: { owner: "grace" } }),
    experiment(34, 3, "deeper", { folder: "vision/ablation", description: HOSTILE }),
    experiment(35, 4, "titanic trees", { folder: "tables", runs: 3, description: "Boosted trees, logged by scikit-learn's autolog." }),
    experiment(36, 5, "old tries", { archived_at: ago(3e5), runs: 12 }),
];

const FIELDS = ["metrics.train/loss", "metrics.val/loss", "metrics.val/accuracy", "metrics.test/accuracy", 'metrics."val loss"', "params.epochs", "params.batch_size", "params.optimizer.lr", "params.seed", "tags.purpose", "tags.owner"]
    .map((name) => ({ name, type: name.startsWith("metrics.") ? "number" : "text" }));

const client = (n, name, rest) => ({
    ...world.runs()[1], id: id(n), name, source: "mlflow", user_name: "grace", job_id: null, dataset_version_id: null, dataset_name: null, dataset_version: null, spec: null, evaluation: null, device: null, experiment_id: id(35), experiment_name: "titanic trees", ...rest,
});
const clients = [
    client(230, "sweep of depths", { created_at: ago(5000), notes: NOTES, tags: { owner: "grace", purpose: "sweep", "mlflow.source.name": "sweep.py", "mlflow.source.git.commit": "8f3c2e1ab4d5", "mlflow.user": "grace" } }),
    client(231, "depth 4", { parent_id: id(230), created_at: ago(4900), params: { max_depth: "4" } }),
    client(232, "depth 8", { parent_id: id(230), created_at: ago(4800), params: { max_depth: "8" }, state: "running", finished_at: null }),
    client(233, HOSTILE, { created_at: ago(90000), tags: { [HOSTILE]: HOSTILE }, params: { [HOSTILE]: HOSTILE }, notes: HOSTILE }),
];
const gone = new Set();
const archived = new Set();
export function allRuns() {
    return [...world.runs(), ...clients].filter((run) => !gone.has(run.id)).map((run) => ({ ...run, archived_at: archived.has(run.id) ? ago(10) : null }));
}
export const runById = (runId) => allRuns().find((run) => run.id === runId);

function refuse(filter) {
    const at = filter.indexOf("metrcs");
    if (at < 0) return null;
    return { message: 'runs have no "metrcs"; known are attributes, metrics, params, tags, datasets', position: { at, length: "metrcs.loss".length } };
}

function searched(query) {
    const has = (run) => run.name.toLowerCase().includes((query.get("q") ?? "").toLowerCase());
    const within = (run, key, value) => value === null || run[key] === value;
    const wanted = query.get("lifecycle") === "archived";
    return allRuns().filter((run) => (run.archived_at !== null) === wanted && has(run) && within(run, "experiment_id", query.get("experiment")) && within(run, "state", query.get("state")));
}

function listRuns(slug, url, problem) {
    if (slug === "broken") return problem(503, "UNAVAILABLE", "the database could not be reached; try again in a moment");
    if (slug === "empty") return page([]);
    const wrong = refuse(url.searchParams.get("filter") ?? "");
    if (wrong) return problem(400, "INVALID", wrong.message, "filter", wrong.position);
    if (slug !== "many") return page(searched(url.searchParams).slice(0, Number(url.searchParams.get("limit"))));
    const from = Number(url.searchParams.get("cursor") ?? 0);
    const items = Array.from({ length: 100 }, (_u, i) => client(100_000 + from + i, `run ${from + i}`, { experiment_name: "many", created_at: ago(from + i), parent_id: null }));
    return { items, next_cursor: from + 100 < 5000 ? String(from + 100) : null };
}

function bulk(body) {
    for (const runId of body.ids) {
        if (body.action === "archive") archived.add(runId);
        if (body.action === "restore") archived.delete(runId);
        if (body.action === "delete") gone.add(runId);
    }
    return { action: body.action, runs: body.ids.length, changed: body.ids.length };
}

function groups(body) {
    const by = body.group_by[0];
    const value = (run) => (by.startsWith("params.") ? run.params[by.slice(7)] : by.startsWith("tags.") ? run.tags[by.slice(5)] : by === "experiment" ? run.experiment_name : run[by]) ?? null;
    const found = new Map();
    for (const run of allRuns()) found.set(value(run), [...(found.get(value(run)) ?? []), run]);
    const numbers = (runs, key) => runs.map((run) => run.metrics[key]).filter((number) => number !== undefined);
    const stats = (list) => ({ count: list.length, mean: list.length ? list.reduce((a, b) => a + b, 0) / list.length : null, min: list.length ? Math.min(...list) : null, max: list.length ? Math.max(...list) : null });
    return { items: [...found].map(([key, runs]) => ({ keys: [key], runs: runs.length, metrics: body.metrics.map((metric) => ({ key: metric.key, ...stats(numbers(runs, metric.key)) })) })) };
}

const LINKS = {
    datasets: [{ name: "titanic.csv", digest: "5e01ab3c", source_type: "local", source: '{"uri": "/data/titanic.csv"}', schema: '{"mlflow_colspec": [{"type": "long", "name": "age"}]}', tags: { "mlflow.data.context": "training" } }],
    models: [{ id: id(91), name: "trees", made: true, step: 0 }, { id: id(92), name: "trees before", made: false, step: 0 }],
};

/* ---- files */

const uuid = "0b8f2f52-33a5-4d5e-9a53-2a1b3c4d5e6f";
const svg = (text) => `<svg xmlns="http://www.w3.org/2000/svg" width="320" height="240"><script>alert(1)</script><rect width="320" height="240" fill="#3b5bdb"/><text x="160" y="140" fill="#fff" font-size="48" text-anchor="middle">${text}</text></svg>`;
const FILES = {
    "README.md": ["text/markdown", NOTES],
    "model/MLmodel": ["text/plain", "artifact_path: model\nflavors:\n  sklearn:\n    pickled_model: model.pkl\nrun_id: 0192f3a0\n"],
    "model/model.pkl": ["application/octet-stream", "\u0000".repeat(2048)],
    "model/data/input_example.json": ["application/json", JSON.stringify({ columns: ["age", "fare"], data: [[22, 7.25], [38, 71.3]] })],
    "eval/table.json": ["application/json", JSON.stringify({ columns: ["question", "answer"], data: [["What is it?", HOSTILE], ["Why?", "Because."]] })],
    "eval/scores.csv": ["text/csv", `id,name,score\n${Array.from({ length: 60 }, (_u, i) => `${i},"row ${i}, ${HOSTILE.replaceAll('"', '""')}",${(i * 0.013).toFixed(3)}`).join("\n")}\n`],
    "sound.wav": ["audio/wav", wav()],
    "report.html": ["text/html", `<h1>Report</h1>\n<script>alert(1)</script>\n${HOSTILE}\n`],
    "figures/curve.svg": ["image/svg+xml", svg("curve")],
    "config.json": ["application/json", JSON.stringify({ lr: 0.1, layers: [64, 64], name: HOSTILE })],
    [`${HOSTILE.replace("/", "")}.txt`]: ["text/plain", HOSTILE],
    ...Object.fromEntries([1, 2, 3].map((step) => [`images/val#sample%step%${step}%timestamp%${1700000000000 + step}%${uuid}.png`, ["image/png", Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mNgmFiDFTEMLQkA0aVdgT0HdjoAAAAASUVORK5CYII=", "base64")]])),
};
const removed = new Set();
const files = () => Object.entries(FILES).filter(([name]) => !removed.has(name)).map(([name, [media_type, body]], n) => ({
    id: id(300 + n), run_id: id(230), name, is_dir: false, size_bytes: body.length, sha256: "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce", media_type, created_at: ago(2000),
}));

function level(path) {
    const prefix = path === "" ? "" : `${path}/`;
    const entries = new Map();
    for (const file of files().filter((item) => item.name.startsWith(prefix))) {
        const [head, ...rest] = file.name.slice(prefix.length).split("/");
        const name = prefix + head;
        entries.set(name, rest.length === 0 ? file : { id: null, run_id: null, name, is_dir: true, size_bytes: 0, sha256: null, media_type: null, created_at: null });
    }
    return page([...entries.values()]);
}

function content(path, url, response) {
    const file = FILES[path];
    if (!file || removed.has(path)) return undefined;
    const inline = url.searchParams.get("inline") === "true" && /^(image\/(?!svg)|audio\/|text\/plain)/.test(file[0]);
    response.writeHead(200, { "Content-Type": file[0], "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'", "Content-Disposition": inline ? "inline" : "attachment" });
    response.end(file[1]);
    return null;
}

/* ---- the registry */

const registered = (kind, key) => (kind === "models" ? world.models : world.modelVersions).find((item) => item.id === key);

function point(model, alias, version) {
    const item = registered("models", model);
    delete item.aliases[alias];
    if (version !== null) item.aliases[alias] = version;
    for (const other of world.modelVersions.filter((one) => one.model_id === model)) {
        other.aliases = Object.keys(item.aliases).filter((name) => item.aliases[name] === other.version);
    }
    return world.modelVersions.find((other) => other.model_id === model && other.version === version);
}

/** Rows of the mock's table; `problem(status, code, detail, field, position)` refuses. */
export const TRACKING_ROUTES = [
    ["POST", "/:kind(models|model-versions)/:id/tags", ([kind, key], _u, body) => {
        const item = registered(kind, key);
        item.tags[body.key] = body.value;
        return item;
    }],
    ["DELETE", "/:kind(models|model-versions)/:id/tags", ([kind, key], url, _b, r) => {
        delete registered(kind, key).tags[url.searchParams.get("key")];
        r.writeHead(204).end();
    }],
    ["PATCH", "/:kind(models|model-versions)/:id", ([kind, key], _u, body) => Object.assign(registered(kind, key), body)],
    ["PUT", "/models/:id/aliases/:alias", ([key, alias], _u, body) => point(key, alias, body.version)],
    ["DELETE", "/models/:id/aliases/:alias", ([key, alias], _u, _b, r) => {
        point(key, alias, null);
        r.writeHead(204).end();
    }],
    ["GET", "/projects/:project/experiments", ([slug], url, _b, r, problem) => {
        if (slug === "broken") return problem(503, "UNAVAILABLE", "the database could not be reached; try again in a moment");
        if (slug === "empty") return page([]);
        const wanted = url.searchParams.get("lifecycle") ?? "active";
        return page(experiments.filter((item) => wanted === "all" || (item.archived_at !== null) === (wanted === "archived")));
    }],
    ["POST", "/projects/:project/experiments", (_p, _u, body, _r, problem) => {
        if (experiments.some((item) => item.name === body.name)) return problem(409, "CONFLICT", `experiment "${body.name}" exists already`, "name");
        const made = experiment(60 + experiments.length, experiments.length, body.name, { ...body, created_at: ago(0), updated_at: ago(0) });
        experiments.push(made);
        return made;
    }],
    ["PATCH", "/experiments/:id", ([key], _u, { tags, ...body }) => {
        const item = experiments.find((other) => other.id === key);
        Object.assign(item, body, { tags: Object.fromEntries(Object.entries({ ...item.tags, ...tags }).filter(([, value]) => value !== null)), updated_at: ago(0) });
        return item;
    }],
    ["POST", "/experiments/:id/archive", ([key]) => Object.assign(experiments.find((item) => item.id === key), { archived_at: ago(0) })],
    ["POST", "/experiments/:id/restore", ([key]) => Object.assign(experiments.find((item) => item.id === key), { archived_at: null })],
    ["DELETE", "/experiments/:id", ([key], _u, _b, r) => {
        experiments = experiments.filter((item) => item.id !== key);
        r.writeHead(204).end();
    }],
    ["GET", "/permissions/check", (_p, url) => ({ allowed: true, permission: url.searchParams.get("permission"), role: world.session.role, needs: "editor", because: "role in the team", who_can_grant: [] })],
    ["GET", "/projects/:project/runs", ([slug], url, _b, _r, problem) => listRuns(slug, url, problem)],
    ["GET", "/projects/:project/runs/fields", () => ({ items: FIELDS })],
    ["POST", "/projects/:project/runs/aggregate", (_p, _u, body) => groups(body)],
    ["POST", "/projects/:project/runs/bulk", (_p, _u, body) => bulk(body)],
    ["GET", "/projects/:project/runs/export", (_p, url, _b, r) => {
        r.writeHead(200, { "Content-Type": "text/csv", "Content-Disposition": `attachment; filename="runs.${url.searchParams.get("format")}"` });
        r.end("name,state\ncalm-otter-13,succeeded\n");
    }],
    ["GET", "/runs/:id", ([key]) => runById(key)],
    ["PATCH", "/runs/:id", ([key], _u, body) => Object.assign(clients.find((run) => run.id === key) ?? {}, body)],
    ["PATCH", "/runs/:id/tags", ([key], _u, { tags }, r) => {
        const run = clients.find((item) => item.id === key);
        run.tags = Object.fromEntries(Object.entries({ ...run.tags, ...tags }).filter(([, value]) => value !== null));
        r.writeHead(204).end();
    }],
    ["POST", "/runs/:id/:change(archive|restore)", ([key, change]) => {
        archived[change === "archive" ? "add" : "delete"](key);
        return runById(key);
    }],
    ["DELETE", "/runs/:id", ([key], _u, _b, r) => {
        gone.add(key);
        r.writeHead(204).end();
    }],
    ["GET", "/runs/:id/children", ([key]) => page(allRuns().filter((run) => run.parent_id === key))],
    ["GET", "/runs/:id/inputs", ([key]) => (key === id(230) ? LINKS : { datasets: [], models: [] })],
    ["GET", "/runs/:id/artifacts", (_p, url) => level(url.searchParams.get("path") ?? "")],
    ["GET", "/runs/:id/artifacts/:path*", ([, path], url, _b, r) => content(path, url, r)],
    ["DELETE", "/runs/:id/artifacts/:path*", ([, path], _u, _b, r) => {
        removed.add(path);
        r.writeHead(204).end();
    }],
];
