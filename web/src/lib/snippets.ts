/*
 * Copyable programs that ask a registered version for a prediction. The name and version come from the
 * server and are quoted all the same: a snippet is run in someone's shell.
 */
import type { InferTensor, ServableVersion } from "../api/types";
import { shellQuote } from "./shellQuote";

const ZERO: Record<string, number | string> = { BYTES: "", BOOL: 0 };

export function exampleInputs(version: Pick<ServableVersion, "signature">): InferTensor[] {
    return version.signature.inputs.map((input) => ({
        name: input.name,
        datatype: input.datatype,
        shape: input.shape.map((size) => (size < 0 ? 1 : size)),
        data: [ZERO[input.datatype] ?? 0],
    }));
}

export function inferPath(version: Pick<ServableVersion, "model_name" | "version">): string {
    return `/v2/models/${encodeURIComponent(version.model_name)}/versions/${version.version}/infer`;
}

export function curlSnippet(origin: string, version: ServableVersion): string {
    const lines = [`curl -H "Authorization: Bearer $SLIPWAY_TOKEN" \\`];
    if (version.input_kind === "image") {
        lines.push(`  -H "Content-Type: image/png" --data-binary @digit.png \\`);
    } else {
        const body = JSON.stringify({ inputs: exampleInputs(version) });
        lines.push(`  -H "Content-Type: application/json" \\`, `  -d ${shellQuote(body)} \\`);
    }
    const path = version.input_kind === "image"
        ? `/api/v1/model-versions/${version.id}/predict`
        : inferPath(version);
    return [...lines, `  ${shellQuote(origin + path)}`].join("\n");
}

function pythonTensor(tensor: InferTensor): string {
    const size = tensor.shape.reduce((a, b) => a * b, 1);
    const data = size > 1 ? `[0.0] * ${size}` : JSON.stringify(tensor.data);
    return `    {"name": ${JSON.stringify(tensor.name)}, "datatype": ${JSON.stringify(tensor.datatype)}, `
        + `"shape": ${JSON.stringify(tensor.shape)}, "data": ${data}},`;
}

export function pythonSnippet(origin: string, version: ServableVersion): string {
    return [
        "import json, os, urllib.request",
        "",
        "inputs = [",
        ...exampleInputs(version).map(pythonTensor),
        "]",
        "request = urllib.request.Request(",
        `    ${JSON.stringify(origin + inferPath(version))},`,
        `    data=json.dumps({"inputs": inputs}).encode(),`,
        `    headers={"Authorization": "Bearer " + os.environ["SLIPWAY_TOKEN"],`,
        `             "Content-Type": "application/json"},`,
        ")",
        "print(json.load(urllib.request.urlopen(request)))",
    ].join("\n");
}
