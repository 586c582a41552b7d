import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
const E = JSON.parse(readFileSync("/tmp/hE-stack.json"));
const [,, what] = process.argv;
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const errors = [];
async function open(width, height, scheme, locale) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, locale, baseURL: E.url, ignoreHTTPSErrors: true });
    const page = await context.newPage();
    page.on("console", (m) => m.type() === "error" && errors.push(m.text())); page.on("pageerror", (e) => errors.push(String(e))); page.on("dialog", (d) => { errors.push("DIALOG " + d.message()); d.dismiss(); });
    await page.goto("/sign-in"); await page.locator("input[type=email]").fill(E.email); await page.locator("input[type=password]").fill(E.password); await page.keyboard.press("Enter");
    await page.waitForURL(/projects/);
    return page;
}
const get = async (page, path) => (await (await page.request.get(path)).json());
const page = await open(1280, 860, "light", "en-GB");
const traces = (await get(page, "/api/v1/projects/genai/traces?limit=50&filter=" + encodeURIComponent("name = 'answer question'"))).items;
const bad = traces.find((t) => t.state === "error"), good = traces.find((t) => t.assessments.length > 0);
const models = (await get(page, "/api/v1/projects/genai/logged-models")).items;
const run = good.runs[0];
const shots = { list: "/projects/genai/traces?experiment=" + good.experiment_id, refused: "/projects/genai/traces?filter=" + encodeURIComponent("state = 'ok' AND spn.name = 'x'"), trace: `/projects/genai/traces/${good.id}`, failed: `/projects/genai/traces/${bad.id}`, models: "/projects/genai/logged-models", model: `/projects/genai/logged-models/${models[0].id}`, files: `/projects/genai/logged-models/${models[0].id}?tab=artifacts`, empty: "/projects/blank/traces", emptymodels: "/projects/blank/logged-models", runtab: `/projects/genai/runs/${run}?tab=traces` };
for (const [name, path] of Object.entries(shots)) {
    if (what && !what.split(",").includes(name)) continue;
    await page.goto(path); await page.waitForLoadState("networkidle"); await page.waitForTimeout(300); await page.screenshot({ path: `/tmp/hE-shots/${name}.png` });
}
if (!what || what === "more") {
    const dark = await open(1280, 860, "dark", "zh-CN");
    for (const name of ["list", "trace", "model"]) { await dark.goto(shots[name]); await dark.waitForLoadState("networkidle"); await dark.waitForTimeout(300); await dark.screenshot({ path: `/tmp/hE-shots/${name}-dark.png` }); }
    const narrow = await open(390, 800, "light", "en-GB");
    for (const name of ["list", "failed", "models", "model", "empty"]) { await narrow.goto(shots[name]); await narrow.waitForLoadState("networkidle"); await narrow.waitForTimeout(300); console.log(name, await narrow.evaluate(() => [document.documentElement.scrollWidth, innerWidth])); await narrow.screenshot({ path: `/tmp/hE-shots/${name}-390.png`, fullPage: true }); }
}
const big = (await get(page, "/api/v1/projects/genai/traces?limit=1&filter=" + encodeURIComponent("trace_id = 'tr-" + (900000001).toString(16).padStart(32, "0") + "'"))).items[0];
if (big) for (let i = 0; i < 3; i++) {
    await page.goto("/projects/genai/traces?experiment=" + good.experiment_id); await page.waitForLoadState("networkidle");
    const began = Date.now(); await page.goto(`/projects/genai/traces/${big.id}`); await page.getByRole("treeitem").nth(10).waitFor(); console.log("5000 spans:", Date.now() - began, "ms, rows in the document:", await page.getByRole("treeitem").count());
    await page.screenshot({ path: `/tmp/hE-shots/big.png` });
}
console.log("errors", [...new Set(errors)]);
await browser.close();
