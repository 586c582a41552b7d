import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { api } from "../lib/api.mjs";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const FOLDERS = "experiments are made in folders, closed, opened and found";
const LOGGED = "a run is logged with the program that the page shows";

const menu = async (page, name, item) => {
    await page.getByRole("button", { name: `Actions for ${name}` }).click();
    await page.getByRole("menuitem", { name: item }).click();
};

async function make(page, name, folder) {
    await page.getByRole("button", { name: "New experiment" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByLabel("Folder").fill(folder);
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("row", { name }).first().waitFor();
}

test(FOLDERS, [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}/experiments`);
    await make(page, "resnet", "vision/small");
    await make(page, "trees", "tables");
    const folder = page.getByRole("row", { name: /^vision/ });
    assert.equal(await folder.getAttribute("aria-expanded"), "true");
    await folder.click();
    await page.waitForURL(/closed=vision/);
    await page.getByRole("row", { name: /resnet/ }).waitFor({ state: "detached" });
    await folder.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("row", { name: /resnet/ }).waitFor();
    await shot(page, "experiments");
    await page.getByRole("searchbox").fill("tree");
    await page.getByRole("row", { name: /resnet/ }).waitFor({ state: "detached" });
    await page.getByRole("row", { name: /trees/ }).waitFor();
});

test("a name that is taken is refused beside the field", [FOLDERS], async ({ page, project }) => {
    await page.goto(`/projects/${project}/experiments`);
    await page.getByRole("button", { name: "New experiment" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("trees");
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.getByRole("alert").waitFor();
    assert.match(await dialog.getByRole("alert").innerText(), /exists/);
    await page.keyboard.press("Escape");
});

test("an experiment is renamed, described, tagged and moved", [FOLDERS], async ({ page, project }) => {
    await page.goto(`/projects/${project}/experiments`);
    await menu(page, "trees", "Edit");
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("boosted trees");
    await dialog.getByLabel("Folder").fill("tables/boosted");
    await dialog.getByLabel("Description").fill("By **depth**.");
    await dialog.getByRole("button", { name: "Add a tag" }).click();
    await dialog.getByLabel("Key").fill("owner");
    await dialog.getByLabel("Value").fill("grace");
    await dialog.getByRole("button", { name: "Add a tag" }).click();
    await dialog.getByRole("button", { name: "Save" }).click();
    const row = page.getByRole("row", { name: /boosted trees/ });
    await row.waitFor();
    assert.match(await row.innerText(), /owner\s*grace/);
    await page.getByRole("row", { name: "boosted 1" }).waitFor();
});

test("a folder is renamed with all that is in it", [FOLDERS], async ({ page, project }) => {
    await page.goto(`/projects/${project}/experiments`);
    await page.getByRole("button", { name: "Rename or move vision/small" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Folder").fill("pictures/tiny");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByRole("row", { name: "tiny 1" }).waitFor();
    const { items } = await api(page, "GET", `/projects/${project}/experiments`);
    assert.equal(items.find((item) => item.name === "resnet").folder, "pictures/tiny");
});

test("an experiment is archived, restored, and deleted once its name is typed", [FOLDERS], async ({ page, project }) => {
    await page.goto(`/projects/${project}/experiments`);
    await make(page, "to be deleted", "");
    const row = page.getByRole("row", { name: /to be deleted/ });
    await menu(page, "to be deleted", "Archive");
    await page.getByRole("dialog").getByRole("button", { name: "Archive" }).click();
    await row.waitFor({ state: "detached" });
    await page.getByLabel("Which ones").selectOption("archived");
    await menu(page, "to be deleted", "Delete for good");
    const confirm = page.getByRole("dialog").getByRole("button", { name: "Delete for good" });
    assert.ok(await confirm.isDisabled());
    await page.getByRole("dialog").getByRole("textbox").fill("to be deleted");
    await confirm.click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await row.waitFor({ state: "detached" });
    const left = await api(page, "GET", `/projects/${project}/experiments?lifecycle=all`);
    assert.ok(!left.items.some((item) => item.name === "to be deleted"));
});

test(LOGGED, [FOLDERS], async (context) => {
    const { page, project } = context;
    await page.goto(`/projects/${project}/experiments`);
    await page.getByRole("row", { name: /resnet/ }).click();
    await page.getByRole("heading", { name: "resnet", level: 1 }).waitFor();
    await page.getByText("Log from your code").waitFor();
    await shot(page, "log-from-code");
    await page.getByRole("tab", { name: "curl" }).click();
    assert.match(await page.locator("pre[aria-label=curl]").innerText(), /TOKEN='<token>'/);
    await page.getByLabel("It may register models too").uncheck();
    await page.getByRole("button", { name: "Make a token" }).click();
    await page.getByText(/is not shown again/).waitFor();
    const program = await page.locator("pre[aria-label=curl]").innerText();
    assert.match(program, /TOKEN='slp_/);
    const folder = mkdtempSync(join(tmpdir(), "slipway-log-"));
    execFileSync("sh", ["-e", "-c", program], { cwd: folder, stdio: "pipe", timeout: 30_000 });
    await page.reload();
    const row = page.getByRole("row", { name: /first steps/ });
    await row.waitFor();
    await row.locator('[data-state="succeeded"]').waitFor();
    const token = /TOKEN='(slp_[^']+)'/.exec(program)[1];
    assert.ok(!(await page.locator("body").innerText()).includes(token));
    const { items } = await api(page, "GET", `/projects/${project}/runs`);
    context.logged = items.find((run) => run.name === "first steps");
    assert.equal(context.logged.metrics.loss, 0.25);
});

test("MLflow's link to a run leads to its page", [LOGGED], async ({ page, project, logged }) => {
    await page.goto(`/p/${project}/#/experiments/1/runs/${logged.id.replaceAll("-", "")}`);
    await page.getByRole("heading", { name: "first steps", level: 1 }).waitFor();
});

test("the token of that program may log to its project and do nothing else", [LOGGED], async ({ page }) => {
    const { items } = await api(page, "GET", "/tokens?limit=200");
    const token = items.find((item) => item.name.startsWith("logging to"));
    assert.deepEqual([...token.scopes].sort(), ["ingest", "read"]);
    assert.equal(token.projects.length, 1);
    assert.ok(token.expires_at);
});
