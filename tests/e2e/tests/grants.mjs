/* What is given to whom: groups, roles in one project, service accounts, quotas, identity providers. */
import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const GROUPED = "a group is made and somebody put into it";

/* Asks with the token alone: the browser's cookies stay out of it. */
async function statusWith(browser, url, token, path) {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const reply = await context.request.get(`${url}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } });
    await context.close();
    return reply.status();
}

test(GROUPED, [MADE], async ({ page, project }) => {
    const name = `Vision ${project}`;
    await page.goto(`/projects/${project}/team?tab=groups`);
    await page.getByRole("tabpanel").getByRole("button", { name: "New group" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
    await page.getByRole("row", { name: new RegExp(name) }).click();
    const dialog = page.getByRole("dialog", { name });
    await dialog.getByText("Nobody is in it yet.").waitFor();
    await dialog.getByLabel("Add somebody").selectOption({ index: 1 });
    await dialog.getByRole("listitem").waitFor();
    await shot(page, "group");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
});

test("a role in one project is given to a group, and the page says who may do what", [GROUPED], async ({ page, project }) => {
    await page.goto(`/projects/${project}/team?tab=permissions&project=${project}`);
    await page.getByRole("grid", { name: "Permissions" }).getByText("Owner").first().waitFor();
    await page.getByRole("combobox", { name: "Who" }).selectOption({ label: `Vision ${project}` });
    await page.getByRole("combobox", { name: "Role" }).selectOption("editor");
    await page.getByRole("button", { name: "Give the role" }).click();
    await page.getByRole("listitem").filter({ hasText: `Vision ${project}` }).getByText("Editor").waitFor();
    await shot(page, "permissions");
    await page.getByRole("button", { name: `Let Vision ${project} have the role of the team again` }).click();
    await page.getByText("Everyone has the role they have in the team.").waitFor();
});

test("a service account's token is limited to its project and dies with it", [MADE], async ({ page, browser, url, project }) => {
    const name = `nightly ${project}`;
    await page.goto(`/projects/${project}/team?tab=service`);
    await page.getByRole("tabpanel").getByRole("button", { name: "New service account" }).click();
    await page.getByRole("dialog").getByLabel("Name").fill(name);
    await page.getByRole("dialog").getByRole("button", { name: "Create" }).click();
    await page.getByRole("row", { name: new RegExp(name) }).click();
    await page.getByRole("dialog").getByRole("button", { name: "New token" }).click();
    const form = page.getByRole("dialog", { name: "New token" });
    await form.getByLabel("Name").fill("cluster");
    await form.getByRole("checkbox", { name: "End to end" }).last().check();
    await form.getByRole("button", { name: "Create" }).click();
    const token = (await page.getByRole("dialog").getByLabel("Token").innerText()).trim();
    await page.getByRole("button", { name: "I have copied it" }).click();
    assert.equal(await statusWith(browser, url, token, `/projects/${project}`), 200);
    assert.equal(await statusWith(browser, url, token, "/members"), 200);
    assert.equal(await statusWith(browser, url, token, "/invitations"), 403);
    await page.getByRole("dialog").getByRole("button", { name: /Revoke/ }).click();
    await page.getByRole("dialog").getByText("No token yet").waitFor();
    assert.equal(await statusWith(browser, url, token, `/projects/${project}`), 401);
});

test("a quota is set, shown and lifted", [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}/team?tab=quotas`);
    const set = async (limit) => {
        await page.getByRole("button", { name: "Limit: Runs" }).click();
        await page.getByRole("dialog").getByRole("spinbutton").fill(limit);
        await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
        await page.getByRole("dialog").waitFor({ state: "detached" });
    };
    await set("5000");
    await page.getByText("of 5,000").waitFor();
    await shot(page, "quotas");
    await set("");
    await page.getByText("of 5,000").waitFor({ state: "detached" });
});

test("a provider that cannot be reached is explained, step by step", [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}/team?tab=providers`);
    await page.getByRole("button", { name: "Add a provider" }).first().click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Company account");
    await dialog.getByLabel("Issuer").fill("https://login.invalid/realms/lab");
    await dialog.getByLabel("Client ID").fill("slipway");
    await dialog.getByLabel("Groups and their roles").fill("ml = editor");
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Test the connection" }).click();
    await page.getByText("The connection does not work yet.").waitFor();
    await page.getByRole("listitem").filter({ hasText: "Discovery" }).waitFor();
    await shot(page, "provider");
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("No single sign-on yet").waitFor();
});
