import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const FIRST_LOAD_LIMIT = 250_000;

async function signIn(page, email, password) {
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
}

test("a visitor without a session is asked to sign in", [], async ({ page }) => {
    await page.goto("/projects/nowhere/runs?state=failed");
    await page.waitForURL(/\/sign-in\?return=/);
    await shot(page, "sign-in");
});

test("a wrong password is refused beside the field", ["a visitor without a session is asked to sign in"], async ({ page, email }) => {
    await signIn(page, email, "certainly not this one");
    await page.getByText("The e-mail or the password is wrong.").waitFor();
    assert.equal(await page.getByLabel("Password").getAttribute("aria-invalid"), "true");
});

test("signing in leads back to the page that asked", ["a wrong password is refused beside the field"], async ({ page, email, password }) => {
    await signIn(page, email, password);
    await page.waitForURL(/\/projects\/nowhere\/runs\?state=failed$/);
});

test("a foreign return address is not followed", ["signing in leads back to the page that asked"], async ({ page, url, email, password, context }) => {
    await context.clearCookies();
    await page.goto("/sign-in?return=//example.org/");
    await signIn(page, email, password);
    await page.waitForURL((at) => !at.pathname.startsWith("/sign-in"));
    assert.equal(new URL(page.url()).origin, new URL(url).origin);
});

test("a project is made and shows what to do first", ["a foreign return address is not followed"], async ({ page, project }) => {
    await page.goto("/");
    await page.waitForURL((at) => at.pathname === "/" || at.pathname.startsWith("/projects/"));
    const empty = page.getByRole("main").getByRole("button", { name: "New project" });
    await page.getByRole("button", { name: "Switch project or team" }).waitFor();
    if (await empty.isVisible()) await empty.click();
    else {
        await page.getByRole("button", { name: "Switch project or team" }).click();
        await page.getByRole("menuitem", { name: "New project" }).click();
    }
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("End to end");
    await dialog.getByLabel("Address").fill(project);
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.waitForURL(`**/projects/${project}`);
    await page.getByText("Bring your data").waitFor();
    await shot(page, "home-empty");
});

test("the first load fits into 250 kB", ["a project is made and shows what to do first"], async ({ context, project }) => {
    const page = await context.newPage();
    const client = await context.newCDPSession(page);
    await client.send("Network.enable");
    await client.send("Network.setCacheDisabled", { cacheDisabled: true });
    let bytes = 0;
    client.on("Network.loadingFinished", (event) => (bytes += event.encodedDataLength));
    await page.goto(`/projects/${project}`, { waitUntil: "load" });
    await page.getByText("Bring your data").waitFor();
    await page.close();
    console.log(`  # first load: ${(bytes / 1000).toFixed(0)} kB`);
    assert.ok(bytes > 50_000 && bytes <= FIRST_LOAD_LIMIT, `${bytes} bytes`);
});

test("an expired access cookie is refreshed without a question", ["a project is made and shows what to do first"], async ({ page, context, project }) => {
    const cookies = await context.cookies();
    const refreshed = page.waitForResponse((response) => response.url().endsWith("/api/v1/session/refresh"));
    await context.clearCookies({ name: cookies.find((cookie) => !/refresh/i.test(cookie.name)).name });
    await page.goto(`/projects/${project}/jobs`);
    assert.equal((await refreshed).status(), 200);
    await page.getByText("No job yet").waitFor();
});
