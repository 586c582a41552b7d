import assert from "node:assert/strict";
import { api } from "../lib/api.mjs";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const EMPTY = "without a logged model the list says where they come from";
const LISTED = "logged models are listed, filtered and ordered";
const HOSTILE = "<img src=x onerror=alert(1)>";

const names = (page) => page.locator("[data-list] [data-id] strong").allInnerTexts();
const headersOf = (page) => ({ "X-Slipway-Request": "1", Origin: new URL(page.url()).origin });

/* As MLflow's client saves one. */
async function mlflow(page, project, method, path, data) {
    const reply = await page.request.fetch(`/p/${project}/api/2.0/mlflow/${path}`, { method, data, headers: headersOf(page) });
    assert.ok(reply.ok(), `${path}: ${reply.status()} ${await reply.text()}`);
    return reply.json();
}

async function save(page, project, experiment, run, name, depth) {
    const { model } = await mlflow(page, project, "POST", "logged-models", { experiment_id: String(experiment.number), name, model_type: "forest", source_run_id: run.id.replaceAll("-", ""), params: [{ key: "depth", value: String(depth) }, { key: "odd", value: HOSTILE }], tags: [{ key: "owner", value: "ada" }, { key: HOSTILE, value: HOSTILE }] });
    const id = model.info.model_id;
    const metrics = [{ key: "loss", value: 1 / depth, timestamp: Date.now(), step: depth, model_id: id }, { key: "accuracy", value: 0.9, timestamp: Date.now(), step: depth, model_id: id, dataset_name: "titanic", dataset_digest: "5e01ab3c" }];
    await mlflow(page, project, "POST", "runs/log-batch", { run_id: run.id.replaceAll("-", ""), metrics });
    const put = await page.request.put(`/api/v1/logged-models/${id}/artifacts/MLmodel`, { data: Buffer.from("flavors:\n  sklearn: {}\n"), headers: { ...headersOf(page), "Content-Type": "application/octet-stream" } });
    assert.ok(put.ok());
    await mlflow(page, project, "PATCH", `logged-models/${id}`, { status: "LOGGED_MODEL_READY" });
    await mlflow(page, project, "POST", "runs/outputs", { run_id: run.id.replaceAll("-", ""), models: [{ model_id: id, step: depth }] });
    return id;
}

test(EMPTY, [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}/logged-models`);
    await page.getByText("No logged model yet").waitFor();
    await shot(page, "logged-models-empty");
});

test(LISTED, [EMPTY], async (context) => {
    const { page, project } = context;
    const experiment = await api(page, "POST", `/projects/${project}/experiments`, { name: "forests" });
    const run = await api(page, "POST", `/projects/${project}/runs`, { experiment: "forests", name: "planting", state: "running" });
    for (const depth of [2, 4]) await save(page, project, experiment, run, `oak-${depth}`, depth);
    context.forest = { run, url: `/projects/${project}/logged-models?experiment=${experiment.id}` };
    await page.goto(context.forest.url);
    await page.getByRole("row", { name: /oak-4/ }).waitFor();
    assert.deepEqual(await names(page), ["oak-4", "oak-2"]);
    await page.getByRole("columnheader", { name: "loss" }).getByRole("button").click();
    await page.waitForURL(/sort=-metrics\.loss/);
    await page.locator('[data-index="0"]').getByText("oak-2").waitFor();
    const box = page.getByRole("combobox", { name: "Filter logged models" });
    await box.fill("metrics.loss < 0.3 AND params.depth = '4'");
    await page.keyboard.press("Enter");
    await page.getByRole("row", { name: /oak-2/ }).waitFor({ state: "detached" });
    assert.deepEqual(await names(page), ["oak-4"]);
    await shot(page, "logged-models");
    await box.fill("metrcs.loss < 1");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    assert.equal(await page.locator("mark").innerText(), "metrcs.loss");
});

test("a logged model shows where it came from and what was measured, as text", [LISTED], async ({ page, project, forest }) => {
    await page.goto(`/projects/${project}/runs/${forest.run.id}?tab=overview`);
    await page.getByRole("link", { name: /oak-4/ }).click();
    await page.getByRole("heading", { name: "oak-4", level: 1 }).waitFor();
    await page.getByRole("heading", { name: "Metrics on titanic (5e01ab3c)" }).waitFor();
    assert.match(await page.getByRole("grid", { name: "Parameters" }).innerText(), /depth[\s\S]*4/);
    assert.equal(await page.locator("main img").count(), 0);
    await page.getByRole("button", { name: "Remove the tag owner" }).click();
    await page.getByRole("button", { name: "Remove the tag owner" }).waitFor({ state: "detached" });
    await shot(page, "logged-model");
    await page.getByRole("tab", { name: "Artifacts" }).click();
    await page.getByRole("treeitem").getByText("MLmodel").click();
    await page.getByText("sklearn").waitFor();
    await page.getByRole("link", { name: "planting" }).click();
    await page.getByRole("heading", { name: "planting", level: 1 }).waitFor();
});

test("a logged model is registered, and the version leads back to it", [LISTED], async ({ page, project, forest }) => {
    await page.goto(forest.url);
    await page.getByText("oak-2", { exact: true }).click();
    await page.getByText("It is not registered yet.").waitFor();
    await page.getByRole("button", { name: "Register as a model" }).click();
    await page.getByRole("dialog").getByLabel("Model", { exact: true }).fill(`oak-${project}`);
    await page.getByRole("dialog").getByRole("button", { name: "Register", exact: true }).click();
    await page.getByRole("heading", { name: `oak-${project} v1`, level: 1 }).waitFor();
    await page.getByRole("link", { name: "Open the logged model" }).click();
    await page.getByRole("link", { name: new RegExp(`oak-${project} v1`) }).waitFor();
});

test("a logged model that cannot be had says so; an archived one leaves the list", [LISTED], async ({ page, project, forest }) => {
    const path = /\/api\/v1\/projects\/[^/]+\/logged-models\?/;
    await page.route(path, (route) => route.fulfill({ status: 503, headers: { "Retry-After": "1" }, contentType: "application/problem+json", body: '{"code":"UNAVAILABLE","detail":"the database could not be reached"}' }));
    await page.goto(forest.url);
    await page.getByRole("alert").getByText("the database could not be reached").waitFor();
    await page.unroute(path);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByText("oak-2", { exact: true }).click();
    await page.getByRole("button", { name: "Archive" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Archive" }).click();
    await page.getByRole("row", { name: /oak-4/ }).waitFor();
    assert.deepEqual(await names(page), ["oak-4"]);
    await page.goto(`/projects/${project}/logged-models/00000000-0000-7000-8000-000000000000`);
    await page.getByRole("alert").getByText("Not found", { exact: true }).waitFor();
});
