/* Tests one after the other, printed as TAP: a later step stands on what an earlier one made. */
const tests = [];

/** needs: names of tests without whose success this one is skipped. */
export function test(name, needs, run) {
    tests.push({ name, needs, run });
}

/** Runs all tests (or those whose name contains `only`); onFailure gets the name. Returns the counts. */
export async function runAll(context, onFailure) {
    const passed = new Set();
    const counts = { passed: 0, failed: 0, skipped: 0 };
    console.log(`TAP version 13\n1..${tests.length}`);
    for (const [index, { name, needs, run }] of tests.entries()) {
        const missing = needs.find((need) => !passed.has(need));
        const number = index + 1;
        if (missing) {
            counts.skipped += 1;
            console.log(`ok ${number} - ${name} # SKIP needs "${missing}"`);
            continue;
        }
        const started = performance.now();
        try {
            await run(context);
            passed.add(name);
            counts.passed += 1;
            console.log(`ok ${number} - ${name} # ${((performance.now() - started) / 1000).toFixed(1)} s`);
        } catch (error) {
            counts.failed += 1;
            console.log(`not ok ${number} - ${name}`);
            console.log(`  ---\n${String(error.stack ?? error).split("\n").slice(0, 14).map((line) => `  ${line}`).join("\n")}\n  ...`);
            await onFailure(name);
        }
    }
    return counts;
}
