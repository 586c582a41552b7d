/* A plausible small world for the mock: digits and a table, finished runs and one that is learning now. */
const NOW = Date.now();
const ago = (seconds) => new Date(NOW - seconds * 1000).toISOString();
const id = (n) => `0192f3a0-0000-7000-8000-${String(n).padStart(12, "0")}`;
const PROJECT = id(1);
const PEOPLE = "Ada Lovelace";
const SPEC = {
    model: {
        layers: [
            { type: "conv2d", out: 32, kernel: 3, stride: 1, padding: "same", bias: true },
            { type: "batchnorm" }, { type: "relu" }, { type: "maxpool2d", kernel: 2, stride: 2 },
            { type: "conv2d", out: 64, kernel: 3, stride: 1, padding: "same", bias: true },
            { type: "batchnorm" }, { type: "relu" }, { type: "maxpool2d", kernel: 2, stride: 2 },
            { type: "flatten" }, { type: "linear", out: 128, bias: true }, { type: "relu" },
            { type: "dropout", p: 0.25 }, { type: "linear", out: "classes", bias: true },
        ],
        loss: "cross_entropy",
    },
    optimizer: { type: "adamw", lr: 0.002, weight_decay: 0.01 },
    schedule: { type: "one_cycle", warmup_fraction: 0.2 },
    batch_size: 128, epochs: 6, seed: 7, device: "auto",
};

export const session = {
    user: { id: id(2), email: "ada@example.org", name: PEOPLE, locale: "en", created_at: ago(9e6) },
    team: { id: id(3), slug: "lab", name: "Vision lab" },
    teams: [{ id: id(3), slug: "lab", name: "Vision lab" }, { id: id(4), slug: "ops", name: "Operations" }],
    role: "owner", scopes: ["read", "write", "admin"], expires_at: new Date(NOW + 9e5).toISOString(),
};
const project = (n, slug, name, counts, description) => ({ id: id(n), slug, name, description, created_at: ago(9e5), ...counts });
export const projects = [
    project(1, "digits", "Handwritten digits", { datasets: 3, runs: 14, models: 2, active_jobs: 2 }, "The whole path on real digits: import, train, register, predict."),
    project(5, "empty", "Nothing yet", { datasets: 0, runs: 0, models: 0, active_jobs: 0 }, ""),
    project(7, "many", "Thousands of runs", { datasets: 0, runs: 5000, models: 0, active_jobs: 0 }, ""),
    project(6, "broken", "Unreachable", { datasets: 1, runs: 1, models: 1, active_jobs: 0 }, ""),
];

