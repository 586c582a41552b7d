import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";

/* Asks with the token alone: the browser's cookies stay out of it. */
async function statusWith(browser, url, token) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const reply = await context.request.get(`${url}/api/v1/projects`, { headers: { Authorization: `Bearer ${token}` } });
    await context.close();
    return reply.status();
}

test("a token is made, works, is shown once and dies when revoked", [MADE], async ({ page, browser, url, project }) => {
    await page.goto(`/projects/${project}/settings?tab=tokens`);
    await page.getByRole("button", { name: "New token" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(`token of ${project}`);
    await dialog.getByRole("button", { name: "Create" }).click();
    const token = (await dialog.getByLabel("Token").innerText()).trim();
    assert.match(token, /^slp_[^_]+_.+_[^_]+$/);
    assert.equal(await statusWith(browser, url, token), 200);
    await dialog.getByRole("button", { name: "I have copied it" }).click();
    await page.reload();
    const row = page.getByRole("row", { name: new RegExp(`token of ${project}`) });
    await row.waitFor();
    assert.ok(!(await page.locator("body").innerText()).includes(token));
    await shot(page, "tokens");
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await row.waitFor({ state: "detached" });
    assert.equal(await statusWith(browser, url, token), 401);
});

test("the profile is saved", [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}/settings`);
    const name = page.getByRole("tabpanel").getByLabel("Name");
    const before = await name.inputValue();
    await name.fill(`${before} II`);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved.").waitFor();
    await page.reload();
    assert.equal(await name.inputValue(), `${before} II`);
    await name.fill(before);
    await page.getByRole("button", { name: "Save" }).click();
});

test("the workers are listed with their fences", [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}/settings?tab=workers`);
    await page.locator('[data-state="online"]').first().waitFor();
    await shot(page, "workers");
});
