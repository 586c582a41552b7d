/*
 * The whole path as a person walks it: sign in, bring digits, train, watch, register, draw, look back along
 * the lineage; log from code, filter, look into runs and files, register what others trained; tokens; people who come and go; the keyboard alone; both languages; dark. Environment:
 * SLIPWAY_URL, SLIPWAY_EMAIL, SLIPWAY_PASSWORD; optionally SLIPWAY_DIGITS (a folder with IDX files), CHROMIUM.
 * With SLIPWAY_SETUP_SECRET, of an installation that has no owner yet: the first start, and who may do what.
 */
import { openBrowser, shot } from "./lib/browser.mjs";
import { digits } from "./lib/digits.mjs";
import { runAll } from "./lib/tap.mjs";

const WHOLE = ["session", "datasets", "training", "models", "lineage", "experiments", "runs", "runpage", "registry", "traces", "loggedmodels", "settings", "webhooks", "access", "grants", "states", "keyboard", "looks"];
const FIRST_START = ["setup", "session", "access", "grants"];
const IMPORTED = 6000;
const { SLIPWAY_URL: url, SLIPWAY_EMAIL: email, SLIPWAY_PASSWORD: password } = process.env;
if (!url || !email || !password) {
    console.error("SLIPWAY_URL, SLIPWAY_EMAIL and SLIPWAY_PASSWORD are needed");
    process.exit(2);
}

for (const name of process.env.SLIPWAY_SETUP_SECRET ? FIRST_START : WHOLE) await import(`./tests/${name}.mjs`);

const opened = await openBrowser(url);
const project = `e2e-${Date.now().toString(36)}`;
const context = { ...opened, url, email, password, project, digits: digits(IMPORTED) };
const counts = await runAll(context, (name) => shot(opened.page, `failed-${name.replace(/\W+/g, "-")}`));
await opened.browser.close();
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);