const CLASS_COUNTS = [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958];
const hill = (bins, centre, width) => Array.from({ length: bins }, (_u, i) => Math.round(4000 * Math.exp(-(((i - centre) / width) ** 2)) + ((i * 37) % 90)));
const histogram = (counts, low, high) => ({ counts, edges: Array.from({ length: counts.length + 1 }, (_u, i) => low + ((high - low) * i) / counts.length) });
const numeric = (name, low, high, centre) => ({
    name, type: "numeric", nulls: name === "age" ? 177 : 0, distinct: 88, top: null,
    statistics: { min: low, max: high, mean: (low + high) / 2.2, stddev: (high - low) / 6, p05: low, p25: low, p50: (low + high) / 2.4, p75: high, p95: high },
    histogram: histogram(hill(24, centre, 5), low, high),
});
const pixels = hill(32, 0, 2).map((count, i) => count * 60 + (i > 28 ? 52000 : 900));
const IMAGE_COLUMNS = [
    { name: "pixel", type: "pixel", nulls: 0, distinct: 256, top: null, statistics: { min: 0, max: 255, mean: 33.3, stddev: 78.6, p05: 0, p25: 0, p50: 0, p75: 0, p95: 253 }, histogram: histogram(pixels, 0, 255) },
    { name: "label", type: "categorical", nulls: 0, distinct: 10, statistics: null, histogram: null, top: CLASS_COUNTS.map((count, i) => ({ value: String(i), count })) },
];
const TABLE_COLUMNS = [
    numeric("age", 0.42, 80, 8), numeric("fare", 0, 512, 2), numeric("pclass", 1, 3, 22),
    { name: "sex", type: "categorical", nulls: 0, distinct: 2, statistics: null, histogram: null, top: [{ value: "male", count: 577 }, { value: "female", count: 314 }] },
    { name: "embarked", type: "categorical", nulls: 2, distinct: 3, statistics: null, histogram: null, top: [{ value: "S", count: 644 }, { value: "C", count: 168 }, { value: "Q", count: 77 }] },
    { name: "survived", type: "categorical", nulls: 0, distinct: 2, statistics: null, histogram: null, top: [{ value: "0", count: 549 }, { value: "1", count: 342 }] },
];
const version = (n, dataset, name, number, rest) => ({
    id: id(n), dataset_id: id(dataset), dataset_name: name, version: number, state: "ready", job_id: id(n + 500), created_at: ago(5000 * (8 - number)), created_by: PEOPLE,
    kind: "image", rows: 70000, size_bytes: 54950048, sha256: "9f2b7c41d0e5a8639f2b7c41d0e5a8639f2b7c41d0e5a8639f2b7c41d0e5a863", shape: [1, 28, 28], target: null,
    classes: CLASS_COUNTS.map((count, i) => ({ name: String(i), count })), splits: { train: 54000, validation: 6000, test: 10000 },
    split: { train: 0.9, validation: 0.1, test: 0, seed: 42, stratify: true }, columns: IMAGE_COLUMNS,
    samples: { tile: 56, columns: 10, items: Array.from({ length: 100 }, (_u, i) => ({ row: i * 613, label: String(i % 10), split: i % 7 ? "train" : "test" })) },
    notes: null, error: null, files: [{ name: "data.safetensors", size_bytes: 54950048, media_type: "application/octet-stream" }, { name: "manifest.json", size_bytes: 812, media_type: "application/json" }],
    ...rest,
});
const blank = { kind: null, rows: null, size_bytes: null, sha256: null, shape: null, classes: null, splits: null, split: null, columns: null, samples: null, files: [] };
export const versions = [
    version(101, 11, "mnist", 1, { rows: 10000, splits: { train: 8000, validation: 1000, test: 1000 } }),
    version(102, 11, "mnist", 2, {}),
    version(103, 12, "titanic", 1, {
        kind: "table", rows: 891, size_bytes: 61194, shape: null, target: "survived", columns: TABLE_COLUMNS, splits: { train: 713, validation: 89, test: 89 },
        classes: [{ name: "0", count: 549 }, { name: "1", count: 342 }], notes: ["177 rows have no age", "2 rows have no embarked"],
        samples: { columns: TABLE_COLUMNS.map((column) => column.name), rows: Array.from({ length: 40 }, (_u, i) => [i % 5 ? String(20 + (i % 40)) : null, (7.25 + i * 3).toFixed(2), String(1 + (i % 3)), i % 3 ? "male" : "female", "SCQ"[i % 3], String(i % 2)]) },
    }),
    version(104, 13, "street-signs", 1, { ...blank, state: "importing" }),
    version(105, 13, "street-signs", 0, { ...blank, state: "failed", error: { code: "invalid_data", message: "the archive holds a member whose name leads out of it", field: null, file: "signs.zip", place: "member ../../etc/passwd" } }),
];
const dataset = (n, name, number, rest) => ({ id: id(n), project_id: PROJECT, name, description: "", created_at: ago(9e4), updated_at: ago(n * 300), latest_version: number, latest_state: "ready", kind: "image", rows: 70000, size_bytes: 54950048, ...rest });
export const datasets = [
    dataset(11, "mnist", 2, { description: "70,000 handwritten digits, 28 by 28 pixels, from the four IDX files." }),
    dataset(12, "titanic", 1, { kind: "table", rows: 891, size_bytes: 61194 }),
    dataset(13, "street-signs", 1, { latest_state: "importing", kind: null, rows: null, size_bytes: null }),
];

export function sprite() {
    const tiles = Array.from({ length: 100 }, (_u, i) => `<g transform="translate(${(i % 10) * 56} ${Math.floor(i / 10) * 56})"><rect width="56" height="56" fill="#000"/><text x="28" y="45" fill="#fff" font-size="48" font-family="serif" text-anchor="middle" transform="rotate(${((i * 17) % 30) - 15} 28 28)">${i % 10}</text></g>`);
    return `<svg xmlns="http://www.w3.org/2000/svg" width="560" height="560">${tiles.join("")}</svg>`;
}

