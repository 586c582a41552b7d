/* Reads an Open Inference Protocol reply as ranked classes, or as one value for a regression. */
import type { InferReply } from "../api/types";

export interface RankedClass {
    label: string;
    probability: number;
}

export interface Answer {
    label: string | null;
    value: number | null;
    ranked: RankedClass[];
}

export function readAnswer(reply: InferReply, classes: string[] | null): Answer {
    const find = (name: string) => reply.outputs.find((output) => output.name === name);
    const probabilities = (find("probabilities")?.data ?? []).map(Number);
    const ranked = probabilities
        .map((probability, index) => ({ label: classes?.[index] ?? String(index), probability }))
        .sort((a, b) => b.probability - a.probability);
    const label = find("label")?.data[0];
    const value = find("value")?.data[0];
    return {
        label: label !== undefined ? String(label) : (ranked[0]?.label ?? null),
        value: value !== undefined ? Number(value) : null,
        ranked,
    };
}
