import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const TRAINED = "the run ends with an evaluation, a log and artifacts";
const REGISTERED = "the run is registered as a model";
const FIRST_ANSWER_MS = 60_000;
const TABLE_MS = 180_000;

/* Strokes in fractions of the pad. */
const ellipse = Array.from({ length: 33 }, (_unused, i) => [0.5 + 0.2 * Math.sin((i / 32) * 2 * Math.PI), 0.5 - 0.3 * Math.cos((i / 32) * 2 * Math.PI)]);
const GLYPHS = {
    0: [ellipse],
    1: [[[0.53, 0.18], [0.5, 0.82]]],
    7: [[[0.28, 0.24], [0.7, 0.24], [0.62, 0.42], [0.44, 0.82]]],
};

async function draw(page, strokes) {
    const box = await page.locator("[data-pad]").boundingBox();
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    for (const [first, ...rest] of strokes) {
        await page.mouse.move(...at(first));
        await page.mouse.down();
        for (const point of rest) await page.mouse.move(...at(point), { steps: 6 });
        await page.mouse.up();
    }
}

async function answers(page, label, timeout = 15_000) {
    await page.locator(`[data-answer="${label}"]`).waitFor({ timeout });
    assert.match(await page.getByText(/round trip/).innerText(), /[\d.]+ ms/);
}

test(REGISTERED, [TRAINED], async (context) => {
    const { page, run, project } = context;
    await page.goto(run);
    await page.getByRole("button", { name: "Register as a model" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Model").fill(`digits-${project}`);
    await dialog.getByLabel("Description").fill("Reads one handwritten digit.");
    await dialog.getByRole("button", { name: "Register" }).click();
    await page.getByRole("heading", { name: /digits-.* v1/ }).waitFor();
    context.version = page.url();
});

test("a drawn digit is recognised", [REGISTERED], async ({ page }) => {
    await draw(page, GLYPHS[7]);
    await answers(page, "7", FIRST_ANSWER_MS);
    await shot(page, "try");
    for (const label of ["0", "1"]) {
        await page.getByRole("button", { name: "Clear" }).click();
        await draw(page, GLYPHS[label]);
        await answers(page, label);
    }
});

test("a digit drawn with the keyboard is recognised", [REGISTERED], async ({ page }) => {
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByRole("application").focus();
    for (let i = 0; i < 6; i++) await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Space");
    for (let i = 0; i < 13; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Space");
    await answers(page, "1");
    await page.keyboard.press("Backspace");
    await page.getByText("No answer yet").waitFor();
});

test("an uploaded picture of an unseen digit is recognised", [REGISTERED], async ({ page, digits }) => {
    for (const label of [3, 8]) {
        await page.locator("input[type=file]").setInputFiles({ name: `${label}.png`, mimeType: "image/png", buffer: digits.sample(label) });
        await answers(page, String(label));
    }
    await shot(page, "try-picture");
});

test("a model version shows its evaluation, snippets and files", [REGISTERED], async ({ page, version }) => {
    await page.goto(version);
    await page.getByRole("tab", { name: "Evaluation" }).click();
    await page.getByRole("group", { name: "Confusion matrix" }).waitFor();
    await page.getByRole("tab", { name: "Use it" }).click();
    assert.match(await page.getByLabel("curl").innerText(), /Authorization: Bearer \$SLIPWAY_TOKEN/);
    await shot(page, "use");
    await page.getByRole("tab", { name: "Files" }).click();
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download" }).first().click();
    assert.equal(await (await download).failure(), null);
});

test("a table model is trained and asked through a form", ["an upload that a reload cut off continues where it stood"], async ({ page, project }) => {
    await page.goto(`/projects/${project}/datasets`);
    await page.getByRole("row", { name: /table/ }).click();
    await page.getByRole("link", { name: "Train on this" }).click();
    await page.getByText("The server accepts this specification.").waitFor();
    await page.getByLabel("Epochs").fill("2");
    await page.getByText("The server accepts this specification.").waitFor();
    await page.getByRole("button", { name: "Start training" }).click();
    await page.locator('header [data-state="succeeded"]').waitFor({ timeout: TABLE_MS });
    await page.getByRole("button", { name: "Register as a model" }).click();
    await page.getByRole("dialog").getByLabel("Model").fill(`table-${project}`);
    await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
    const form = page.getByRole("tabpanel");
    await form.getByLabel("value").fill("not a number");
    await form.getByRole("button", { name: "Predict" }).click();
    await form.getByText("A number is needed.").first().waitFor();
    await form.getByLabel("id").fill("12");
    await form.getByLabel("value").fill("4.44");
    await form.getByRole("button", { name: "Predict" }).click();
    await page.locator("[data-answer]").waitFor({ timeout: FIRST_ANSWER_MS });
    assert.match(await page.locator("[data-answer]").getAttribute("data-answer"), /^(yes|no)$/);
    await shot(page, "try-table");
    await page.reload();
    await page.getByRole("button", { name: "Stop the endpoint" }).click();
    await page.locator('header [data-state="stopped"]').waitFor();
});

test("an endpoint is stopped from the page of its version", [REGISTERED], async ({ page, version }) => {
    await page.goto(version);
    await page.getByRole("button", { name: "Stop the endpoint" }).click();
    await page.getByRole("button", { name: "Stop the endpoint" }).waitFor({ state: "detached" });
    await page.locator('header [data-state="stopped"]').waitFor();
});
