/* Asks the server beside the page, with the browser's session; the reply's JSON, or null when it has none. */
import assert from "node:assert/strict";

const headersOf = (page) => ({ "X-Slipway-Request": "1", Origin: new URL(page.url()).origin });

export async function api(page, method, path, data) {
    const reply = await page.request.fetch(`/api/v1${path}`, { method, data, headers: headersOf(page) });
    assert.ok(reply.ok(), `${method} ${path}: ${reply.status()} ${await reply.text()}`);
    return reply.status() === 204 ? null : reply.json();
}

/** Logs points as an MLflow client would. */
export async function logPoints(page, project, run, points) {
    const metrics = points.map((point) => ({ ...point, timestamp: Date.now() }));
    const data = { run_id: run.replaceAll("-", ""), metrics };
    const reply = await page.request.post(`/p/${project}/api/2.0/mlflow/runs/log-batch`, { data, headers: headersOf(page) });
    assert.ok(reply.ok(), `log-batch: ${reply.status()} ${await reply.text()}`);
}

/** Puts a file of a run. */
export async function putFile(page, run, name, body) {
    const path = name.split("/").map(encodeURIComponent).join("/");
    const reply = await page.request.put(`/api/v1/runs/${run}/artifacts/${path}`, { data: Buffer.from(body), headers: { ...headersOf(page), "Content-Type": "application/octet-stream" } });
    assert.ok(reply.ok(), `PUT ${name}: ${reply.status()} ${await reply.text()}`);
}
