import assert from "node:assert/strict";
import { api } from "../lib/api.mjs";
import { shot } from "../lib/browser.mjs";
import { sendSpans, traceId } from "../lib/otlp.mjs";
import { test } from "../lib/tap.mjs";

const MADE = "a project is made and shows what to do first";
const EMPTY = "without a trace the list shows how to send the first";
const LISTED = "traces are listed beside the runs of their experiment";
const SHOWN = "a trace shows its spans over time and what each holds";

const HOSTILE = "<img src=x onerror=alert(1)>";
const MANY = 5000;
const NOW = BigInt(Date.now()) * 1_000_000n;
const MS = 1_000_000n;

const filterBox = (page) => page.getByRole("combobox", { name: "Filter traces" });
const names = (page) => page.locator("[data-list] [data-id] strong").allInnerTexts();

async function ask(page, text) {
    await filterBox(page).fill(text);
    await page.keyboard.press("Enter");
}

async function traceOf(page, project, n) {
    const { items } = await api(page, "GET", `/projects/${project}/traces?filter=${encodeURIComponent(`trace_id = 'tr-${traceId(n)}'`)}`);
    return items[0];
}

test(EMPTY, [MADE], async ({ page, project }) => {
    await page.goto(`/projects/${project}/traces`);
    await page.getByText("No trace yet").waitFor();
    assert.match(await page.getByLabel("mlflow", { exact: true }).last().innerText(), /@mlflow\.trace/);
    assert.match(await page.getByLabel("Environment").innerText(), new RegExp(`/p/${project}`));
    await shot(page, "traces-empty");
});

test(LISTED, [EMPTY], async (context) => {
    const { page, project } = context;
    const experiment = await api(page, "POST", `/projects/${project}/experiments`, { name: "chat" });
    const at = (n) => NOW - BigInt(n) * 60_000n * MS;
    const root = { id: 1, name: "answer", type: "AGENT", inputs: { question: "why is the sky blue?" }, outputs: "because" };
    await sendSpans(page, project, experiment.number, [
        { ...root, trace: 1, from: at(1), to: at(1) + 90n * MS },
        { trace: 1, id: 2, parent: 1, name: "look up", type: "RETRIEVER", from: at(1) + 5n * MS, to: at(1) + 40n * MS, attributes: { "top k": "3" } },
        { trace: 1, id: 3, parent: 2, name: "embed", type: "EMBEDDING", from: at(1) + 6n * MS, to: at(1) + 9n * MS },
        { trace: 1, id: 4, parent: 1, name: "chat model", type: "LLM", from: at(1) + 45n * MS, to: at(1) + 85n * MS, attributes: { model: '"small"' }, inputs: { text: HOSTILE }, outputs: HOSTILE },
        { ...root, trace: 2, name: HOSTILE, inputs: HOSTILE, outputs: HOSTILE, status: 2, message: HOSTILE, from: at(2), to: at(2) + 3000n * MS, attributes: { [HOSTILE]: HOSTILE }, event: { name: "exception", attributes: { "exception.message": HOSTILE } } },
        { ...root, trace: 3, name: "greet", inputs: "hello", from: at(3), to: at(3) + 10n * MS },
    ]);
    context.traces = { experiment, url: `/projects/${project}/traces?experiment=${experiment.id}` };
    await page.goto(`/projects/${project}/runs?experiment=${experiment.id}`);
    await page.getByRole("navigation", { name: "Runs, models and traces" }).getByRole("link", { name: "Traces" }).click();
    await page.getByRole("row", { name: /answer/ }).waitFor();
    assert.deepEqual(await names(page), ["answer", HOSTILE, "greet"]);
    await page.getByRole("row", { name: /3\.00 s/ }).getByText("Failed").waitFor();
    await shot(page, "traces");
});

