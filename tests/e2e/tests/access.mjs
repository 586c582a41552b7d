/* People come, change and go: invited, promoted while they look, guarded by a second factor, deactivated. */
import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";
import { totp } from "../lib/totp.mjs";

const MADE = "a project is made and shows what to do first";
const JOINED = "an invitation's link is shown once and lets a newcomer in";
const GUARDED = "a second factor is set up and asked for";
const PASSWORD = "seven herons over the weir";
const SOON = { timeout: 20_000 };
const RESET = "a reset's link sets a new password, once, and ends every session";
const guest = { password: PASSWORD };

async function invite(page, project, email) {
    await page.goto(`/projects/${project}/team?tab=invitations`);
    await page.getByRole("tabpanel").getByRole("button", { name: "Invite" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("E-mail").fill(email);
    await dialog.getByLabel("Role").selectOption("viewer");
    await dialog.getByRole("button", { name: "Make the link" }).click();
    const link = (await dialog.getByLabel("Link").innerText()).trim();
    await dialog.getByRole("button", { name: "I have copied it" }).click();
    return link;
}

async function signIn(page, email, code) {
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(guest.password);
    if (code) await page.getByLabel("Code").fill(code);
    await page.getByRole("button", { name: "Sign in" }).click();
}

test(JOINED, [MADE], async ({ page, browser, url, project }) => {
    guest.email = `mary.${project}@example.test`;
    const link = await invite(page, project, guest.email);
    await page.reload();
    await page.getByRole("row", { name: new RegExp(guest.email) }).getByText("Pending").waitFor();
    assert.ok(!(await page.locator("body").innerText()).includes(link));
    await shot(page, "invitations");

    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", baseURL: url });
    guest.page = await context.newPage();
    guest.page.setDefaultTimeout(15_000);
    await guest.page.goto(link);
    await guest.page.getByText(`For ${guest.email}. Your role will be: Viewer.`).waitFor();
    await guest.page.getByLabel("Your name").fill("Mary Shelley");
    await guest.page.getByLabel("New password", { exact: true }).fill(PASSWORD);
    await guest.page.getByLabel("New password again").fill(PASSWORD);
    await shot(guest.page, "invite");
    await guest.page.getByRole("button", { name: "Join" }).click();
    await guest.page.waitForURL(/\/projects\//);
    await guest.page.goto(link);
    await guest.page.getByRole("alert").getByText("Not found").waitFor();
});

test("a viewer is told why there is nothing to change, and by whom that can be", [JOINED], async ({ project, sweep }) => {
    const { page } = guest;
    const run = sweep ? [`/runs/${sweep.id}?tab=overview`] : [];
    for (const path of ["", "/datasets", "/experiments", "/runs", "/models", ...run]) {
        await page.goto(`/projects/${project}${path}`);
        const note = page.getByRole("note", { name: /^View only\. Your role here is Viewer; changes need Editor\. .+ can grant it\.$/ });
        await note.waitFor();
        for (const name of ["New training job", "New experiment", "New dataset", "Register as a model", "More actions", "Add a tag", "Edit"]) {
            assert.equal(await page.getByRole("main").getByRole("button", { name, exact: true }).count(), 0, `${path}: ${name}`);
            assert.equal(await page.getByRole("main").getByRole("link", { name, exact: true }).count(), 0, `${path}: ${name}`);
        }
    }
    await shot(page, "view-only");
});

test("a common password is refused beside the field", [JOINED], async ({ page, browser, url, project }) => {
    const link = await invite(page, project, `careless.${project}@example.test`);
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", baseURL: url });
    const stranger = await context.newPage();
    await stranger.goto(link);
    await stranger.getByLabel("Your name").fill("Careless");
    await stranger.getByLabel("New password", { exact: true }).fill("password1234");
    await stranger.getByLabel("New password again").fill("password1234");
    await stranger.getByRole("button", { name: "Join" }).click();
    await stranger.locator('[aria-invalid="true"]').waitFor();
    await context.close();
});

test("a revoked invitation lets nobody in", [JOINED], async ({ page, project }) => {
    const email = `mallory.${project}@example.test`;
    const link = await invite(page, project, email);
    const row = page.getByRole("row", { name: new RegExp(email) });
    await row.getByRole("button", { name: "Revoke" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
    await row.getByText("Revoked").waitFor();
    await guest.page.goto(link);
    await guest.page.getByRole("alert").getByText("Not found").waitFor();
});

test("a role changes while its owner looks", [JOINED], async ({ page, project }) => {
    await guest.page.goto(`/projects/${project}/team`);
    await guest.page.getByRole("tab", { name: "Members" }).waitFor();
    const invitations = guest.page.getByRole("tab", { name: "Invitations" });
    assert.equal(await invitations.count(), 0);
    await page.goto(`/projects/${project}/team`);
    const role = page.getByLabel("Role of Mary Shelley");
    await role.selectOption("admin");
    await page.getByText("Mary Shelley: Administrator").waitFor();
    await invitations.waitFor(SOON);
    await shot(page, "members");
    await role.selectOption("editor");
    await invitations.waitFor({ state: "detached", ...SOON });
});

test(GUARDED, [JOINED], async ({ project }) => {
    const { page, email } = guest;
    await page.goto(`/projects/${project}/settings?tab=security`);
    await page.getByRole("button", { name: "Set up a second factor" }).click();
    const dialog = page.getByRole("dialog");
    assert.ok((await dialog.getByAltText("QR code of the second factor").evaluate((image) => image.naturalWidth)) > 0);
    await shot(page, "second-factor");
    const secret = (await dialog.getByLabel("Or type this into the app").innerText()).trim();
    await dialog.getByLabel("Code", { exact: true }).fill(totp(secret));
    await dialog.getByRole("button", { name: "Turn it on" }).click();
    const codes = (await dialog.getByLabel("Recovery codes").innerText()).trim().split("\n");
    guest.codes = codes;
    assert.equal(codes.length, 10);
    await dialog.getByRole("button", { name: "I have copied it" }).click();
    await page.getByText("A code is asked for at every sign-in.").waitFor();
    await shot(page, "security");

    await page.context().clearCookies();
    await page.goto("/sign-in");
    await signIn(page, email);
    await page.getByLabel("Code").waitFor();
    await signIn(page, email, "000000");
    await page.getByText("The code is wrong or was used already.").waitFor();
    await signIn(page, email, codes[0]);
    await page.waitForURL((at) => !at.pathname.startsWith("/sign-in"));
});

test("other sessions are listed and ended", [GUARDED], async ({ project }) => {
    await guest.page.goto(`/projects/${project}/settings?tab=security`);
    await guest.page.getByText("This one").waitFor();
    await guest.page.getByRole("button", { name: "End all others" }).click();
    await guest.page.getByText("Your other sessions have ended.").waitFor();
    await guest.page.locator("[data-id]").nth(1).waitFor({ state: "detached" });
    assert.equal(await guest.page.locator("[data-id]").count(), 1);
});

test(RESET, [GUARDED], async ({ page, browser, url, project }) => {
    await page.goto(`/projects/${project}/team`);
    await page.getByRole("button", { name: "More about Mary Shelley" }).click();
    await page.getByRole("menuitem", { name: "Make a reset link" }).click();
    const dialog = page.getByRole("dialog", { name: "Reset link" });
    const link = (await dialog.locator("pre").innerText()).trim();
    await dialog.getByRole("button", { name: "I have copied it" }).click();

    guest.password = "eleven otters under the quay";
    const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: "en-GB", baseURL: url });
    const other = await context.newPage();
    const set = async () => {
        await other.goto(link);
        await other.getByLabel("New password", { exact: true }).fill(guest.password);
        await other.getByLabel("New password again").fill(guest.password);
        await other.getByRole("button", { name: "Set the password" }).click();
    };
    await set();
    await other.getByRole("link", { name: "Sign in" }).waitFor();
    await set();
    await other.getByRole("alert").waitFor();
    await context.close();

    await guest.page.goto(`/projects/${project}/runs`);
    await guest.page.waitForURL(/\/sign-in/, SOON);
    await signIn(guest.page, guest.email);
    await guest.page.getByLabel("Code").waitFor();
    await signIn(guest.page, guest.email, guest.codes[1]);
    await guest.page.waitForURL((at) => !at.pathname.startsWith("/sign-in"));
});

test("the second factor is switched off by a code, and is not asked for any more", [RESET], async ({ project }) => {
    const { page, email, codes } = guest;
    await page.goto(`/projects/${project}/settings?tab=security`);
    await page.getByRole("button", { name: "Remove the second factor" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Code").fill("000000");
    await dialog.getByRole("button", { name: "Remove the second factor" }).click();
    await dialog.locator('[aria-invalid="true"]').waitFor();
    await dialog.getByLabel("Code").fill(codes[2]);
    await dialog.getByRole("button", { name: "Remove the second factor" }).click();
    await page.getByRole("button", { name: "Set up a second factor" }).waitFor();
    await page.context().clearCookies();
    await page.goto("/sign-in");
    await signIn(page, email);
    await page.waitForURL((at) => !at.pathname.startsWith("/sign-in"));
});

test("whoever has an account joins with its password", [RESET], async ({ page, project }) => {
    await page.goto(`/projects/${project}/team`);
    await page.getByRole("button", { name: "More about Mary Shelley" }).click();
    await page.getByRole("menuitem", { name: "Remove from the team" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove from the team" }).click();
    await page.getByRole("row", { name: /Mary Shelley/ }).waitFor({ state: "detached" });
    const link = await invite(page, project, guest.email);
    await guest.page.goto(link);
    const password = guest.page.getByLabel("Password");
    await password.fill("not the one it has");
    await guest.page.getByRole("button", { name: "Join" }).click();
    await guest.page.locator('[aria-invalid="true"]').waitFor();
    await password.fill(guest.password);
    await guest.page.getByRole("button", { name: "Join" }).click();
    await guest.page.waitForURL(/\/projects\//);
    await page.goto(`/projects/${project}/team`);
    await page.getByRole("row", { name: /Mary Shelley/ }).waitFor();
});

test("deactivation ends the session of whoever looks", [GUARDED], async ({ page, project }) => {
    await guest.page.goto(`/projects/${project}/runs`);
    await guest.page.getByRole("heading", { name: "Runs" }).waitFor();
    await page.goto(`/projects/${project}/team`);
    await page.getByRole("button", { name: "More about Mary Shelley" }).click();
    await page.getByRole("menuitem", { name: "Deactivate" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Deactivate" }).click();
    await page.getByRole("row", { name: /Mary Shelley/ }).getByText("Deactivated").waitFor();
    await guest.page.waitForURL(/\/sign-in/, SOON);
});

test("the audit log shows all of it, filtered, and is intact", ["deactivation ends the session of whoever looks"], async ({ page, project }) => {
    await page.goto(`/projects/${project}/team?tab=audit`);
    const grid = page.getByRole("grid", { name: "Audit log" });
    await grid.waitFor();
    for (const action of ["invitation.create", "invitation.revoke", "member.update", "user.totp_confirm"]) {
        await page.getByRole("searchbox", { name: "What it begins with" }).fill(action);
        await page.waitForURL(new RegExp(`action=${action}`));
        await grid.getByText(action, { exact: true }).first().waitFor();
        assert.deepEqual([...new Set(await grid.locator("[data-id] > :nth-child(4)").allInnerTexts())], [action]);
    }
    await page.getByRole("button", { name: "Verify" }).click();
    await page.getByText(/^All [\d,]+ events are as they were written\.$/).waitFor();
    await shot(page, "audit");
    const href = await page.getByRole("link", { name: "CSV" }).getAttribute("href");
    const csv = await (await page.request.get(href)).text();
    assert.match(csv, /invitation\.create/);
});
