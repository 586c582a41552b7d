/*
 * Copyable programs that log a run to this server. All of them speak the MLflow protocol, the first through
 * the mlflow package, the others by hand. Names come from people and are quoted for the language they land in.
 */
import { shellQuote } from "./shellQuote";

export interface LogTarget {
    origin: string;
    /** The project's slug. */
    project: string;
    experiment: { name: string; number: number };
    /** null: not made yet. */
    token: string | null;
    /** The certificate is the installation's own, so clients have to be told to trust it. */
    ownCertificate: boolean;
}

const NO_TOKEN = "<token>";
const CERTIFICATE = "slipway.pem";

export function trackingUri({ origin, project }: Pick<LogTarget, "origin" | "project">): string {
    return `${origin}/p/${encodeURIComponent(project)}`;
}

/** Whether nobody but this installation can have signed for the host: an address, or a name of the own network. */
export function looksLocal(hostname: string): boolean {
    return /^\d+\.\d+\.\d+\.\d+$|:|^\[/.test(hostname) || !hostname.includes(".") || /\.(local|lan|internal|home|test)$/.test(hostname);
}

function certificateLines({ origin, ownCertificate }: LogTarget): string[] {
    if (!ownCertificate) return [];
    const { hostname, port } = new URL(origin);
    return [`openssl s_client -connect ${shellQuote(`${hostname}:${port || "443"}`)} </dev/null 2>/dev/null | openssl x509 > ${CERTIFICATE}`];
}

export function environmentSnippet(target: LogTarget): string {
    return [
        `export MLFLOW_TRACKING_URI=${shellQuote(trackingUri(target))}`,
        `export MLFLOW_TRACKING_TOKEN=${shellQuote(target.token ?? NO_TOKEN)}`,
        ...certificateLines(target),
        ...(target.ownCertificate
            ? [
                  `export MLFLOW_TRACKING_SERVER_CERT_PATH="$PWD/${CERTIFICATE}"`,
                  "# Only with MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD=true, whose parts the client sends by other means:",
                  `# export REQUESTS_CA_BUNDLE="$PWD/${CERTIFICATE}"`,
              ]
            : []),
    ].join("\n");
}

export function mlflowSnippet({ experiment }: LogTarget): string {
    return [
        "import mlflow",
        "",
        "# mlflow.autolog()  # scikit-learn, PyTorch, Keras, XGBoost … log by themselves",
        `mlflow.set_experiment(${JSON.stringify(experiment.name)})`,
        'with mlflow.start_run(run_name="first steps"):',
        '    mlflow.log_params({"lr": 0.1, "optimizer": "sgd"})',
        "    for step in range(100):",
        '        mlflow.log_metric("loss", 1 / (step + 1), step=step)',
    ].join("\n");
}

export function traceSnippet({ experiment }: LogTarget): string {
    return [
        "import mlflow",
        "",
        "# mlflow.openai.autolog()  # OpenAI, Anthropic, LangChain, LlamaIndex … trace by themselves",
        `mlflow.set_experiment(${JSON.stringify(experiment.name)})`,
        "",
        '@mlflow.trace(span_type="CHAIN")',
        "def answer(question):",
        '    with mlflow.start_span("look up", span_type="RETRIEVER") as span:',
        '        span.set_inputs({"question": question})',
        '        span.set_outputs(["six times seven is 42"])',
        '    return "42"',
        "",
        'answer("What is six times seven?")',
    ].join("\n");
}

/** Loads a registered version with whatever library saved it. */
export function loadSnippet(target: Pick<LogTarget, "origin" | "project">, model: string, version: number): string {
    return [
        "import mlflow",
        "",
        `mlflow.set_tracking_uri(${JSON.stringify(trackingUri(target))})`,
        `model = mlflow.pyfunc.load_model(${JSON.stringify(`models:/${model}/${version}`)})`,
    ].join("\n");
}

export function curlLogSnippet(target: LogTarget): string {
    const call = `curl -sS${target.ownCertificate ? ` --cacert ${CERTIFICATE}` : ""} -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"`;
    return [
        `API=${shellQuote(`${trackingUri(target)}/api/2.0/mlflow`)}`,
        `TOKEN=${shellQuote(target.token ?? NO_TOKEN)}`,
        ...certificateLines(target),
        `now() { echo "$(date +%s)000"; }`,
        `RUN=$(${call} "$API/runs/create" \\`,
        `  -d "{\\"experiment_id\\": \\"${target.experiment.number}\\", \\"run_name\\": \\"first steps\\", \\"start_time\\": $(now)}" |`,
        `  grep -o '"run_id": *"[0-9a-f]*"' | head -n 1 | cut -d '"' -f 4)`,
        `${call} "$API/runs/log-metric" \\`,
        `  -d "{\\"run_id\\": \\"$RUN\\", \\"key\\": \\"loss\\", \\"value\\": 0.25, \\"step\\": 1, \\"timestamp\\": $(now)}"`,
        `${call} "$API/runs/update" \\`,
        `  -d "{\\"run_id\\": \\"$RUN\\", \\"status\\": \\"FINISHED\\", \\"end_time\\": $(now)}"`,
    ].join("\n");
}

export function pythonLogSnippet(target: LogTarget): string {
    const context = target.ownCertificate ? `ssl.create_default_context(cafile="${CERTIFICATE}")` : "ssl.create_default_context()";
    return [
        "import json, ssl, time, urllib.request",
        "",
        `API = ${JSON.stringify(`${trackingUri(target)}/api/2.0/mlflow`)}`,
        `TOKEN = ${JSON.stringify(target.token ?? NO_TOKEN)}`,
        `TLS = ${context}`,
        "",
        "def post(path, **body):",
        "    request = urllib.request.Request(",
        '        f"{API}/{path}", data=json.dumps(body).encode(),',
        '        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})',
        "    with urllib.request.urlopen(request, context=TLS) as reply:",
        "        return json.load(reply)",
        "",
        "now = lambda: int(time.time() * 1000)",
        `run = post("runs/create", experiment_id="${target.experiment.number}", run_name="first steps", start_time=now())`,
        'run_id = run["run"]["info"]["run_id"]',
        "for step in range(100):",
        '    post("runs/log-metric", run_id=run_id, key="loss", value=1 / (step + 1), step=step, timestamp=now())',
        'post("runs/update", run_id=run_id, status="FINISHED", end_time=now())',
    ].join("\n");
}
