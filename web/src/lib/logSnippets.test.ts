import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { curlLogSnippet, environmentSnippet, loadSnippet, looksLocal, mlflowSnippet, pythonLogSnippet, traceSnippet, trackingUri, type LogTarget } from "./logSnippets";

const target: LogTarget = { origin: "https://10.0.0.4:8443", project: "digits", experiment: { name: 'it\'s "x"', number: 3 }, token: "slp_a_b'c_d", ownCertificate: true };
const parses = (program: string, args: string[], code: string) => expect(() => execFileSync(program, args, { input: code, stdio: "pipe" })).not.toThrow();

test("the tracking URI names the project", () => {
    expect(trackingUri(target)).toBe("https://10.0.0.4:8443/p/digits");
});

test("the shell reads the environment back as it was meant", () => {
    const code = environmentSnippet(target).split("\n").filter((line) => line.startsWith("export")).join("\n");
    const out = execFileSync("sh", ["-c", `${code}\nprintf '%s|%s|%s' "$MLFLOW_TRACKING_URI" "$MLFLOW_TRACKING_TOKEN" "$MLFLOW_TRACKING_SERVER_CERT_PATH"`], { encoding: "utf8", cwd: "/tmp" });
    expect(out).toBe("https://10.0.0.4:8443/p/digits|slp_a_b'c_d|/tmp/slipway.pem");
});

test("what uploads in parts need besides is there to be uncommented", () => {
    const code = environmentSnippet(target).replace(/^# export/gm, "export");
    const out = execFileSync("sh", ["-c", `${code.replace(/^openssl .*$/m, "")}\nprintf '%s' "$REQUESTS_CA_BUNDLE"`], { encoding: "utf8", cwd: "/tmp" });
    expect(out).toBe("/tmp/slipway.pem");
});

test("a certificate that the world knows needs no lines of its own", () => {
    expect(environmentSnippet({ ...target, ownCertificate: false })).not.toMatch(/pem|CERT/);
    expect(curlLogSnippet({ ...target, ownCertificate: false })).not.toMatch(/pem/);
    expect(pythonLogSnippet({ ...target, ownCertificate: false })).not.toMatch(/pem/);
});

test("the programs are programs", () => {
    parses("sh", ["-n"], curlLogSnippet(target));
    for (const code of [mlflowSnippet(target), traceSnippet(target), pythonLogSnippet(target), loadSnippet(target, 'it\'s "m"', 2)]) parses("python3", ["-c", "import ast,sys; ast.parse(sys.stdin.read())"], code);
});

test.each([["127.0.0.1", true], ["[::1]", true], ["ml-server", true], ["ml.lan", true], ["ml.example.org", false]])("%s is local: %s", (host, local) => {
    expect(looksLocal(host)).toBe(local);
});