test("traces are filtered by words and by the language, and ordered", [LISTED], async ({ page, traces }) => {
    await page.goto(traces.url);
    await page.getByRole("row", { name: /answer/ }).waitFor();
    await ask(page, "sky");
    await page.getByRole("row", { name: /greet/ }).waitFor({ state: "detached" });
    assert.deepEqual(await names(page), ["answer"]);
    await ask(page, "state = 'error' OR span.attributes.model = 'small'");
    await page.getByRole("row", { name: /3\.00 s/ }).waitFor();
    assert.deepEqual(await names(page), ["answer", HOSTILE]);
    await page.getByRole("columnheader", { name: "Duration" }).getByRole("button").click();
    await page.waitForURL(/sort=-duration_ms/);
    await page.locator('[data-index="0"]').getByText("3.00 s").waitFor();
    await ask(page, "state = 'ok' AND spn.name = 'x'");
    await page.getByRole("alert").waitFor();
    assert.equal(await page.locator("mark").innerText(), "spn.name");
    await shot(page, "traces-refused");
    await ask(page, "name = 'nobody'");
    await page.getByText("Nothing matches the filter").waitFor();
    await page.getByRole("button", { name: "How to filter" }).click();
    await page.getByRole("dialog").getByRole("button", { name: /span\.attributes\.model/ }).click();
    await page.getByRole("row", { name: /answer/ }).waitFor();
});

test("a list of traces that cannot be had says why", [LISTED], async ({ page, traces }) => {
    const path = /\/api\/v1\/projects\/[^/]+\/traces\?/;
    await page.route(path, (route) => route.fulfill({ status: 503, headers: { "Retry-After": "1" }, contentType: "application/problem+json", body: '{"code":"UNAVAILABLE","detail":"the database could not be reached"}' }));
    await page.goto(traces.url);
    await page.getByRole("alert").getByText("the database could not be reached").waitFor();
    await page.unroute(path);
    await page.getByRole("button", { name: "Try again" }).click();
    await page.getByRole("row", { name: /answer/ }).waitFor();
});

test(SHOWN, [LISTED], async (context) => {
    const { page, project, traces } = context;
    const { id } = await traceOf(page, project, 1);
    traces.one = `/projects/${project}/traces/${id}`;
    await page.goto(traces.url);
    await page.getByRole("row", { name: /answer/ }).click();
    await page.getByRole("heading", { name: "answer", level: 1 }).waitFor();
    const tree = page.getByRole("tree", { name: "Spans" });
    assert.deepEqual((await tree.getByRole("treeitem").allInnerTexts()).map((line) => line.split("\n")[0]), ["answer", "look up", "embed", "chat model"]);
    await page.getByLabel("Inputs", { exact: true }).getByText("why is the sky blue?").waitFor();
    await tree.focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowLeft");
    await tree.getByRole("treeitem", { name: /embed/ }).waitFor({ state: "detached" });
    await page.keyboard.press("ArrowDown");
    await page.getByText("small", { exact: true }).waitFor();
    assert.match(page.url(), /span=0000000000000004/);
    await page.reload();
    await page.getByRole("heading", { name: /chat model/ }).waitFor();
    await shot(page, "trace");
});

test("what a trace holds is text, whatever it says", [LISTED], async ({ page, project, traces }) => {
    const complaints = [];
    const onDialog = (dialog) => void (complaints.push(dialog.message()), dialog.dismiss());
    const onConsole = (message) => /Content.Security.Policy/i.test(message.text()) && complaints.push(message.text());
    page.on("dialog", onDialog);
    page.on("console", onConsole);
    const { id } = await traceOf(page, project, 2);
    await api(page, "PATCH", `/traces/${id}/tags`, { tags: { [HOSTILE]: HOSTILE } });
    await api(page, "POST", `/traces/${id}/assessments`, { kind: "feedback", name: HOSTILE, value: HOSTILE, rationale: HOSTILE });
    await page.goto(traces.url);
    await page.getByRole("row", { name: /3\.00 s/ }).waitFor();
    await page.goto(`/projects/${project}/traces/${id}`);
    await page.getByRole("heading", { name: HOSTILE, level: 1 }).waitFor();
    await page.getByText("exception.message").waitFor();
    assert.equal(await page.locator("main img").count(), 0);
    await shot(page, "trace-hostile");
    page.off("dialog", onDialog);
    page.off("console", onConsole);
    assert.deepEqual(complaints, []);
});

