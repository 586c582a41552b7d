/* The browser and what every step of the test may complain about: console errors, foreign requests. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const SHOTS = join(import.meta.dirname, "../../../build/e2e");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const VIEW = { width: 1360, height: 860 };

export async function openBrowser(url) {
    mkdirSync(SHOTS, { recursive: true });
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
    const complaints = [];
    const context = await browser.newContext({
        viewport: VIEW, colorScheme: "light", locale: "en-GB", baseURL: url,
        /* The certificate is the installation's own; SLIPWAY_CA is checked by the test's own requests. */
        ignoreHTTPSErrors: true,
        permissions: ["clipboard-read", "clipboard-write"],
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    watch(page, new URL(url).origin, complaints);
    return { browser, context, page, complaints };
}

function watch(page, origin, complaints) {
    page.on("pageerror", (error) => complaints.push(`page error: ${error.stack ?? error}`));
    page.on("console", (message) => {
        /* The browser reports refused requests by itself; the tests ask for those on purpose. */
        if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) complaints.push(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
        const url = new URL(request.url());
        if (url.protocol.startsWith("http") && url.origin !== origin) complaints.push(`request to ${url.origin}`);
    });
    page.on("response", (response) => {
        /* "Later" is an answer, not a fault: the page polls instead of streaming, or asks the model again. */
        const later = response.status() === 503 && response.headers()["retry-after"] !== undefined;
        if (response.status() >= 500 && !later) complaints.push(`${response.status()} from ${response.url()}`);
    });
}

export function shot(page, name) {
    return page.screenshot({ path: join(SHOTS, `${name}.png`) });
}
