import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { api, logPoints, putFile } from "../lib/api.mjs";
import { png } from "../lib/digits.mjs";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";
import { wav } from "../lib/wav.mjs";

const MADE = "a project is made and shows what to do first";
const FILLED = "a client's run shows what it was given and what it reached";
const FILES = "files are walked level by level and previewed";

/* What somebody might try to have run in another's browser. */
const HOSTILE = "<img src=x onerror=alert(1)>";
const NOTES = `# Findings\n\n**Wider** is better, see [paper](https://example.org/paper) and [bad](javascript:alert(1)).\n\n- [x] done\n\n${HOSTILE}\n\n<script>alert(1)</script>\n\n| a | b |\n| - | - |\n| 1 | 2 |`;
const PDF = "%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 144]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF";
const UUID = "0b8f2f52-33a5-4d5e-9a53-2a1b3c4d5e6f";

test(FILLED, [MADE], async (context) => {
    const { page, project } = context;
    const parent = await api(page, "POST", `/projects/${project}/runs`, { experiment: "pages", name: "parent" });
    const run = await api(page, "POST", `/projects/${project}/runs`, {
        experiment: "pages", name: HOSTILE, user: HOSTILE, parent_id: parent.id, source: "mlflow", state: "running",
        params: { lr: "0.01", [HOSTILE]: HOSTILE }, tags: { owner: "ada", [HOSTILE]: HOSTILE, "mlflow.source.name": "train.py" },
    });
    const points = Array.from({ length: 50 }, (_u, step) => [{ key: "loss", step, value: 1 / (step + 1) }, { key: "system/cpu_utilization_percentage", step, value: 40 + step }]).flat();
    await logPoints(page, project, run.id, points);
    await api(page, "POST", `/runs/${run.id}/inputs`, { datasets: [{ name: "titanic", digest: "5e01ab3c", source_type: "local", source: '{"uri": "x.csv"}', tags: { "mlflow.data.context": "training" } }] });
    context.run2 = { id: run.id, parent: parent.id, url: `/projects/${project}/runs/${run.id}` };
    await page.goto(`${context.run2.url}?tab=overview`);
    await page.getByRole("heading", { name: HOSTILE, level: 1 }).waitFor();
    await page.getByText("train.py", { exact: true }).first().waitFor();
    await page.getByText("titanic", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Details" }).click();
    await page.getByRole("dialog").getByText("5e01ab3c").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Open the parent" }).click();
    await page.getByRole("heading", { name: "parent", level: 1 }).waitFor();
    await page.goto(`${context.run2.url.replace(run.id, parent.id)}?tab=overview`);
    await page.getByRole("heading", { name: "Runs below this one" }).waitFor();
});

test("charts of the run and of its machine stand apart", [FILLED], async ({ page, run2 }) => {
    await page.goto(run2.url);
    await page.getByRole("img", { name: /^Chart of loss/ }).waitFor();
    assert.equal(await page.getByRole("img", { name: /cpu/ }).count(), 0);
    await page.getByRole("tab", { name: "System" }).click();
    await page.getByRole("img", { name: /^Chart of system\/cpu_utilization_percentage/ }).waitFor();
});

test("tags are added and removed", [FILLED], async ({ page, run2 }) => {
    await page.goto(`${run2.url}?tab=overview`);
    await page.getByRole("button", { name: "Add a tag" }).click();
    await page.getByLabel("Key").fill("stage");
    await page.getByLabel("Value").fill("draft");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove the tag stage" }).waitFor();
    await page.getByRole("button", { name: "Remove the tag owner" }).click();
    await page.getByRole("button", { name: "Remove the tag owner" }).waitFor({ state: "detached" });
    const { tags } = await api(page, "GET", `/runs/${run2.id}`);
    assert.deepEqual([tags.stage, tags.owner], ["draft", undefined]);
});

test("notes are written in Markdown and shown without a script", [FILLED], async ({ page, run2 }) => {
    await page.goto(`${run2.url}?tab=overview`);
    const notes = page.locator("section").filter({ has: page.getByRole("heading", { name: "Notes" }) });
    await notes.getByRole("button", { name: "Edit" }).click();
    await notes.getByRole("textbox").fill(NOTES);
    await notes.getByRole("button", { name: "Preview" }).click();
    await notes.getByRole("heading", { name: "Findings" }).waitFor();
    await notes.getByRole("button", { name: "Save" }).click();
    await notes.getByRole("button", { name: "Edit" }).waitFor();
    await page.reload();
    await notes.getByRole("heading", { name: "Findings" }).waitFor();
    assert.equal(await notes.locator("strong").innerText(), "Wider");
    assert.equal(await notes.getByRole("link", { name: "paper" }).getAttribute("rel"), "noreferrer noopener");
    assert.equal(await notes.getByRole("link", { name: "bad" }).count(), 0);
    assert.equal(await notes.locator("img, script").count(), 0);
    assert.match(await notes.innerText(), /<img src=x onerror=alert\(1\)>/);
    assert.equal(await notes.getByRole("table").count(), 1);
    await shot(page, "run-overview");
});

test(FILES, [FILLED], async ({ page, run2 }) => {
    const grey = Buffer.alloc(64, 128);
    const files = {
        "README.md": "# Read me\n\n*slanted*", "report.html": `<h1>Report</h1><script>alert(1)</script>${HOSTILE}`, "figure.svg": `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`,
        "eval/scores.csv": `id,name\n1,"a, b"\n2,${HOSTILE}\n`, "eval/table.json": JSON.stringify({ columns: ["question", "answer"], data: [["why", HOSTILE]] }), "eval/plain.json": '{"lr":0.1}',
        "report.pdf": PDF, "sound.wav": wav(), "model/MLmodel": "flavors:\n  sklearn: {}\n", "model/weights.bin": "\u0000\u0001", "picture.png": png(grey, 8, 8),
        [`names/${HOSTILE.replaceAll("/", "")}.txt`]: HOSTILE, [`images/val%step%1%timestamp%1700000000001%${UUID}.png`]: png(grey, 8, 8), [`images/val%step%2%timestamp%1700000000002%${UUID}.png`]: png(grey, 8, 8),
    };
    for (const [name, body] of Object.entries(files)) await putFile(page, run2.id, name, body);
    await page.goto(`${run2.url}?tab=artifacts`);
    const tree = page.getByRole("tree");
    const panel = page.getByRole("tabpanel");
    const choose = (name) => tree.getByRole("button", { name }).click();
    await choose(/README\.md/);
    await panel.getByRole("heading", { name: "Read me" }).waitFor();
    await choose("eval");
    await choose(/scores\.csv/);
    await panel.getByRole("gridcell", { name: "a, b" }).waitFor();
    await choose(/table\.json/);
    await panel.getByRole("columnheader", { name: "question" }).waitFor();
    await choose(/plain\.json/);
    await panel.getByText('"lr": 0.1').waitFor();
    await choose("model");
    await choose(/MLmodel/);
    await panel.getByText("sklearn").waitFor();
    await choose(/weights\.bin/);
    await panel.getByText("No preview").waitFor();
    await choose(/picture\.png/);
    await page.waitForFunction(() => document.querySelector('[role="tabpanel"] img')?.naturalWidth === 8);
    await choose(/report\.pdf/);
    await panel.locator('iframe[title="report.pdf"]').waitFor();
    assert.match(await panel.locator("iframe").getAttribute("src"), /^blob:/);
    await choose(/sound\.wav/);
    await page.waitForFunction(() => document.querySelector('[role="tabpanel"] audio')?.duration === 0.25);
    for (const name of [/report\.html/, /figure\.svg/]) {
        await choose(name);
        await panel.getByText("<script>alert(1)</script>").waitFor();
    }
    await page.reload();
    await panel.getByText("<script>alert(1)</script>").waitFor();
    await shot(page, "artifacts");
    await page.getByRole("tab", { name: "Images" }).click();
    await panel.getByText("step 2", { exact: true }).waitFor();
    await panel.getByRole("slider").focus();
    await page.keyboard.press("ArrowLeft");
    await panel.getByText("step 1", { exact: true }).waitFor();
});

test("files and folders are uploaded, replaced only when told to, and sent again when it failed", [FILES], async ({ page, run2 }) => {
    const folder = mkdtempSync(join(tmpdir(), "slipway-folder-"));
    mkdirSync(join(folder, "deep"));
    writeFileSync(join(folder, "deep", "leaf.txt"), "leaf");
    await page.goto(`${run2.url}?tab=artifacts`);
    const tree = page.getByRole("tree");
    await tree.getByRole("button", { name: /README\.md/ }).waitFor();
    const row = (state) => page.locator(`[data-upload=${state}]`);
    const text = (name) => page.request.get(`/api/v1/runs/${run2.id}/artifacts/${name}`).then((reply) => reply.text());
    const choose = (files) => page.locator("input[type=file]").first().setInputFiles(files);
    const file = (name, body) => ({ name, mimeType: "application/octet-stream", buffer: Buffer.from(body) });

    /* Larger than what goes in one request; the connection breaks once on the way. */
    let broken = 0;
    await page.route("**/api/v1/uploads/*", (route) => (route.request().method() === "PATCH" && broken++ === 1 ? route.abort() : route.fallback()));
    await choose([file("notes.txt", "first"), file("large.bin", Buffer.alloc(9_000_000, 7)), file("README.md", "replaced")]);
    await row("done").nth(1).waitFor();
    await row("taken").filter({ hasText: "README.md" }).waitFor();
    assert.ok(broken > 2);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    assert.match(await text("README.md"), /^# Read me/);
    await row("taken").getByRole("button", { name: "Replace" }).click();
    await row("done").nth(2).waitFor();
    assert.equal(await text("README.md"), "replaced");
    assert.equal((await text("large.bin")).length, 9_000_000);
    await page.getByText("3 of 3 uploaded").waitFor();
    await shot(page, "uploads");

    await page.route("**/artifacts/wrong.txt", (route) => (route.request().method() === "PUT" ? route.fulfill({ status: 403, contentType: "application/problem+json", body: JSON.stringify({ status: 403, code: "FORBIDDEN", detail: "the team's storage is used up" }) }) : route.fallback()));
    await choose([file("wrong.txt", "x")]);
    await row("failed").getByText("the team's storage is used up").waitFor();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await row("failed").getByRole("button", { name: "Try again" }).click();
    await row("done").filter({ hasText: "wrong.txt" }).waitFor();

    await page.getByLabel("Into which folder").fill("/made here/");
    await page.locator("input[type=file]").nth(1).setInputFiles(folder);
    await row("done").filter({ hasText: "leaf.txt" }).waitFor();
    await tree.getByRole("button", { name: "made here" }).waitFor();
    assert.equal(await text(`made%20here/${basename(folder)}/deep/leaf.txt`), "leaf");
    rmSync(folder, { recursive: true });
    await page.getByRole("tabpanel").getByRole("button", { name: "Close" }).click();
    assert.equal(await row("done").count(), 0);
});

test("the tree of files is walked with arrows", [FILES], async ({ page, run2 }) => {
    await page.goto(`${run2.url}?tab=artifacts`);
    const entry = (name) => page.getByRole("tree").getByRole("button", { name });
    await entry("eval").focus();
    await page.keyboard.press("ArrowRight");
    await entry(/scores\.csv/).waitFor();
    for (let i = 0; i < 2; i++) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(/file=eval%2F/);
    await entry("eval").focus();
    await page.keyboard.press("ArrowLeft");
    await entry(/scores\.csv/).waitFor({ state: "detached" });
});

test("a file is downloaded, and deleted", [FILES], async ({ page, run2 }) => {
    await page.goto(`${run2.url}?tab=artifacts&file=README.md`);
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download" }).click();
    assert.equal((await download).suggestedFilename(), "README.md");
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("Choose a file").waitFor();
    assert.equal(await page.getByRole("tree").getByRole("button", { name: /README/ }).count(), 0);
});

test("nothing that people wrote runs: names, tags, parameters, notes, files (B23)", [FILES], async ({ page, project, run2 }) => {
    const dialogs = [];
    page.on("dialog", (dialog) => {
        dialogs.push(`${page.url()}: ${dialog.message()}`);
        void dialog.dismiss();
    });
    const violations = [];
    const watch = (message) => message.text().includes("Content Security Policy") && violations.push(message.text());
    page.on("console", watch);
    const experiment = await api(page, "POST", `/projects/${project}/experiments`, { name: HOSTILE, description: NOTES, folder: HOSTILE.replaceAll("/", ""), tags: { [HOSTILE]: HOSTILE } });
    const model = await api(page, "POST", `/projects/${project}/models`, { name: `<b>bold</b> ${project}`.replaceAll("/", ""), description: NOTES, tags: { [HOSTILE]: HOSTILE } });
    const paths = [
        "/experiments", "/runs", `/runs?experiment=${experiment.id}`, `/runs?cols=name,${encodeURIComponent(encodeURIComponent(`params."${HOSTILE}"`))},tags,user`, `/runs/${run2.id}?tab=overview`, `/runs/${run2.id}?tab=artifacts&file=report.html`,
        `/runs/${run2.id}?tab=artifacts&file=figure.svg`, `/runs/${run2.id}?tab=artifacts&file=${encodeURIComponent("eval/scores.csv")}`, "/models", `/models/${model.id}`, `/runs?filter=${encodeURIComponent(HOSTILE)}`,
    ];
    for (const path of paths) {
        await page.goto(`/projects/${project}${path}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.waitForLoadState("networkidle");
    }
    /* The file itself, opened as a page of its own, is an attachment or has no origin and no script. */
    const reply = await page.request.get(`/api/v1/runs/${run2.id}/artifacts/report.html?inline=true`);
    assert.match(reply.headers()["content-security-policy"], /sandbox/);
    assert.match(reply.headers()["content-disposition"], /^attachment/);
    assert.equal(reply.headers()["x-content-type-options"], "nosniff");
    page.off("console", watch);
    assert.deepEqual([dialogs, violations], [[], []]);
});

test("a run is renamed, archived, restored and deleted from its page", [FILES], async ({ page, run2 }) => {
    await page.goto(`${run2.url}?tab=overview`);
    const act = async (name) => {
        await page.getByRole("button", { name: "More actions" }).click();
        await page.getByRole("menuitem", { name }).click();
    };
    await act("Rename");
    await page.getByRole("dialog").getByLabel("Name").fill("renamed");
    await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "renamed", level: 1 }).waitFor();
    await act("Archive");
    await page.locator("header").getByText("Archived").waitFor();
    assert.equal(await page.getByRole("button", { name: "Add a tag" }).count(), 0);
    await act("Restore");
    await page.getByRole("button", { name: "Add a tag" }).waitFor();
    await act("Archive");
    await page.locator("header").getByText("Archived").waitFor();
    await act("Delete for good");
    await page.getByRole("dialog").getByRole("textbox").fill("renamed");
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.waitForURL((at) => at.pathname.endsWith("/runs"));
    assert.equal((await page.request.get(`/api/v1/runs/${run2.id}`)).status(), 404);
});
