import assert from "node:assert/strict";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const IMPORTED = "digits are uploaded, imported and described";

test("pages, lists and tabs are walked with keys alone", [IMPORTED], async ({ page, project }) => {
    await page.goto(`/projects/${project}`);
    await page.getByText("Next steps").waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("d");
    await page.waitForURL(/\/datasets$/);
    await page.getByRole("row", { name: /digits/ }).waitFor();
    await page.keyboard.press("j");
    for (let i = 0; i < 20 && !(await page.locator("[data-id]:focus", { hasText: "digits" }).count()); i++) await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "digits", level: 1 }).waitFor();
    await page.keyboard.press("4");
    await page.getByRole("tab", { name: "Versions", selected: true }).waitFor();
});

test("the palette finds pages, actions and objects", [IMPORTED], async ({ page, project }) => {
    await page.goto(`/projects/${project}`);
    await page.getByText("Next steps").waitFor();
    await page.keyboard.press("Control+k");
    await page.getByRole("option", { name: "digits" }).first().waitFor();
    await shot(page, "palette");
    await page.keyboard.type("digits");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "digits", level: 1 }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
});

/* Everything about people and access. */
const PEOPLE = [
    ...["members", "groups", "permissions", "quotas", "service", "invitations", "audit", "providers"].map((tab) => `/team?tab=${tab}`),
    ...["profile", "security", "tokens", "webhooks"].map((tab) => `/settings?tab=${tab}`),
];

test("focus is visible wherever Tab leads", [IMPORTED], async ({ page, project }) => {
    for (const path of ["", "/datasets", "/experiments", "/runs", "/train", "/jobs", "/models", "/lineage", "/settings", ...PEOPLE]) {
        await page.goto(`/projects/${project}${path}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        for (let i = 0; i < 25; i++) {
            await page.keyboard.press("Tab");
            const seen = await page.evaluate(() => {
                const element = document.activeElement;
                if (!element || element === document.body) return true;
                const style = getComputedStyle(element);
                const framed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
                /* A box around the control may wear the ring for it. */
                const ringed = [element, element.parentElement, element.parentElement.parentElement].some((one) => one && getComputedStyle(one).boxShadow !== "none");
                return framed || ringed || element.outerHTML.slice(0, 120);
            });
            assert.equal(seen, true, `${path}: ${seen}`);
        }
    }
});

test("every control has a name", [IMPORTED], async ({ page, project }) => {
    for (const path of ["", "/datasets", "/experiments", "/runs", "/train", "/jobs", "/models", ...PEOPLE]) {
        await page.goto(`/projects/${project}${path}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        const nameless = await page.evaluate(() =>
            [...document.querySelectorAll("button, a[href], input:not([type=file]), select, textarea, [role=img]")]
                .filter((element) => element.checkVisibility())
                .filter((element) => !(element.innerText ?? "").trim() && !element.getAttribute("aria-label") && !element.labels?.length && !element.title)
                .map((element) => element.outerHTML.slice(0, 120)),
        );
        assert.deepEqual(nameless, [], path);
    }
});
