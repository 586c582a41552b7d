import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const IMPORTED = "digits are uploaded, imported and described";
const STARTED = "a training is started from a template and draws live";
const TRAINED = "the run ends with an evaluation, a log and artifacts";
const FIRST_METRICS_MS = 90_000;
const TRAINING_MS = 300_000;

test("a wrong layer is refused at its line, with the shapes", [IMPORTED], async ({ page, project }) => {
    await page.goto(`/projects/${project}/datasets`);
    await page.getByRole("row", { name: /digits/ }).click();
    await page.getByRole("link", { name: "Train on this" }).click();
    const editor = page.getByLabel("Specification");
    await page.getByText("The server accepts this specification.").waitFor();
    await page.getByRole("columnheader", { name: "Output" }).waitFor();
    const spec = JSON.parse(await editor.inputValue());
    const good = JSON.stringify(spec);
    spec.model.layers.splice(1, 0, { type: "maxpool2d", kernel: 99, stride: 2 });
    await editor.fill(JSON.stringify(spec, null, 2));
    await page.getByText(/^Line \d+: /).waitFor();
    await page.getByText("Refused").waitFor();
    assert.ok(await page.getByRole("button", { name: "Start training" }).isDisabled());
    await shot(page, "train-refused");
    await editor.fill(good);
    await page.getByText("The server accepts this specification.").waitFor();
});

test(STARTED, ["a wrong layer is refused at its line, with the shapes"], async ({ page }) => {
    await page.getByLabel("Epochs").fill("3");
    await page.getByLabel("Name of the run").fill("first digits");
    await page.getByText("The server accepts this specification.").waitFor();
    await shot(page, "train");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.waitForURL(/\/runs\/[0-9a-f-]{36}/);
    const figure = page.locator("figure").filter({ hasText: "train/loss" });
    await figure.waitFor({ timeout: FIRST_METRICS_MS });
    const before = await figure.locator("figcaption").innerText();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.waitForFunction(
        (old) => [...document.querySelectorAll("figcaption")].some((caption) => caption.textContent.includes("train/loss") && caption.innerText !== old),
        before,
        { timeout: 60_000 },
    );
    await shot(page, "run-live");
});

test(TRAINED, [STARTED], async (context) => {
    const { page, project } = context;
    await page.locator('header [data-state="succeeded"]').waitFor({ timeout: TRAINING_MS });
    context.run = page.url();
    const accuracy = Number(await page.locator("dt", { hasText: "test/accuracy" }).locator("xpath=following-sibling::dd").innerText());
    assert.ok(accuracy > 0.9, `test accuracy ${accuracy}`);
    await shot(page, "run");
    await page.getByRole("tab", { name: "Evaluation" }).click();
    assert.equal(await page.getByRole("group", { name: "Confusion matrix" }).locator("tbody tr").count(), 10);
    await shot(page, "confusion");
    await page.getByRole("tab", { name: "Log" }).click();
    await page.getByRole("log").waitFor();
    assert.match(await page.getByRole("log").innerText(), /parameters/);
    await page.getByRole("tab", { name: "Artifacts" }).click();
    await page.getByRole("tree").getByRole("button", { name: /checkpoint|model/ }).first().waitFor();
    await page.goto(`/projects/${project}/runs?sort=-metrics.test/accuracy`);
    await page.getByRole("row", { name: /first digits/ }).waitFor();
    await shot(page, "runs");
});

test("a chart zooms by keyboard and the window is in the URL", [TRAINED], async ({ page, run }) => {
    await page.goto(run);
    const plot = page.getByRole("img", { name: /^Chart of loss/ });
    await plot.focus();
    const zoomed = page.waitForResponse((response) => /\/metrics\?.*from_step=/.test(response.url()));
    await page.keyboard.press("+");
    assert.equal((await zoomed).status(), 200);
    assert.match(page.url(), /from=\d+&to=\d+/);
    await plot.focus();
    await page.keyboard.press("0");
    await page.waitForURL((at) => !at.searchParams.has("from"));
});

test("a running job is cancelled from its page", [TRAINED], async ({ page, project }) => {
    await page.goto(`/projects/${project}/train`);
    await page.getByText("The server accepts this specification.").waitFor();
    await page.getByLabel("Epochs").fill("200");
    await page.getByLabel("Name of the run").fill("to be cancelled");
    await page.getByRole("button", { name: "Start training" }).click();
    await page.locator('header [data-state="running"]').waitFor({ timeout: FIRST_METRICS_MS });
    await page.getByRole("link", { name: "Open the job" }).click();
    await page.getByRole("button", { name: "Cancel the job" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the job" }).click();
    await page.locator('header [data-state="cancelled"]').waitFor({ timeout: 60_000 });
    await page.getByRole("tab", { name: "Timeline" }).click();
    await page.getByRole("listitem").filter({ hasText: "Cancelling" }).waitFor();
    await shot(page, "job");
});

test("the run list hides columns, selects with keys and exports what is shown", [TRAINED], async ({ page, project }) => {
    await page.goto(`/projects/${project}/runs`);
    const row = page.getByRole("row", { name: /first digits/ });
    await row.waitFor();
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("dialog").getByLabel("Experiment", { exact: true }).uncheck();
    await page.keyboard.press("Escape");
    await page.waitForURL(/cols=/);
    assert.equal(await page.getByRole("columnheader", { name: "Experiment" }).count(), 0);
    // The closed dialog gives the focus back to its button; a row focused before that would lose it.
    await page.locator("button:focus", { hasText: "Columns" }).waitFor();
    await row.focus();
    await page.keyboard.press("x");
    await page.getByText("1 row selected").waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "CSV" }).click();
    const text = readFileSync(await (await download).path(), "utf8");
    assert.match(text.split("\r\n")[0], /^state,name,dataset,/);
    assert.match(text, /succeeded,first digits,digits/);
});
