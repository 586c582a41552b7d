import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { api, logPoints } from "../lib/api.mjs";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const OPENED = "runs of a client are listed, children under their parent";
const FILTERED = "runs are filtered by words and by the language";

const rowNames = (page) => page.locator("[data-list] [data-id] strong").allInnerTexts();
const filterBox = (page) => page.getByRole("combobox", { name: "Filter runs" });

async function ask(page, text) {
    await filterBox(page).fill(text);
    await page.keyboard.press("Enter");
}

async function open(page, project, experiment, name, values) {
    const run = await api(page, "POST", `/projects/${project}/runs`, { experiment, name, state: "running", ...values });
    const points = [3, 1, 2].map((step) => ({ key: "loss", step, value: values.params.lr * step }));
    await logPoints(page, project, run.id, points);
    await api(page, "POST", `/runs/${run.id}/state`, { state: values.params.lr > 0.5 ? "failed" : "succeeded" });
    return run;
}

test(OPENED, [MADE], async (context) => {
    const { page, project } = context;
    const parent = await open(page, project, "sweep", "sweep of rates", { params: { lr: "0.1", kind: "parent" } });
    for (const [index, lr] of ["0.2", "0.3", "0.9"].entries()) {
        await open(page, project, "sweep", `rate ${lr}`, { parent_id: parent.id, params: { lr, kind: "child" }, tags: { owner: index === 0 ? "ada" : "grace" } });
    }
    context.sweep = parent;
    await page.goto(`/projects/${project}/experiments`);
    await page.getByRole("row", { name: /sweep/ }).click();
    await page.getByRole("row", { name: /rate 0\.9/ }).waitFor();
    assert.deepEqual(await rowNames(page), ["sweep of rates", "rate 0.9", "rate 0.3", "rate 0.2"]);
    await page.getByRole("button", { name: "Hide what is below sweep of rates" }).click();
    assert.deepEqual(await rowNames(page), ["sweep of rates"]);
    context.sweepList = page.url();
});

test(FILTERED, [OPENED], async ({ page, sweepList }) => {
    await page.goto(sweepList);
    await page.getByRole("row", { name: /rate 0\.9/ }).waitFor();
    await ask(page, "rate");
    await page.waitForURL(/filter=rate/);
    await page.getByRole("row", { name: /rate 0\.2/ }).waitFor();
    await ask(page, "tags.owner = 'ada' OR (params.kind = 'child' AND NOT state = 'succeeded')");
    await page.getByRole("row", { name: /rate 0\.3/ }).waitFor({ state: "detached" });
    assert.deepEqual((await rowNames(page)).sort(), ["rate 0.2", "rate 0.9"]);
    await ask(page, "max(metrics.loss) < 0.7");
    await page.getByRole("row", { name: /sweep of rates/ }).waitFor();
    assert.deepEqual((await rowNames(page)).sort(), ["rate 0.2", "sweep of rates"]);
    const shared = page.url();
    await page.goto("/");
    await page.goto(shared);
    await page.getByRole("row", { name: /rate 0\.2/ }).waitFor();
    assert.equal(await filterBox(page).inputValue(), "max(metrics.loss) < 0.7");
});

test("a mistake in the filter is underlined where it stands", [FILTERED], async ({ page, sweepList }) => {
    await page.goto(sweepList);
    await ask(page, "params.lr = '0.2' AND metrcs.loss < 1");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.equal(await page.locator("mark").innerText(), "metrcs.loss");
    assert.match(await alert.innerText(), /metrcs/);
    await shot(page, "filter-refused");
    await page.getByRole("button", { name: "Clear the filter" }).click();
    await page.getByRole("row", { name: /rate 0\.9/ }).waitFor();
});

test("the filter is completed with keys alone, and explained", [FILTERED], async ({ page, sweepList }) => {
    await page.goto(sweepList);
    await page.getByRole("row", { name: /rate 0\.9/ }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("metrics.lo");
    await page.getByRole("option", { name: /metrics\.loss/ }).waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.keyboard.type("> 1");
    await page.keyboard.press("Enter");
    await page.waitForURL(/filter=metrics\.loss/);
    await page.getByRole("row", { name: /rate 0\.2/ }).waitFor({ state: "detached" });
    assert.deepEqual(await rowNames(page), ["rate 0.9"]);
    await page.getByRole("button", { name: "How to filter" }).click();
    await shot(page, "filter-help");
    await page.getByRole("dialog").getByRole("button", { name: /created_at/ }).click();
    await page.waitForURL(/filter=created_at/);
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await page.getByRole("alert").count(), 0);
});

