/* The first start, for an installation without an owner: SLIPWAY_SETUP_SECRET is what the server wrote down. */
import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

async function setUp(page, secret, email, password) {
    await page.getByLabel("Set-up secret").fill(secret);
    await page.getByLabel("Your name").fill("Olive Owner");
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Team").fill("Acme");
    await page.getByLabel("New password", { exact: true }).fill(password);
    await page.getByLabel("New password again").fill(password);
    await page.getByRole("button", { name: "Set up" }).click();
}

test("without an owner every page leads to the set-up", [], async ({ page }) => {
    for (const path of ["/", "/sign-in", "/projects/any/runs"]) {
        await page.goto(path);
        await page.waitForURL(/\/setup$/);
    }
    await shot(page, "setup");
});

test("a wrong secret is refused beside its field", ["without an owner every page leads to the set-up"], async ({ page, email, password }) => {
    await setUp(page, "not-the-secret", email, password);
    await page.locator('[aria-invalid="true"]').waitFor();
    assert.equal(await page.getByLabel("Set-up secret").getAttribute("aria-invalid"), "true");
});

test("the secret makes the first owner, once", ["a wrong secret is refused beside its field"], async ({ page, context, email, password }) => {
    await setUp(page, process.env.SLIPWAY_SETUP_SECRET, email, password);
    await page.getByText("Next steps").waitFor();
    await context.clearCookies();
    await page.goto("/setup");
    await page.getByText("Set up already").waitFor();
});
