/*
 * Places a lineage graph in layers from left (sources) to right (results) and answers which node an arrow
 * key leads to. The layout itself is dagre's.
 */
import { Graph, layout } from "@dagrejs/dagre";

export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 52;

export interface PlacedNode {
    id: string;
    x: number;
    y: number;
}

export interface PlacedEdge {
    from: string;
    to: string;
    points: { x: number; y: number }[];
}

export interface PlacedGraph {
    width: number;
    height: number;
    nodes: PlacedNode[];
    edges: PlacedEdge[];
}

export function placeGraph(nodes: string[], edges: { from: string; to: string }[]): PlacedGraph {
    const graph = new Graph({ multigraph: true });
    graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 68, marginx: 24, marginy: 24 });
    graph.setDefaultEdgeLabel(() => ({}));
    const known = new Set(nodes);
    for (const id of nodes) graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT });
    const drawn = edges.filter((edge) => known.has(edge.from) && known.has(edge.to));
    drawn.forEach((edge, index) => graph.setEdge(edge.from, edge.to, {}, String(index)));
    layout(graph);
    const size = graph.graph() as { width?: number; height?: number };
    return {
        width: size.width ?? 0,
        height: size.height ?? 0,
        nodes: nodes.map((id) => {
            const { x, y } = graph.node(id) as { x: number; y: number };
            return { id, x, y };
        }),
        edges: drawn.map((edge, index) => {
            const from = graph.node(edge.from) as { x: number; y: number };
            const to = graph.node(edge.to) as { x: number; y: number };
            const { points } = graph.edge(edge.from, edge.to, String(index)) as { points: PlacedEdge["points"] };
            const ends = [
                { x: from.x + NODE_WIDTH / 2, y: from.y },
                { x: to.x - NODE_WIDTH / 2, y: to.y },
            ] as const;
            return { from: edge.from, to: edge.to, points: [ends[0], ...points.slice(2, -2), ends[1]] };
        }),
    };
}

export type Arrow = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

function nearest(from: PlacedNode, candidates: PlacedNode[]): string | null {
    const ranked = candidates
        .map((node) => ({ id: node.id, distance: Math.hypot(node.x - from.x, node.y - from.y) }))
        .sort((a, b) => a.distance - b.distance);
    return ranked[0]?.id ?? null;
}

/** Left and right follow edges; up and down walk the layer. Null when there is nothing that way. */
export function neighbour(graph: PlacedGraph, id: string, arrow: Arrow): string | null {
    const from = graph.nodes.find((node) => node.id === id);
    if (!from) return null;
    if (arrow === "ArrowUp" || arrow === "ArrowDown") {
        const sign = arrow === "ArrowUp" ? -1 : 1;
        const layer = graph.nodes.filter((node) => node.x === from.x && (node.y - from.y) * sign > 0);
        return nearest(from, layer);
    }
    const joined = new Set(
        arrow === "ArrowRight"
            ? graph.edges.filter((edge) => edge.from === id).map((edge) => edge.to)
            : graph.edges.filter((edge) => edge.to === id).map((edge) => edge.from),
    );
    return nearest(from, graph.nodes.filter((node) => joined.has(node.id)));
}
