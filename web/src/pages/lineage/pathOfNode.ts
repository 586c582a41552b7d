/* Where a node's own page is. A model version's address needs its model; without it there is no page yet. */
import type { LineageNode } from "../../api/types";

export interface NodePath {
    to: string;
    params: Record<string, string>;
    search: Record<string, string>;
}

export function pathOfNode(node: LineageNode, project: string, model: string | null): NodePath | null {
    if (node.kind === "run") return { to: "/projects/$project/runs/$run", params: { project, run: node.ref_id }, search: {} };
    if (node.kind === "job") return { to: "/projects/$project/jobs/$job", params: { project, job: node.ref_id }, search: {} };
    if (node.kind === "model_version" && model) {
        return { to: "/projects/$project/models/$model/versions/$version", params: { project, model, version: node.ref_id }, search: {} };
    }
    return null;
}