const STEPS = 2532;
const liveFraction = () => Math.min(0.97, 0.35 + ((Date.now() - NOW) / 1000) * 0.004);
const CONFUSION = Array.from({ length: 10 }, (_u, i) => Array.from({ length: 10 }, (_v, j) => (i === j ? 940 + i * 9 : (i * 7 + j * 5) % 13 > 9 ? (i + j) % 7 : 0)));
const evaluation = {
    confusion: { labels: CONFUSION.map((_r, i) => String(i)), matrix: CONFUSION },
    class_metrics: CONFUSION.map((_r, i) => ({ label: String(i), precision: 0.992 - i * 0.001, recall: 0.994 - i * 0.0012, f1: 0.993 - i * 0.0011, support: 980 + i * 5 })),
};
const METRICS = { "train/loss": 0.0213, "train/accuracy": 0.9941, "val/loss": 0.0312, "val/accuracy": 0.9908, lr: 0.00021, samples_per_s: 11840, "system/cpu": 0.93, "system/memory_bytes": 412000000 };
const run = (n, name, state, rest) => ({
    id: id(n), project_id: PROJECT, experiment_id: id(31), experiment_name: n % 3 ? "baseline" : "wider", name, state, job_id: id(n + 500), dataset_version_id: id(102), dataset_name: "mnist", dataset_version: 2,
    created_at: ago((n - 200) * 2400 + 40), started_at: ago((n - 200) * 2400 + 35), finished_at: state === "running" ? null : ago((n - 200) * 2400 - 180), created_by: PEOPLE, notes: "", tags: { purpose: "demo" },
    params: { epochs: "6", batch_size: "128", "optimizer.lr": "0.002", "optimizer.type": "adamw", seed: String(n) },
    metrics: { ...METRICS, "val/loss": 0.0312 + (n % 5) * 0.004, "val/accuracy": 0.9908 - (n % 5) * 0.0013, "test/accuracy": 0.9916 - (n % 5) * 0.0011, "test/loss": 0.0281 + (n % 5) * 0.003 },
    progress: 1, message: "", eta_s: null, device: "cpu", evaluation, spec: SPEC, experiment_number: 1, parent_id: null, source: "native", user_name: null, archived_at: null, ...rest,
});
export function runs() {
    const live = liveFraction();
    return [
        run(200, "brisk-heron-14", "running", {
            created_at: ago(70), started_at: ago(64), progress: live, eta_s: (1 - live) * 190, message: `epoch ${Math.floor(live * 6) + 1} of 6`, evaluation: null, metrics: METRICS,
        }),
        ...["calm-otter-13", "keen-falcon-12", "late-comet-11", "pale-harbour-10", "quick-lantern-9", "still-meadow-8", "warm-anchor-7", "young-cedar-6", "bold-river-5", "plain-stone-4", "odd-maple-3", "first-light-2", "hello-1"]
            .map((name, i) => run(201 + i, name, i === 2 ? "failed" : i === 5 ? "cancelled" : "succeeded", i === 2 ? { metrics: {}, evaluation: null } : {})),
    ];
}

