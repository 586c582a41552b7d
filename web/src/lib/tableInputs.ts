/* The text of a form as Open Inference Protocol inputs: one row, one tensor a column. */
import type { InferTensor, Signature } from "../api/types";

function valueOf(text: string, datatype: string): number | string | boolean {
    if (datatype === "BYTES") return text;
    if (datatype === "BOOL") return text === "true";
    return Number(text);
}

/** Names of numeric inputs whose text is no number. */
export function badNumbers(signature: Signature, texts: Record<string, string>): string[] {
    return signature.inputs
        .filter((input) => input.datatype !== "BYTES" && input.datatype !== "BOOL")
        .filter((input) => (texts[input.name] ?? "").trim() === "" || Number.isNaN(Number(texts[input.name])))
        .map((input) => input.name);
}

export function tableInputs(signature: Signature, texts: Record<string, string>): InferTensor[] {
    return signature.inputs.map((input) => ({
        name: input.name,
        datatype: input.datatype,
        shape: [1],
        data: [valueOf(texts[input.name] ?? "", input.datatype)],
    }));
}
