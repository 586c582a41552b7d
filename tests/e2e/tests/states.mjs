/* Every page when the server fails, when there is nothing yet, and when it stops answering while somebody looks. */
import assert from "node:assert/strict";
import { api } from "../lib/api.mjs";
import { shot } from "../lib/browser.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const NOBODY = "00000000-0000-7000-8000-000000000000";
const REASON = "the store is being repaired; try again in a minute";
/* What the shell itself needs: who one is, and which projects there are. */
const SHELL = /^\/api\/v1\/(session|projects|projects\/[^/]+|permissions\/check)$/;
const WIDTHS = [390, 1360];

const TEAM = ["members", "groups", "permissions", "quotas", "service", "invitations", "audit", "providers"].map((tab) => `/team?tab=${tab}`);
const LISTS = ["/datasets", "/experiments", "/runs", "/logged-models", "/traces", "/train", "/jobs", "/models", "/lineage"];
const OBJECTS = ["/datasets/", "/runs/", "/logged-models/", "/traces/", "/jobs/", "/models/", `/models/${NOBODY}/versions/`].map((path) => path + NOBODY);
const MINE = ["/settings?tab=security", "/settings?tab=tokens", "/settings?tab=webhooks", "/settings?tab=workers"];

/* Where there is nothing yet: what is said, and what one can do about it. */
const EMPTY = [
    ["/datasets", "No dataset yet", "New dataset"],
    ["/experiments", "No experiment yet", "New experiment"],
    ["/runs", "No run yet", "Make a token"],
    ["/train", "No data to train on", "New dataset"],
    ["/jobs", "No job yet", "New training job"],
    ["/models", "No model yet", "Show finished runs"],
    ["/lineage", "Nothing to show yet", "Datasets"],
    ["/team?tab=groups", "No group yet", "New group"],
    ["/team?tab=service", "No service account yet", "New service account"],
    ["/team?tab=invitations", "No invitation yet", "Invite"],
    ["/settings?tab=tokens", "No token yet", "New token"],
    ["/settings?tab=webhooks", "No webhook yet", "New webhook"],
];

/* A page of its own beside the tests' one: its replies are made up, and what it complains about is kept. */
async function watched(context) {
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error.stack ?? error)));
    page.on("console", (message) => message.type() === "error" && !message.text().startsWith("Failed to load resource") && complaints.push(message.text()));
    return { page, complaints };
}

async function answer(page, reply) {
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.route("**/api/v1/**", (route) => {
        const { pathname } = new URL(route.request().url());
        return SHELL.test(pathname) || route.request().method() !== "GET" ? route.fallback() : reply(route, pathname);
    });
}

const problem = (status, code, detail) => (route) =>
    route.fulfill({ status, contentType: "application/problem+json", headers: { "X-Request-Id": "made-up" }, body: JSON.stringify({ type: "about:blank", title: code, status, code, detail }) });

/* Nothing is wider than the window, on a desk or in a hand. */
async function stays(page, path) {
    for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 860 });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${path} is ${over} px wider than a window of ${width}`);
    }
}

test("every page says why it failed, and asks again", [MADE], async ({ context, project }) => {
    const { page, complaints } = await watched(context);
    await answer(page, problem(500, "INTERNAL", REASON));
    for (const path of ["", ...LISTS, ...OBJECTS, ...TEAM, ...MINE]) {
        await page.goto(`/projects/${project}${path}`);
        const alert = page.getByRole("alert").filter({ hasText: REASON }).first();
        await alert.waitFor();
        await alert.getByRole("button", { name: "Try again" }).waitFor();
        await page.getByRole("heading", { level: 1 }).waitFor();
        await stays(page, path);
    }
    await shot(page, "failed-page");
    await page.goto(`/projects/${project}/jobs`);
    const again = page.getByRole("alert").getByRole("button", { name: "Try again" });
    await again.waitFor();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await again.click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    assert.deepEqual([...new Set(complaints)], []);
    await page.close();
});

test("a refusal, a proxy's own page and silence are told apart", [MADE], async ({ context, project }) => {
    const { page, complaints } = await watched(context);
    await answer(page, problem(403, "FORBIDDEN", "your role does not allow run.read here"));
    await page.goto(`/projects/${project}/runs`);
    await page.getByRole("alert").getByText("You may not do this").waitFor();
    await answer(page, (route) => route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }));
    await page.goto(`/projects/${project}/models`);
    await page.getByRole("alert").getByText(/status 502|Bad Gateway/).waitFor();
    await answer(page, (route) => route.abort());
    await page.goto(`/projects/${project}/experiments`);
    await page.getByRole("alert").getByText("The server did not answer.").waitFor();
    assert.deepEqual([...new Set(complaints)], []);
    await page.close();
});

test("what cannot be brought up to date is shown and said to be old", [MADE], async ({ context, project }) => {
    const { page, complaints } = await watched(context);
    await page.goto(`/projects/${project}/experiments`);
    await page.getByRole("row", { name: /Default/ }).waitFor();
    await answer(page, problem(500, "INTERNAL", REASON));
    await api(page, "POST", `/projects/${project}/experiments`, { name: `made meanwhile ${Date.now()}` });
    await page.getByText("Not up to date:").waitFor({ timeout: 40_000 });
    assert.equal(await page.getByRole("row", { name: /Default/ }).count(), 1);
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("row", { name: /made meanwhile/ }).waitFor();
    assert.deepEqual([...new Set(complaints)], []);
    await page.close();
});

test("where there is nothing yet every page names the next step", [MADE], async ({ context, project }) => {
    const { page, complaints } = await watched(context);
    await answer(page, async (route, pathname) => {
        if (pathname.endsWith("/events")) return route.abort();
        const response = await route.fetch();
        const body = await response.json();
        return route.fulfill({ response, json: Array.isArray(body.items) ? { ...body, items: [], next_cursor: null } : body });
    });
    const main = page.getByRole("main");
    for (const [path, said, step] of EMPTY) {
        await page.goto(`/projects/${project}${path}`);
        await main.getByText(said).first().waitFor();
        await main.getByRole("button", { name: step }).or(main.getByRole("link", { name: step })).first().waitFor();
        await stays(page, path);
    }
    await shot(page, "empty-page");
    assert.deepEqual([...new Set(complaints)], []);
    await page.close();
});

test("a page that waits shows its shape", [MADE], async ({ context, project }) => {
    const { page } = await watched(context);
    await answer(page, () => new Promise(() => {}));
    for (const path of [...LISTS, ...OBJECTS]) {
        await page.goto(`/projects/${project}${path}`, { waitUntil: "commit" });
        await page.getByRole("status", { name: "Loading" }).first().waitFor();
        await page.getByRole("heading", { level: 1 }).waitFor();
    }
    await page.close();
});

test("without a server there is a door, not a blank page", [MADE], async ({ context, project }) => {
    const { page } = await watched(context);
    await page.route("**/api/v1/**", (route) => route.abort());
    await page.goto(`/projects/${project}/runs`);
    await page.getByRole("heading", { name: "Slipway cannot be reached" }).waitFor();
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
    await page.close();
});
