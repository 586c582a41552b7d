/* Small static charts made of boxes: bars with names, a split bar, a histogram. */
import type { Histogram as Bins } from "../api/types";
import { cx } from "../lib/cx";
import { formatMetric } from "../lib/format";
import css from "./Bars.module.css";

export interface NamedBar {
    name: string;
    value: number;
    text: string;
}

export function Bars({ items, top, label }: { items: NamedBar[]; top?: number; label: string }) {
    const most = top ?? Math.max(...items.map((item) => item.value), 1e-12);
    return (
        <div className={css.bars} role="list" aria-label={label}>
            {items.map((item, index) => (
                <div key={item.name} role="listitem" style={{ display: "contents" }}>
                    <span className={cx("truncate", css.name)} title={item.name}>
                        {item.name}
                    </span>
                    <span className={cx(css.track, top !== undefined && index === 0 && css.strong)}>
                        <span
                            className={css.fill}
                            style={{ display: "block", width: `${(item.value / most) * 100}%` }}
                        />
                    </span>
                    <span className={css.value}>{item.text}</span>
                </div>
            ))}
        </div>
    );
}

export function SplitBar({ parts }: { parts: NamedBar[] }) {
    const colours = ["var(--series-1)", "var(--series-3)", "var(--series-2)"];
    return (
        <div>
            <div className={css.split} aria-hidden>
                {parts
                    .filter((part) => part.value > 0)
                    .map((part) => (
                        <div
                            key={part.name}
                            className={css.part}
                            style={{ flexGrow: part.value, background: colours[parts.indexOf(part) % 3] }}
                        />
                    ))}
            </div>
            <div className={css.legend}>
                {parts.map((part, index) => (
                    <span key={part.name}>
                        <i className={css.swatch} style={{ background: colours[index % 3] }} aria-hidden />
                        {part.name} <span className="muted num">{part.text}</span>
                    </span>
                ))}
            </div>
        </div>
    );
}

export function Histogram({ bins, label }: { bins: Bins; label: string }) {
    const most = Math.max(...bins.counts, 1);
    const width = 100 / bins.counts.length;
    return (
        <figure>
            <svg className={css.histogram} viewBox="0 0 100 64" preserveAspectRatio="none" role="img" aria-label={label}>
                {bins.counts.map((count, index) => {
                    const height = count === 0 ? 0 : Math.max(1.5, (count / most) * 64);
                    return (
                        <rect key={index} x={index * width + width * 0.06} y={64 - height} width={width * 0.88} height={height}>
                            <title>
                                {`${formatMetric(bins.edges[index])} – ${formatMetric(bins.edges[index + 1])}: ${count}`}
                            </title>
                        </rect>
                    );
                })}
            </svg>
            <figcaption className={css.ends}>
                <span>{formatMetric(bins.edges[0])}</span>
                <span>{formatMetric(bins.edges.at(-1))}</span>
            </figcaption>
        </figure>
    );
}