test("a trace is judged, tagged and linked to its run", [SHOWN], async ({ page, project, traces }) => {
    await page.goto(`${traces.one}?span=0000000000000004`);
    await page.getByText("Nobody has judged this trace yet.").waitFor();
    await page.getByRole("button", { name: "Add an assessment" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("correct");
    await dialog.getByLabel("Value", { exact: true }).selectOption("false");
    await dialog.getByLabel("Of what").selectOption("0000000000000004");
    await dialog.getByLabel("Why").fill("the sky is grey");
    await dialog.getByRole("button", { name: "Save" }).click();
    await page.getByText("the sky is grey").waitFor();
    await page.getByRole("button", { name: "Add a tag" }).click();
    await page.getByLabel("Key").fill("reviewed");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Remove the tag reviewed" }).waitFor();
    const run = await api(page, "POST", `/projects/${project}/runs`, { experiment: "chat", name: "evening" });
    const linked = await page.request.post(`/p/${project}/api/2.0/mlflow/traces/link-to-run`, { data: { trace_ids: [`tr-${traceId(1)}`], run_id: run.id.replaceAll("-", "") }, headers: { "X-Slipway-Request": "1", Origin: new URL(page.url()).origin } });
    assert.ok(linked.ok());
    await page.goto(`/projects/${project}/runs/${run.id}?tab=traces`);
    await page.getByText("correct: false").waitFor();
    await page.getByRole("row", { name: /answer/ }).click();
    await page.getByRole("link", { name: run.id.slice(-8) }).click();
    await page.getByRole("heading", { name: "evening", level: 1 }).waitFor();
    await page.goto(traces.one);
    await page.getByRole("button", { name: "Show the span" }).click();
    await page.getByRole("heading", { name: /chat model/ }).waitFor();
    await page.getByRole("button", { name: "Remove the assessment correct" }).click();
    await page.getByText("Nobody has judged this trace yet.").waitFor();
});

test("of thousands of spans only the visible ones are in the document", [LISTED], async ({ page, project, traces }) => {
    const spans = Array.from({ length: MANY }, (_u, n) => ({ trace: 9, id: n + 1, parent: n === 0 ? undefined : 1 + Math.floor(n / 4), name: `step ${n}`, from: NOW + BigInt(n) * MS, to: NOW + BigInt(n + 5) * MS, inputs: { n } }));
    await sendSpans(page, project, traces.experiment.number, spans);
    const { id } = await traceOf(page, project, 9);
    await page.goto(`/projects/${project}/traces/${id}`);
    const tree = page.getByRole("tree", { name: "Spans" });
    await tree.getByRole("treeitem").nth(10).waitFor();
    assert.ok((await tree.getByRole("treeitem").count()) < 100);
    await tree.focus();
    await page.keyboard.press("End");
    const last = tree.locator("[aria-selected=true]");
    await last.waitFor();
    await page.getByLabel("Inputs", { exact: true }).waitFor();
    await page.getByLabel("Search spans").fill(`step ${MANY - 1}`);
    await tree.getByRole("treeitem", { name: `step ${MANY - 1}` }).waitFor();
    assert.equal(await tree.getByRole("treeitem").count(), 1);
});

test("traces are deleted, one from its page and many from the list", [SHOWN, "what a trace holds is text, whatever it says"], async ({ page, project, traces }) => {
    const { id } = await traceOf(page, project, 2);
    await page.goto(`/projects/${project}/traces/${id}`);
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.waitForURL(/\/traces\?/);
    await page.getByRole("row", { name: /greet/ }).waitFor();
    assert.equal((await page.request.get(`/api/v1/traces/${id}`)).status(), 404);
    await page.getByRole("row", { name: /greet/ }).getByRole("checkbox").check();
    await page.getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("dialog").getByText("Delete 1 trace for good?").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByRole("row", { name: /greet/ }).waitFor({ state: "detached" });
    assert.equal(await traceOf(page, project, 3), undefined);
    await page.goto(`/projects/${project}/traces/${id}`);
    await page.getByRole("alert").getByText("Not found", { exact: true }).waitFor();
    await page.goto(traces.url);
});