const noise = (i, seed) => Math.sin(i * 12.9898 + seed * 78.233) * 0.5 + Math.sin(i * 4.13 + seed) * 0.5;
const CURVES = {
    "train/loss": (f, i) => 0.04 + 2.1 * Math.exp(-f * 9) + (0.04 + 0.2 * Math.exp(-f * 6)) * Math.abs(noise(i, 1)),
    "train/accuracy": (f, i) => Math.min(1, 0.992 - 0.8 * Math.exp(-f * 10) - 0.02 * Math.abs(noise(i, 2))),
    "val/loss": (f, i) => 0.045 + 0.5 * Math.exp(-f * 6) + 0.01 * noise(i, 3),
    "val/accuracy": (f, i) => 0.991 - 0.12 * Math.exp(-f * 5) + 0.001 * noise(i, 4),
    lr: (f) => 0.002 * Math.sin(Math.PI * Math.min(1, f * 1.02)) + 0.00001,
    samples_per_s: (_f, i) => 11600 + 600 * noise(i, 5),
    "system/cpu": (_f, i) => 0.93 + 0.05 * noise(i, 6),
    "system/memory_bytes": (f, i) => 3.9e8 + 2e7 * f + 3e6 * noise(i, 7),
};
export function metrics(runId, query) {
    const last = Math.floor(STEPS * (runId === id(200) ? liveFraction() : 1));
    const from = Number(query.get("from_step") ?? 0);
    const to = Math.min(last, Number(query.get("to_step") ?? last));
    return query.get("keys").split(",").filter((key) => CURVES[key]).map((key) => {
        const every = key.startsWith("val/") ? 422 : 1;
        const count = Math.max(1, Math.min(Number(query.get("buckets")), Math.floor((to - from) / every)));
        const size = (to - from) / count;
        const buckets = Array.from({ length: count }, (_u, b) => {
            const step = Math.round(from + b * size + (every > 1 ? every : 0));
            const end = every > 1 ? step : Math.round(from + (b + 1) * size);
            const values = Array.from({ length: Math.max(1, Math.min(8, end - step)) }, (_v, k) => CURVES[key]((step + k) / STEPS, step + k));
            const bad = key === "train/loss" && runId !== id(200) && step <= 1400 && end >= 1396;
            return { step, last_step: end, at: ago(60), min: bad ? "NaN" : Math.min(...values), max: bad ? "NaN" : Math.max(...values), first: bad ? "NaN" : values[0], last: bad ? "NaN" : values.at(-1), count: values.length, non_finite: bad ? 1 : 0 };
        });
        return { key, points: count, first_step: from, last_step: to, buckets };
    });
}

const job = (n, kind, name, state, rest) => ({
    id: id(n), project_id: PROJECT, kind, name, state, attempt: 1, max_attempts: 3, progress: 1, message: "done", eta_s: null, worker: "worker-1", error: null, created_at: ago(4000), started_at: ago(3990), finished_at: ago(3800),
    created_by: PEOPLE, run_id: null, dataset_version_id: null, model_version_id: null, waiting_for: null, ...rest,
});
export function jobs() {
    const live = liveFraction();
    return [
        job(700, "train", "brisk-heron-14", "running", { progress: live, eta_s: (1 - live) * 190, message: `epoch ${Math.floor(live * 6) + 1} of 6`, created_at: ago(70), started_at: ago(64), finished_at: null, run_id: id(200) }),
        job(604, "dataset.import", "street-signs v1", "running", { progress: 0.44, eta_s: 21, message: "decoding images: 5,120 of 11,600", created_at: ago(30), started_at: ago(28), finished_at: null, dataset_version_id: id(104) }),
        job(720, "train", "wide-delta-15", "queued", { progress: 0, message: "", worker: null, created_at: ago(20), started_at: null, finished_at: null, waiting_for: "every training slot is busy: brisk-heron-14 is expected to finish in 2 minutes" }),
        job(703, "train", "late-comet-11", "failed", { attempt: 3, message: "", run_id: id(203), error: { code: "invalid_data", message: "the label of row 812 is none of the 10 classes", field: null, file: "labels.idx", place: "row 812" } }),
        job(701, "train", "calm-otter-13", "succeeded", { run_id: id(201), created_at: ago(2400) }),
        job(602, "dataset.import", "mnist v2", "succeeded", { dataset_version_id: id(102), created_at: ago(86000) }),
    ];
}
export const jobEvents = [
    ["queued", null, "created by Ada Lovelace"], ["running", "queued", "leased by worker-1"], ["lost_contact", "running", "no heartbeat for 20 s"],
    ["queued", "lost_contact", "the lease ended; attempt 2 resumes from checkpoint/last"], ["running", "queued", "leased by worker-1"],
].map(([state, from_state, reason], i) => ({ seq: i + 1, at: ago(300 - i * 50), from_state, state, attempt: i < 3 ? 1 : 2, reason }));
export function logs() {
    const lines = ["libtorch 2.9.1, 2 threads, OpenBLAS", "54,000 training rows, 6,000 validation rows, 10,000 test rows", "parameters: 421,834"];
    for (let i = 1; i <= 40; i++) lines.push(i % 13 ? `step ${i * 60}: loss ${(2 / i).toFixed(4)}, accuracy ${(1 - 0.4 / i).toFixed(4)}` : "input queue was empty for 120 ms");
    return lines.map((message, i) => ({ seq: i + 1, at: ago(120 - i), level: message.startsWith("input") ? "warning" : "info", message }));
}
export const templates = [
    { id: "cnn", title: "Small convolutional network", description: "Two blocks and a hidden layer. About 99 % on digits in a minute or two.", kind: "image", spec: SPEC },
    { id: "mlp", title: "Multilayer perceptron", description: "Fast, and a fair first answer for any data.", kind: "image", spec: { ...SPEC, model: { layers: [{ type: "flatten" }, { type: "linear", out: 256 }, { type: "relu" }, { type: "linear", out: "classes" }], loss: "cross_entropy" } } },
    { id: "residual", title: "Residual network", description: "Deeper; for larger pictures and more classes.", kind: "image", spec: SPEC },
];
export const report = {
    layers: SPEC.model.layers.map((layer, index) => ({ index, type: layer.type, output: index < 3 ? [32, 28, 28] : index < 4 ? [32, 14, 14] : index < 7 ? [64, 14, 14] : index < 8 ? [64, 7, 7] : index < 9 ? [3136] : index < 12 ? [128] : [10], parameters: { 0: 320, 1: 64, 4: 18496, 5: 128, 9: 401536, 12: 1290 }[index] ?? 0 })),
    parameters: 421834, steps_per_epoch: 422, steps: 2532,
};

