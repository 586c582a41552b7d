// Single sign-on as a person sees it, started by run.py: the button, the provider's page, the way back;
// what the owner reads about it in the audit log, and the two ways to end it.
//
//     SLIPWAY_URL, SLIPWAY_EMAIL, SLIPWAY_PASSWORD (of the owner), SLIPWAY_ISSUER; optionally CHROMIUM

import assert from "node:assert/strict";
import { openBrowser, shot } from "../e2e/lib/browser.mjs";
import { runAll, test } from "../e2e/lib/tap.mjs";

const { SLIPWAY_URL: url, SLIPWAY_EMAIL: email, SLIPWAY_PASSWORD: password, SLIPWAY_ISSUER: issuer } = process.env;
const PERSON = "eve@example.test";
const HOME = "/projects/harbour/runs";
const TEAM = "/projects/harbour/team";
const ARRIVED = "a newcomer signs in at the provider and lands on the page that asked";
const DEACTIVATED = "deactivation ends the session and the provider's word no longer helps";
const SOON = { timeout: 20_000 };

async function arrive(page) {
    await page.goto(HOME);
    await page.waitForURL(/\/sign-in\?return=/);
    await page.getByRole("link", { name: "Sign in with Acme ID" }).click();
}

async function clearAndArrive({ page, context }) {
    await context.clearCookies();
    await arrive(page);
    await page.waitForURL(`${issuer}/interaction/*`);
    await page.getByLabel("Address").fill(PERSON);
    await page.getByRole("button", { name: "Continue" }).click();
}

test("the owner signs in with a password", [], async ({ owner }) => {
    await owner.goto(`/sign-in?return=${TEAM}`);
    await owner.getByLabel("E-mail").fill(email);
    await owner.getByLabel("Password").fill(password);
    await owner.getByRole("button", { name: "Sign in", exact: true }).click();
    await owner.waitForURL(`**${TEAM}`);
});

test(ARRIVED, ["the owner signs in with a password"], async ({ page, context }) => {
    await clearAndArrive({ page, context });
    await page.waitForURL(`${url}${HOME}`);
    await page.getByRole("heading", { name: "Runs" }).waitFor();
    const session = await (await page.request.get("/api/v1/session")).json();
    assert.deepEqual([session.user.email, session.role], [PERSON, "editor"]);
    await shot(page, "sso-arrived");
});

test("the audit log names who came that way", [ARRIVED], async ({ owner }) => {
    await owner.goto(`${TEAM}?tab=audit&action=session.sso&actor=${PERSON}`);
    const row = owner.getByRole("grid", { name: "Audit log" }).getByRole("row", { name: /eve@example\.test.*session\.sso/ });
    await row.waitFor();
    await shot(owner, "sso-audit");
});

test(DEACTIVATED, [ARRIVED], async ({ page, context, owner }) => {
    await owner.goto(TEAM);
    await owner.getByRole("button", { name: "More about Eve" }).click();
    await owner.getByRole("menuitem", { name: "Deactivate" }).click();
    await owner.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
    await page.waitForURL(/\/sign-in/, SOON);
    await clearAndArrive({ page, context });
    await page.getByRole("alert").getByText("has no access here").waitFor();
    await shot(page, "sso-no-access");
});

test("removing the provider ends the session and takes its button away", [DEACTIVATED], async ({ page, context, owner }) => {
    await owner.getByRole("button", { name: "More about Eve" }).click();
    await owner.getByRole("menuitem", { name: "Activate" }).click();
    await owner.getByRole("row", { name: /Eve/ }).getByText("Active", { exact: true }).waitFor();
    await clearAndArrive({ page, context });
    await page.waitForURL(`${url}${HOME}`);
    await owner.goto(`${TEAM}?tab=providers`);
    await owner.getByRole("button", { name: "Remove" }).click();
    await owner.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await owner.getByText("No single sign-on yet").waitFor();
    await page.waitForURL(/\/sign-in/, SOON);
    await page.reload();
    await page.getByLabel("E-mail").waitFor();
    assert.equal(await page.getByRole("link", { name: /Sign in with/ }).count(), 0);
});

test("no page complained", [ARRIVED], ({ complaints }) => {
    assert.deepEqual(complaints.filter((complaint) => complaint !== `request to ${issuer}`), []);
});

const { browser, context, page, complaints } = await openBrowser(url);
const office = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", baseURL: url });
const owner = await office.newPage();
owner.setDefaultTimeout(15_000);
const counts = await runAll({ context, page, owner, complaints }, (name) => shot(page, `failed-${name.replace(/\W+/g, "-")}`));
await browser.close();
console.log(`single sign-on in Chromium: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);
