import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const IMPORT_MS = 120_000;

async function newDataset(page, project, name) {
    await page.goto(`/projects/${project}/datasets?new=1`);
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name, level: 1 }).waitFor();
}

async function choose(page, files) {
    await page.locator("input[type=file]").setInputFiles(files);
}

async function startImport(page) {
    const start = page.getByRole("button", { name: "Start the import" });
    await page.waitForFunction(() => [...document.querySelectorAll("[data-upload]")].length > 0
        && [...document.querySelectorAll("[data-upload]")].every((row) => row.dataset.upload === "complete"));
    await start.click();
}

function state(page, name) {
    return page.locator(`header [data-state="${name}"]`);
}

test("digits are uploaded, imported and described", [MADE], async ({ page, project, digits }) => {
    assert.ok(digits, "no MNIST files: set SLIPWAY_DIGITS to a folder that has them");
    await newDataset(page, project, "digits");
    await choose(page, digits.files);
    await startImport(page);
    await state(page, "ready").waitFor({ timeout: IMPORT_MS });
    const main = page.getByRole("main");
    await main.getByText(digits.count.toLocaleString("en")).first().waitFor();
    await main.getByText("1 × 28 × 28").waitFor();
    assert.equal(await main.getByRole("list", { name: "Classes" }).getByRole("listitem").count(), 10);
    await shot(page, "dataset");
});

test("samples and histograms are drawn", ["digits are uploaded, imported and described"], async ({ page }) => {
    await page.keyboard.press("2");
    await page.getByRole("tab", { name: "Samples", selected: true }).waitFor();
    const tiles = page.locator("[role=tabpanel] [role=img]");
    assert.ok((await tiles.count()) >= 50);
    const sprite = await tiles.first().evaluate((tile) => {
        const url = /url\("(.*)"\)/.exec(tile.style.backgroundImage)[1];
        const image = new Image();
        image.src = url;
        return image.decode().then(() => image.naturalWidth);
    });
    assert.ok(sprite > 200, `the sprite is ${sprite} wide`);
    await shot(page, "samples");
    await page.keyboard.press("3");
    await page.getByRole("img", { name: /Distribution of/ }).first().waitFor();
    await shot(page, "columns");
});

test("an upload that a reload cut off continues where it stood", [MADE], async ({ page, project, digits }) => {
    const file = join(digits.folder, "table.csv");
    const rows = Array.from({ length: 90_000 }, (_unused, i) => `${i},${(i * 0.37).toFixed(3)},${i % 2 ? "yes" : "no"}`);
    writeFileSync(file, `id,value,answer\n${rows.join("\n")}\n`);
    await newDataset(page, project, "table");
    let pieces = 0;
    await page.route("**/api/v1/uploads/*", async (route) => {
        if (route.request().method() !== "PATCH") return route.continue();
        pieces += 1;
        return pieces <= 2 ? route.continue() : undefined;
    });
    await choose(page, file);
    await page.waitForFunction(() => /[1-9]\d* %|[1-9]\d*%/.test(document.querySelector("[data-upload]")?.textContent ?? ""));
    await page.reload();
    await page.unroute("**/api/v1/uploads/*");
    await page.getByText("Unfinished uploads").waitFor();
    const offsets = [];
    page.on("request", (request) => {
        const offset = request.method() === "PATCH" && request.headers()["upload-offset"];
        if (offset) offsets.push(Number(offset));
    });
    await choose(page, file);
    await page.locator("[data-upload=complete]").waitFor();
    assert.ok(offsets[0] > 0, `the first piece after the reload began at ${offsets[0]}`);
    await page.getByLabel("Target column").fill("answer");
    await startImport(page);
    await state(page, "ready").waitFor({ timeout: IMPORT_MS });
});

test("a damaged file fails with its name and the place", [MADE], async ({ page, project, digits }) => {
    const file = join(digits.folder, "ragged.csv");
    writeFileSync(file, "a,b,c\n1,2,3\n4,5\n6,7,8,9,10\n");
    await newDataset(page, project, "damaged");
    await choose(page, file);
    await startImport(page);
    await state(page, "failed").waitFor({ timeout: IMPORT_MS });
    const alert = page.getByRole("alert");
    assert.match(await alert.innerText(), /ragged\.csv/);
    assert.match(await alert.innerText(), /line \d|row \d/i);
    await shot(page, "import-failed");
});

test("the list of datasets is filtered through the URL", ["digits are uploaded, imported and described"], async ({ page, project }) => {
    await page.goto(`/projects/${project}/datasets`);
    await page.getByRole("row", { name: /digits/ }).waitFor();
    await page.getByRole("searchbox").fill("digi");
    await page.waitForURL(/q=digi/);
    assert.equal(await page.locator("[data-list] [data-id]").count(), 1);
});