export const models = [
    { id: id(41), project_id: PROJECT, name: "digits", description: "Reads one handwritten digit.", created_at: ago(9e4), updated_at: ago(1900), versions: 2, latest_version: 2, metrics: { "test/accuracy": 0.9916, "test/loss": 0.0281 }, tags: { task: "vision" }, aliases: { champion: 2, fallback: 1 } },
    { id: id(42), project_id: PROJECT, name: "survival", description: "", created_at: ago(9e4), updated_at: ago(70000), versions: 1, latest_version: 1, metrics: { "test/accuracy": 0.8202 }, tags: {}, aliases: {} },
    { id: id(43), project_id: PROJECT, name: "churn: trees & <b>", description: "Logged by **scikit-learn**.\n\nSee [notes](javascript:alert(1)).", created_at: ago(9e4), updated_at: ago(900), versions: 1, latest_version: 1, metrics: {}, tags: { owner: "grace" }, aliases: {} },
];
const modelVersion = (n, model, name, number, rest) => ({
    id: id(n), model_id: id(model), model_name: name, version: number, description: "", run_id: id(201), created_at: ago(1900 * (4 - number)), created_by: PEOPLE, metrics: { "test/accuracy": 0.9916 - (2 - number) * 0.003, "test/loss": 0.0281 },
    signature: { inputs: [{ name: "input", datatype: "FP32", shape: [-1, 1, 28, 28] }], outputs: [{ name: "probabilities", datatype: "FP32", shape: [-1, 10] }, { name: "label", datatype: "BYTES", shape: [-1] }] },
    source: "runs:/0192f3a0/model", run_link: "", logged_model_id: null, stage: "none", status: "ready", status_message: "", updated_at: ago(900), tags: {}, aliases: [], servable: true, file_count: 2,
    classes: CLASS_COUNTS.map((_c, i) => String(i)), input_kind: "image", input_shape: [1, 28, 28], size_bytes: 1689722,
    files: [{ name: "model.safetensors", size_bytes: 1687512, media_type: "application/octet-stream", sha256: "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce" }, { name: "model.json", size_bytes: 2210, media_type: "application/json", sha256: "2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3" }],
    endpoint: { id: id(600), model_version_id: id(n), model_name: name, version: number, state: "ready", requests: 1284, errors: 0, p50_us: 870, started_at: ago(1000), last_used_at: ago(3), message: "" }, evaluation, ...rest,
});
export const modelVersions = [
    modelVersion(402, 41, "digits", 2, { description: "Wider second block; better on 4 and 9.", stage: "production", aliases: ["champion"], tags: { reviewed: "yes" } }),
    modelVersion(401, 41, "digits", 1, { endpoint: null, aliases: ["fallback"], stage: "archived" }),
    modelVersion(404, 43, "churn: trees & <b>", 1, {
        servable: false, endpoint: null, evaluation: null, signature: null, classes: null, input_kind: null, input_shape: null, metrics: {}, run_link: "javascript:alert(1)", source: "runs:/0192f3a0000070008000000000000230/model",
        files: [{ name: "model/MLmodel", size_bytes: 512, media_type: "text/plain", sha256: "4e07408562bedb8b60ce05c1decfe3ad16b72230967de01f640b7e4729b49fce" }, { name: "model/model.pkl", size_bytes: 20480, media_type: "application/octet-stream", sha256: "2c624232cdd221771294dfbb310aca000a0df6ac8b66b696d90ef06fdefb64a3" }],
    }),
    modelVersion(403, 42, "survival", 1, {
        input_kind: "table", input_shape: [8], classes: ["0", "1"], endpoint: null, evaluation: null, metrics: { "test/accuracy": 0.8202 },
        signature: { inputs: [{ name: "age", datatype: "FP32", shape: [-1] }, { name: "fare", datatype: "FP32", shape: [-1] }, { name: "pclass", datatype: "FP32", shape: [-1] }, { name: "sex", datatype: "BYTES", shape: [-1] }, { name: "embarked", datatype: "BYTES", shape: [-1] }], outputs: [{ name: "probabilities", datatype: "FP32", shape: [-1, 2] }, { name: "label", datatype: "BYTES", shape: [-1] }] },
    }),
];
export function predict(versionId) {
    const table = versionId === id(403);
    const data = table ? [0.31, 0.69] : [0.001, 0.0004, 0.002, 0.004, 0.0001, 0.001, 0.0002, 0.985, 0.0013, 0.005];
    return { model_name: "digits", model_version: "2", outputs: [{ name: "probabilities", datatype: "FP32", shape: [1, data.length], data }, { name: "label", datatype: "BYTES", shape: [1], data: [table ? "1" : "7"] }] };
}

