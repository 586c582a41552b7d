import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const HAN = /\p{Script=Han}/u;

async function choose(page, name) {
    await page.locator("aside button").last().click();
    await page.getByRole("menuitemcheckbox", { name }).click();
}

test("the language changes at once and stays", [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}`);
    await choose(page, "简体中文");
    await page.getByRole("heading", { name: "下一步" }).waitFor();
    assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
    for (const path of ["datasets", "experiments", "runs", "traces", "logged-models", "train", "jobs", "models", "lineage", "team", "settings"]) {
        await page.goto(`/projects/${project}/${path}`);
        const heading = page.getByRole("heading", { level: 1 });
        await heading.waitFor();
        assert.match(await heading.innerText(), HAN, path);
    }
    await page.goto(`/projects/${project}/runs`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await shot(page, "runs-zh");
    await choose(page, "English");
    await page.getByRole("heading", { name: "Runs" }).waitFor();
});

test("dark and light are chosen by the system or by hand", [MADE], async ({ page, project }) => {
    const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const brightness = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
    await page.goto(`/projects/${project}`);
    await page.getByText("Next steps").waitFor();
    assert.ok(brightness(await background()) > 600);
    await page.emulateMedia({ colorScheme: "dark" });
    assert.ok(brightness(await background()) < 150);
    await page.emulateMedia({ colorScheme: "light" });
    await choose(page, "Dark");
    await page.reload();
    await page.getByText("Next steps").waitFor();
    assert.ok(brightness(await background()) < 150);
    await shot(page, "home-dark");
    await choose(page, "As the system");
});

test("a page that is not there says so and leads back", [MADE], async ({ page }) => {
    await page.goto("/no/such/page");
    await page.getByText("There is no such page").waitFor();
    await page.getByRole("link", { name: "Go to the start" }).waitFor();
});

test("an object that is not there says so", [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}/runs/00000000-0000-7000-8000-000000000000`);
    await page.getByRole("alert").getByText("Not found").waitFor();
});

test("signing out ends the session", [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}`);
    await page.locator("aside button").last().click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.waitForURL(/\/sign-in/);
    await page.goto(`/projects/${project}`);
    await page.waitForURL(/\/sign-in\?return=/);
});

test("nothing complained: no script error, no refused style, no foreign request, no 5xx", [], async ({ complaints }) => {
    assert.deepEqual([...new Set(complaints)], []);
});
