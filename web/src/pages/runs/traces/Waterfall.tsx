/*
 * The spans of a trace as a tree beside a timeline. Only what is visible is in the document, so that thousands stay
 * quick. Keys: arrows walk the tree, right and left open and close, Home and End jump; what is walked to is shown.
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight, CircleAlert } from "lucide-react";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { TraceSpan } from "../../../api/types";
import { useI18n } from "../../../i18n/i18n";
import { clamp } from "../../../lib/clamp";
import { cx } from "../../../lib/cx";
import { formatNanoseconds } from "../../../lib/spanTime";
import { openRows, type SpanRow } from "../../../lib/spanTree";
import css from "./Trace.module.css";

const ROW_PX = 30;
const INDENT_PX = 14;
/* Deeper ones stand at this depth: the name must keep some room. */
const DEEPEST = 16;
const TICKS = [0, 0.5, 1];
const COLOURS: Record<string, string> = { LLM: css.llm!, CHAT_MODEL: css.llm!, AGENT: css.agent!, CHAIN: css.chain!, TOOL: css.tool!, RETRIEVER: css.retriever!, EMBEDDING: css.embedding!, RERANKER: css.retriever!, PARSER: css.parser! };

export interface TimeSpan {
    from: number;
    to: number;
}

interface WaterfallProps {
    rows: SpanRow<TraceSpan>[];
    extent: TimeSpan;
    chosen: string;
    onChoose: (span: string) => void;
}

export function Waterfall({ rows, extent, chosen, onChoose }: WaterfallProps) {
    const { t } = useI18n();
    const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
    const scroll = useRef<HTMLDivElement>(null);
    const shown = useMemo(() => openRows(rows, closed), [rows, closed]);
    const virtual = useVirtualizer({ count: shown.length, getScrollElement: () => scroll.current, estimateSize: () => ROW_PX, overscan: 12 });
    const here = shown.findIndex(({ span }) => span.span_id === chosen);
    /* Chosen elsewhere: by the link that led here, or by a judgement of the span. */
    useEffect(() => {
        if (here >= 0) virtual.scrollToIndex(here, { align: "auto" });
    }, [here, virtual]);

    const toggle = (id: string) => setClosed((old) => new Set(old.has(id) ? [...old].filter((other) => other !== id) : [...old, id]));
    const move = (index: number) => {
        const next = shown[clamp(index, 0, shown.length - 1)];
        if (next) onChoose(next.span.span_id);
    };
    const onKey = (event: KeyboardEvent) => {
        const row = shown[here];
        const isOpen = row !== undefined && row.children > 0 && !closed.has(row.span.span_id);
        const parent = row ? shown.slice(0, here).findLastIndex(({ depth }) => depth < row.depth) : -1;
        const actions: Record<string, () => void> = {
            ArrowDown: () => move(here + 1),
            ArrowUp: () => move(here - 1),
            Home: () => move(0),
            End: () => move(shown.length - 1),
            ArrowRight: () => (row && row.children > 0 && !isOpen ? toggle(row.span.span_id) : move(here + 1)),
            ArrowLeft: () => (isOpen ? toggle(row.span.span_id) : parent >= 0 && move(parent)),
        };
        const act = actions[event.key];
        if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        act();
    };
    return (
        <div className={css.waterfall}>
            <div className={cx(css.line, css.ticks)} aria-hidden>
                <span />
                <span className={css.axis}>
                    {TICKS.map((tick) => (
                        <span key={tick} style={{ left: `${tick * 100}%` }}>
                            {formatNanoseconds((extent.to - extent.from) * tick)}
                        </span>
                    ))}
                </span>
                <span />
            </div>
            <div ref={scroll} className={css.spans} role="tree" aria-label={t("trace.spans")} aria-activedescendant={here >= 0 ? `span-${here}` : undefined} tabIndex={0} onKeyDown={onKey}>
                <div className={css.rows} style={{ height: virtual.getTotalSize() }}>
                    {virtual.getVirtualItems().map(({ index, start }) => {
                        const row = shown[index]!;
                        return (
                            <Line
                                key={row.span.span_id}
                                row={row}
                                index={index}
                                top={start}
                                extent={extent}
                                chosen={index === here}
                                open={!closed.has(row.span.span_id)}
                                onChoose={onChoose}
                                onToggle={toggle}
                            />
                        );
                    })}
                </div>
            </div>
        </div>
    );
}

interface LineProps {
    row: SpanRow<TraceSpan>;
    index: number;
    top: number;
    extent: TimeSpan;
    chosen: boolean;
    open: boolean;
    onChoose: (span: string) => void;
    onToggle: (span: string) => void;
}

function Line({ row: { span, depth, children }, index, top, extent, chosen, open, onChoose, onToggle }: LineProps) {
    const whole = Math.max(1, extent.to - extent.from);
    const left = clamp((span.started_ns - extent.from) / whole, 0, 1);
    const width = clamp((span.ended_ns - span.started_ns) / whole, 0, 1 - left);
    const failed = span.status === "ERROR";
    const Caret = open ? ChevronDown : ChevronRight;
    return (
        <div
            id={`span-${index}`}
            role="treeitem"
            aria-level={depth + 1}
            aria-expanded={children > 0 ? open : undefined}
            aria-selected={chosen}
            className={cx(css.line, css.span, chosen && css.chosen)}
            style={{ transform: `translateY(${top}px)` }}
            onClick={() => onChoose(span.span_id)}
        >
            <span className={css.name} style={{ paddingLeft: Math.min(depth, DEEPEST) * INDENT_PX }}>
                <span
                    className={css.caret}
                    onClick={(event) => {
                        if (children === 0) return;
                        event.stopPropagation();
                        onToggle(span.span_id);
                    }}
                >
                    {children > 0 && <Caret size={13} aria-hidden />}
                </span>
                <span className={cx(css.dot, COLOURS[span.type])} aria-hidden />
                <span className="truncate" title={span.name}>{span.name}</span>
                {failed && <CircleAlert size={13} className={css.failed} aria-hidden />}
            </span>
            <span className={css.track} aria-hidden>
                <span className={cx(css.bar, COLOURS[span.type], failed && css.wrong)} style={{ left: `${left * 100}%`, width: `${width * 100}%` }} />
            </span>
            <span className={css.time}>{span.ended_ns > 0 && formatNanoseconds(span.ended_ns - span.started_ns)}</span>
        </div>
    );
}
