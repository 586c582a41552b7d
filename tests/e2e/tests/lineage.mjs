import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const REGISTERED = "the run is registered as a model";

test("the lineage leads from the model back to the data, by arrow keys", [REGISTERED], async ({ page, version }) => {
    await page.goto(version);
    await page.getByRole("main").getByRole("link", { name: "Lineage" }).click();
    await page.waitForURL(/lineage\?node=model_version/);
    const kinds = () => page.locator("[data-node]").evaluateAll((nodes) => nodes.map((node) => node.dataset.kind));
    await page.locator('[data-kind="dataset_version"]').first().waitFor();
    assert.ok((await kinds()).includes("run"));
    await shot(page, "lineage");
    await page.locator('[data-node][tabindex="0"]').focus();
    for (let i = 0; i < 8; i++) {
        if (await page.locator('[data-kind="dataset_version"]:focus').count()) break;
        await page.keyboard.press("ArrowLeft");
    }
    assert.equal(await page.locator('[data-kind="dataset_version"]:focus').count(), 1);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/datasets\/[0-9a-f-]{36}\?version=1/);
});

test("direction and depth are kept in the URL", [REGISTERED], async ({ page, version, project }) => {
    const id = version.split("/").pop();
    await page.goto(`/projects/${project}/lineage?node=model_version:${id}`);
    await page.getByLabel("Direction").selectOption("up");
    await page.getByLabel("Depth").selectOption("1");
    await page.waitForURL(/direction=up.*depth=1|depth=1.*direction=up/);
    await page.reload();
    assert.equal(await page.getByLabel("Direction").inputValue(), "up");
});