test("runs are ordered by any column, and columns are chosen", [OPENED], async ({ page, sweepList }) => {
    await page.goto(sweepList);
    await page.getByRole("button", { name: "Columns" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("lr", { exact: true }).check();
    await dialog.getByLabel("Dataset", { exact: true }).uncheck();
    await dialog.getByRole("button", { name: "Close" }).last().click();
    await page.getByRole("columnheader", { name: "lr" }).getByRole("button").click();
    await page.waitForURL(/sort=-params\.lr/);
    await page.locator('[aria-sort="descending"]', { hasText: "lr" }).waitFor();
    assert.equal(await page.getByRole("columnheader", { name: "Dataset" }).count(), 0);
    await page.getByRole("columnheader", { name: "loss" }).getByRole("button").click();
    await page.waitForURL(/sort=-metrics\.loss/);
    await page.getByRole("row", { name: /rate 0\.9/ }).waitFor();
});

test("the least and the greatest value of a metric are columns to sort by, and are exported", [OPENED], async ({ page, sweepList }) => {
    await page.goto(sweepList);
    await page.getByRole("button", { name: "Columns" }).click();
    const dialog = page.getByRole("dialog");
    const loss = dialog.getByRole("group", { name: "loss", exact: true });
    await loss.getByLabel("min").check();
    await loss.getByLabel("max").check();
    await loss.getByLabel("last").uncheck();
    await shot(page, "columns");
    await page.keyboard.press("Escape");
    await page.getByRole("columnheader", { name: "loss, min" }).getByRole("button").click();
    await page.waitForURL((at) => at.searchParams.get("sort") === "-min(metrics.loss)");
    await page.getByRole("row", { name: /rate 0\.9.*0\.9.*2\.7/ }).waitFor();
    await page.reload();
    await page.locator('[aria-sort="descending"]', { hasText: "loss, min" }).waitFor();
    await page.getByRole("row", { name: /rate 0\.9.*0\.9.*2\.7/ }).waitFor();
    assert.equal(await page.getByRole("columnheader", { name: "loss", exact: true }).count(), 0);
    await page.getByRole("button", { name: "Export" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("menuitem", { name: "CSV of all that match" }).click();
    const [head, ...lines] = readFileSync(await (await download).path(), "utf8").trim().split("\r\n").map((line) => line.split(","));
    const at = (name) => head.indexOf(`"${name}"`);
    const line = lines.find((cells) => cells.includes('"rate 0.9"'));
    assert.deepEqual([at("min(metrics.loss)"), at("max(metrics.loss)")].map((column) => Number(line[column]).toFixed(1)), ["0.9", "2.7"]);
});

test("a run that a client opens appears by itself, and the focus outlives what acted on rows", [OPENED], async (context) => {
    const { page, project } = context;
    await api(page, "POST", `/projects/${project}/experiments`, { name: "watched" });
    await page.goto(`/projects/${project}/runs?filter=${encodeURIComponent("experiment = 'watched'")}`);
    await page.getByText("Nothing matches the filter").waitFor();
    await api(page, "POST", `/projects/${project}/runs`, { experiment: "watched", name: "by itself", state: "running" });
    const row = page.getByRole("row", { name: /by itself/ });
    await row.waitFor();
    await api(page, "POST", `/projects/${project}/runs`, { experiment: "watched", name: "the second", state: "running" });
    await page.getByRole("row", { name: /the second/ }).waitFor();
    await row.focus();
    await page.keyboard.press("x");
    await page.getByText("1 row selected").waitFor();
    await page.getByRole("button", { name: "Archive" }).focus();
    await page.keyboard.press("Enter");
    await row.waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.getAttribute("role") === "row");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "the second", level: 1 }).waitFor();
});

test("runs are summed up by a parameter", [OPENED], async ({ page, sweepList }) => {
    await page.goto(sweepList);
    await page.getByRole("row", { name: /rate 0\.9/ }).waitFor();
    await page.getByLabel("Group by").selectOption("params.kind");
    const table = page.getByRole("table");
    await table.getByRole("row", { name: /child/ }).waitFor();
    assert.match(await table.getByRole("row", { name: /child/ }).innerText(), /child\s+3\s+1\.4\s+0\.6\s+2\.7/);
    await shot(page, "run-groups");
});

test("many runs are tagged, moved, archived, restored and deleted at once", [OPENED], async ({ page, project, sweepList }) => {
    await api(page, "POST", `/projects/${project}/experiments`, { name: "kept" });
    await page.goto(sweepList);
    for (const name of [/rate 0\.2/, /rate 0\.3/]) await page.getByRole("row", { name }).getByRole("checkbox").check();
    await page.getByText("2 rows selected").waitFor();
    await page.getByRole("button", { name: "Tag", exact: true }).click();
    await page.getByLabel("Key").fill("reviewed");
    await page.getByLabel("Value").fill("yes");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByText("2 runs tagged.").waitFor();
    await ask(page, "tags.reviewed = 'yes'");
    await page.getByRole("row", { name: /rate 0\.9/ }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Move to an experiment" }).click();
    await page.getByRole("dialog").getByLabel("Experiment").selectOption({ label: "kept" });
    await page.getByRole("dialog").getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("2 runs moved.").waitFor();
    await page.goto(`/projects/${project}/runs?filter=${encodeURIComponent("experiment = 'kept'")}`);
    await page.getByRole("checkbox", { name: "Select all rows" }).check();
    await page.getByRole("button", { name: "Archive" }).click();
    await page.getByText("Nothing matches the filter").waitFor();
    await page.getByLabel("Which ones").selectOption("archived");
    await page.getByRole("row", { name: /rate 0\.2/ }).getByRole("checkbox").check();
    await page.getByRole("button", { name: "Restore" }).click();
    await page.getByRole("row", { name: /rate 0\.2/ }).waitFor({ state: "detached" });
    await page.getByRole("checkbox", { name: "Select all rows" }).check();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("1");
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.getByText("1 run deleted.").waitFor();
    const { items } = await api(page, "GET", `/projects/${project}/runs?lifecycle=all&limit=200`);
    assert.deepEqual(items.filter((run) => run.experiment_name === "kept").map((run) => run.name), ["rate 0.2"]);
});

test("all runs that match are exported", [OPENED], async ({ page, sweepList }) => {
    await page.goto(sweepList);
    await page.getByRole("row", { name: /rate 0\.9/ }).waitFor();
    for (const [item, wanted] of [["CSV of all that match", /rate 0\.9/], ["JSON Lines of all that match", /"rate 0\.9"/]]) {
        await page.getByRole("button", { name: "Export" }).click();
        const download = page.waitForEvent("download");
        await page.getByRole("menuitem", { name: item }).click();
        const text = readFileSync(await (await download).path(), "utf8");
        assert.match(text, wanted);
    }
});
