/* Webhooks of a project: made with a secret of their own, tried, told, switched off; nothing for viewers. */
import assert from "node:assert/strict";
import { api } from "../lib/api.mjs";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const HOOKED = "a webhook is made, and its secret is shown only then";

const tab = (project) => `/projects/${project}/settings?tab=webhooks`;

test(HOOKED, [MADE], async ({ page, project }) => {
    await page.goto(tab(project));
    await page.getByText("No webhook yet").waitFor();
    await page.getByRole("button", { name: "New webhook" }).click();
    const dialog = page.getByRole("dialog");
    const secret = await dialog.getByLabel("Secret", { exact: true }).inputValue();
    assert.match(secret, /^[\w-]{32}$/);
    await dialog.getByLabel("Name").fill("ci");
    await dialog.getByLabel("Address").fill("https://127.0.0.1/hook");
    await dialog.getByLabel("Model created").check();
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.getByText(/private network/).waitFor();
    await shot(page, "webhook-refused");
    await dialog.getByLabel("Address").fill("https://hooks.invalid/in");
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.waitFor({ state: "detached" });
    await page.getByRole("row", { name: /ci/ }).waitFor();
    const [hook] = (await api(page, "GET", `/projects/${project}/webhooks`)).items;
    assert.equal(hook.has_secret, true);
    assert.ok(!JSON.stringify(hook).includes(secret));
    assert.deepEqual(hook.events, ["model_version.created", "model_version_alias.created", "registered_model.created"]);
});

test("a try says what came of it", [HOOKED], async ({ page, project }) => {
    await page.goto(tab(project));
    await page.getByRole("row", { name: /ci/ }).click();
    const dialog = page.getByRole("dialog", { name: "ci" });
    await dialog.getByText("Nothing happened yet that it wants to know.").waitFor();
    await dialog.getByRole("button", { name: "Send a test" }).click();
    await dialog.getByRole("status").getByText(/could not find the address/).waitFor();
    await dialog.getByText("How a receiver checks the signature").click();
    await dialog.getByText("X-MLflow-Signature").waitFor();
    await shot(page, "webhook-test");
});

test("what happens is told, and each attempt is kept", [HOOKED], async ({ page, project }) => {
    await api(page, "POST", `/projects/${project}/models`, { name: `told ${project}` });
    await page.goto(tab(project));
    await page.getByRole("row", { name: /ci/ }).click();
    const dialog = page.getByRole("dialog", { name: "ci" });
    const delivery = dialog.getByRole("group").filter({ hasText: "Model created" });
    await delivery.getByText(/[1-9] attempt/).waitFor();
    await delivery.getByText("Model created").click();
    await delivery.getByText("No answer").first().waitFor();
    await delivery.getByText(`told ${project}`).waitFor();
    await dialog.getByText(/It has failed since/).waitFor();
    await shot(page, "webhook-deliveries");
});

test("a webhook that is off can be sent nothing, and on again begins anew", [HOOKED], async ({ page, project }) => {
    await page.goto(tab(project));
    await page.getByRole("row", { name: /ci/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Edit" }).click();
    const form = page.getByRole("dialog", { name: "Edit" });
    assert.equal(await form.getByLabel("Secret", { exact: true }).inputValue(), "");
    await form.getByLabel("Switched on").uncheck();
    await form.getByRole("button", { name: "Save" }).click();
    const dialog = page.getByRole("dialog", { name: "ci" });
    await dialog.locator('[data-state="disabled"]').waitFor();
    await dialog.locator('[data-state="failed"]').first().click();
    assert.equal(await dialog.getByRole("button", { name: "Send again" }).count(), 0);
    await dialog.getByRole("button", { name: "Edit" }).click();
    await form.getByLabel("Switched on").check();
    await form.getByRole("button", { name: "Save" }).click();
    await dialog.locator('[data-state="active"]').waitFor();
    await dialog.getByText("Model created").last().click();
    await dialog.getByRole("button", { name: "Send again" }).click();
    await dialog.locator('[data-state="waiting"]').waitFor();
});

test("who may not administer the project sees why, and no button", [HOOKED], async ({ page, project }) => {
    const answer = { allowed: false, role: "viewer", needs: "admin", because: "role in the team", who_can_grant: [] };
    await page.route("**/api/v1/permissions/check*", (route) => route.fulfill({ json: answer }));
    await page.goto(tab(project));
    await page.getByText("Webhooks are for the project's administrators").waitFor();
    assert.equal(await page.getByRole("button", { name: "New webhook" }).count(), 0);
    await shot(page, "webhook-viewer");
    await page.unroute("**/api/v1/permissions/check*");
});

test("a webhook is removed", [HOOKED], async ({ page, project }) => {
    await page.goto(tab(project));
    await page.getByRole("row", { name: /ci/ }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByRole("dialog", { name: "Remove “ci”?" }).getByRole("button", { name: "Remove" }).click();
    await page.getByText("No webhook yet").waitFor();
    assert.equal((await api(page, "GET", `/projects/${project}/webhooks`)).items.length, 0);
});
