/* Draws the graph and walks it: arrows move along edges and within a layer, Enter opens. */
import { useEffect, useMemo, useRef, type KeyboardEvent } from "react";
import type { LineageGraph, LineageNode } from "../../api/types";
import { useI18n } from "../../i18n/i18n";
import { cx } from "../../lib/cx";
import { neighbour, NODE_HEIGHT, NODE_WIDTH, placeGraph, type Arrow } from "../../lib/layeredGraph";
import css from "./Lineage.module.css";

const NAME_CHARS = 24;

interface ViewProps {
    graph: LineageGraph;
    selected: string;
    onSelect: (node: LineageNode) => void;
    onOpen: (node: LineageNode) => void;
}

function shorten(name: string): string {
    if (name.length <= NAME_CHARS) return name;
    const half = Math.floor((NAME_CHARS - 1) / 2);
    return `${name.slice(0, half)}…${name.slice(-half)}`;
}

function edgePath(points: { x: number; y: number }[]): string {
    const first = points[0]!;
    const pieces = points.slice(1).map((to, index) => {
        const from = points[index]!;
        const bend = (to.x - from.x) / 2;
        return `C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
    });
    return `M${first.x} ${first.y} ${pieces.join(" ")}`;
}

export function LineageGraphView({ graph, selected, onSelect, onOpen }: ViewProps) {
    const { t, label } = useI18n();
    const frame = useRef<HTMLDivElement>(null);
    const placed = useMemo(() => placeGraph(graph.nodes.map((node) => node.id), graph.edges), [graph]);
    const byId = useMemo(() => new Map(graph.nodes.map((node) => [node.id, node])), [graph]);
    useEffect(() => {
        frame.current?.querySelector(`[data-node="${CSS.escape(graph.root)}"]`)?.scrollIntoView({ block: "nearest", inline: "center" });
    }, [graph.root, placed]);

    const focusNode = (id: string | null) => {
        if (id === null) return;
        const element = frame.current?.querySelector<SVGGElement>(`[data-node="${CSS.escape(id)}"]`);
        element?.focus();
        element?.scrollIntoView({ block: "nearest", inline: "nearest" });
    };
    const onKey = (event: KeyboardEvent, node: LineageNode) => {
        if (event.key.startsWith("Arrow")) focusNode(neighbour(placed, node.id, event.key as Arrow));
        else if (event.key === "Enter") onOpen(node);
        else return;
        event.preventDefault();
    };

    return (
        <div ref={frame} className={css.frame}>
            <svg width={placed.width} height={placed.height} role="group" aria-label={t("lineage.graph", { n: graph.nodes.length })}>
                <defs>
                    <marker id="lineage-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto">
                        <path d="M0 0 8 4 0 8Z" fill="var(--border-control)" />
                    </marker>
                </defs>
                {placed.edges.map((edge, index) => (
                    <path
                        key={index}
                        d={edgePath(edge.points)}
                        markerEnd="url(#lineage-arrow)"
                        className={cx(css.edge, (edge.from === selected || edge.to === selected) && css.lit)}
                    />
                ))}
                {placed.nodes.map(({ id, x, y }) => {
                    const node = byId.get(id)!;
                    const kind = label("node", node.kind);
                    const detail = node.state ? `${kind} · ${label("state", node.state)}` : kind;
                    return (
                        <g
                            key={id}
                            className={cx(css.node, id === graph.root && css.root)}
                            transform={`translate(${x - NODE_WIDTH / 2} ${y - NODE_HEIGHT / 2})`}
                            role="link"
                            tabIndex={id === selected ? 0 : -1}
                            aria-label={`${node.name}, ${detail}`}
                            data-node={id}
                            data-kind={node.kind}
                            onFocus={() => onSelect(node)}
                            onClick={() => onSelect(node)}
                            onDoubleClick={() => onOpen(node)}
                            onKeyDown={(event) => onKey(event, node)}
                        >
                            <title>{node.name}</title>
                            <rect className={css.box} width={NODE_WIDTH} height={NODE_HEIGHT} rx="9" />
                            <rect className={css.stripe} x="8" y="13" width="3" height={NODE_HEIGHT - 26} rx="1.5" />
                            <text className={css.name} x="20" y="23">
                                {shorten(node.name)}
                            </text>
                            <text className={css.kind} x="20" y="39">
                                {detail}
                            </text>
                        </g>
                    );
                })}
            </svg>
        </div>
    );
}
