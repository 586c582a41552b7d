import assert from "node:assert/strict";
import { api, putFile } from "../lib/api.mjs";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const FOREIGN = "a version that only clients load says so";

test(FOREIGN, [MADE], async (context) => {
    const { page, project } = context;
    const run = await api(page, "POST", `/projects/${project}/runs`, { experiment: "registry", name: "sklearn" });
    await putFile(page, run.id, "model/MLmodel", "flavors:\n  sklearn: {}\n");
    await api(page, "POST", `/runs/${run.id}/state`, { state: "succeeded" });
    const version = await api(page, "POST", `/projects/${project}/model-versions`, { model: `trees-${project}`, run_id: run.id, source: `runs:/${run.id.replaceAll("-", "")}/model` });
    context.foreign = { model: `/projects/${project}/models/${version.model_id}`, version: `/projects/${project}/models/${version.model_id}/versions/${version.id}` };
    await page.goto(`/projects/${project}/runs/${run.id}`);
    await page.getByRole("button", { name: "Register as a model" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Model", { exact: true }).fill(`trees-${project}`);
    await dialog.getByLabel("Directory of the model").fill("../elsewhere");
    await dialog.getByRole("button", { name: "Register" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByLabel("Directory of the model").fill("model");
    await dialog.getByRole("button", { name: "Register" }).click();
    await page.getByRole("heading", { name: `trees-${project} v2`, level: 1 }).waitFor();
    await page.goto(context.foreign.version);
    await page.getByText("Slipway does not serve this version").waitFor();
    assert.match(await page.getByLabel("Python").innerText(), new RegExp(`models:/trees-${project}/1`));
    assert.equal(await page.getByRole("tab", { name: "Try it" }).count(), 0);
    await shot(page, "foreign-version");
    await page.getByRole("tab", { name: "Files" }).click();
    await page.getByText("MLmodel").waitFor();
});

test("aliases are given, moved and taken away", [FOREIGN], async ({ page, foreign }) => {
    await page.goto(foreign.model);
    await page.getByLabel("New alias").fill("champion");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    const first = page.getByRole("row", { name: /^v1\b/ });
    await page.getByRole("row", { name: /^v2 @champion/ }).waitFor();
    await page.getByLabel("Version of @champion").selectOption("1");
    await first.filter({ hasText: "@champion" }).waitFor();
    await page.getByRole("button", { name: "Remove @champion" }).click();
    await first.filter({ hasText: "@champion" }).waitFor({ state: "detached" });
});

test("a version gets a stage, a tag and a description", [FOREIGN], async ({ page, foreign }) => {
    await page.goto(foreign.version);
    await page.getByLabel("Stage").selectOption("production");
    await page.locator("header").getByText("Production").waitFor();
    await page.getByRole("button", { name: "Add a tag" }).click();
    await page.getByLabel("Key").fill("reviewed");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove the tag reviewed" }).waitFor();
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("textbox", { name: "Description" }).fill("Better on *4*.");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("tabpanel").getByText("Better on 4.").waitFor();
});

test("models are found by a part of their name, renamed and deleted", [FOREIGN], async ({ page, project, foreign }) => {
    await page.goto(`/projects/${project}/models`);
    await page.getByRole("searchbox").fill("no such");
    await page.getByText("Nothing matches the filter").waitFor();
    await page.getByRole("searchbox").fill("REES-");
    await page.getByRole("row", { name: new RegExp(`trees-${project}`) }).click();
    await page.waitForURL(`**${foreign.model}`);
    await page.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Rename" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill(`oaks-${project}`);
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: `oaks-${project}`, level: 1 }).waitFor();
    await page.getByRole("button", { name: "More actions" }).click();
    await page.getByRole("menuitem", { name: "Delete for good" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill(`oaks-${project}`);
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.waitForURL(/\/models$/);
    await page.getByText(`oaks-${project}`).waitFor({ state: "detached" });
});