const node = (kind, n, name, state) => ({ id: `${kind}:${id(n)}`, kind, ref_id: id(n), name, state, created_at: ago(n) });
export function lineage(root) {
    const nodes = [
        node("job", 602, "import mnist v2", "succeeded"), node("dataset_version", 102, "mnist v2", "ready"), node("run", 201, "calm-otter-13", "succeeded"), node("run", 202, "keen-falcon-12", "succeeded"), node("run", 200, "brisk-heron-14", "running"),
        node("artifact", 300, "model.safetensors", null), node("artifact", 303, "checkpoint/last", null), node("model_version", 402, "digits v2", null), node("model_version", 401, "digits v1", null), node("endpoint", 600, "digits v2", "ready"), node("job", 701, "train calm-otter-13", "succeeded"),
    ];
    const of = (index) => nodes[index].id;
    const edges = [[0, 1, "produced"], [1, 2, "input"], [1, 3, "input"], [1, 4, "input"], [10, 2, "ran"], [2, 5, "produced"], [2, 6, "produced"], [5, 7, "registered"], [3, 8, "registered"], [7, 9, "served"]]
        .map(([from, to, relation]) => ({ from: of(from), to: of(to), relation, at: ago(100) }));
    return { root: nodes.some((item) => item.id === root) ? root : of(2), nodes, edges, truncated: false };
}

export const tokens = [{ id: id(51), name: "laptop notebook", prefix: "slp_k3x9v2pa", scopes: ["read", "write"], created_at: ago(9e5), expires_at: new Date(NOW + 4e9).toISOString(), last_used_at: ago(400) }];
export function createToken(body) {
    const token = { id: id(52 + tokens.length), name: body.name, prefix: "slp_q8z1m4tb", scopes: body.scopes, created_at: ago(0), expires_at: null, last_used_at: null };
    tokens.push(token);
    return { token: "slp_q8z1m4tb_S2V5IG9mIHRoZSBtb2NrLCBub3QgYSByZWFsIHRva2Vu_1a2b3c4d", id: token.id, name: token.name, expires_at: null };
}
export function revokeToken(tokenId) {
    tokens.splice(tokens.findIndex((token) => token.id === tokenId), 1);
}
export const workers = [{ id: id(61), name: "worker-1", state: "online", version: "0.1.0", capabilities: { torch: "2.9.1" }, sandbox: ["namespaces", "seccomp", "landlock", "rlimits"], slots: 1, busy: 1, last_seen_at: ago(2) }];
export const uploads = [{ id: id(71), file_name: "street-signs-2.zip", size_bytes: 734003200, offset_bytes: 293601280, state: "receiving", sha256: null, created_at: ago(900), expires_at: ago(-8e4) }];
