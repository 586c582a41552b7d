/* Where a node's own page is. Versions live under their dataset or model, which is asked for first. */
import type { QueryClient } from "@tanstack/react-query";
import { datasetVersionQuery } from "../../api/datasets";
import { modelVersionQuery } from "../../api/models";
import type { LineageNode } from "../../api/types";

export interface NodePath {
    to: string;
    params: Record<string, string>;
    search: Record<string, string>;
}

/** Null for nodes without a page of their own. */
export async function pathOfNode(node: LineageNode, project: string, cache: QueryClient): Promise<NodePath | null> {
    if (node.kind === "run") return { to: "/projects/$project/runs/$run", params: { project, run: node.ref_id }, search: {} };
    if (node.kind === "job") return { to: "/projects/$project/jobs/$job", params: { project, job: node.ref_id }, search: {} };
    if (node.kind === "dataset_version") {
        const version = await cache.fetchQuery(datasetVersionQuery(node.ref_id));
        const search = { version: String(version.version) };
        return { to: "/projects/$project/datasets/$dataset", params: { project, dataset: version.dataset_id }, search };
    }
    if (node.kind === "model_version") {
        const version = await cache.fetchQuery(modelVersionQuery(node.ref_id));
        const params = { project, model: version.model_id, version: version.id };
        return { to: "/projects/$project/models/$model/versions/$version", params, search: {} };
    }
    return null;
}
