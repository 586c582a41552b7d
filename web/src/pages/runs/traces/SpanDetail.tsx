/* What the chosen span was given, gave back, and says of itself. Whatever it is, it is shown as text. */
import { useQuery } from "@tanstack/react-query";
import { spanQuery } from "../../../api/traces";
import type { TraceSpan } from "../../../api/types";
import { CodeBlock } from "../../../components/CodeBlock";
import { Answer, Badge, StatePill } from "../../../components/Status";
import { Card } from "../../../components/Surface";
import { useI18n } from "../../../i18n/i18n";
import { cx } from "../../../lib/cx";
import { spanContent, type SpanContent } from "../../../lib/spanBody";
import { formatNanoseconds } from "../../../lib/spanTime";
import css from "./Trace.module.css";

/* More than this nobody reads, and the browser would be busy with it. */
const MOST_SHOWN = 200_000;
/* Longer ones get the whole width. */
const LONG = 60;
const STATUS: Record<string, string> = { OK: "succeeded", ERROR: "failed" };

export function SpanDetail({ span, startedNs }: { span: TraceSpan; startedNs: number }) {
    const { t } = useI18n();
    const state = STATUS[span.status];
    return (
        <Card title={<span className="row wrap"><span className="truncate" title={span.name}>{span.name}</span><Badge>{span.type}</Badge>{state && <StatePill state={state} />}</span>}>
            <div className={css.detail}>
                <p className="muted small num">
                    {t("trace.span.when", { start: formatNanoseconds(span.started_ns - startedNs), duration: span.ended_ns > 0 ? formatNanoseconds(span.ended_ns - span.started_ns) : "–" })} <span className="mono faint">{span.span_id}</span>
                </p>
                {span.body === null ? <Later span={span} /> : <Body span={span} />}
            </div>
        </Card>
    );
}

/* Of a large trace only the chosen span is fetched. */
function Later({ span }: { span: TraceSpan }) {
    const { t } = useI18n();
    const query = useQuery(spanQuery(span.trace, span.span_id));
    return <Answer query={query}>{(whole) => (whole.body === null ? <p className="muted">{t("trace.span.large")}</p> : <Body span={whole} />)}</Answer>;
}

function Body({ span }: { span: TraceSpan }) {
    const { t } = useI18n();
    const content = spanContent(span.body);
    return (
        <>
            {content.message !== "" && <p className={css.error}>{content.message}</p>}
            <Text title={t("trace.inputs")} text={content.inputs} />
            <Text title={t("trace.outputs")} text={content.outputs} />
            {content.attributes.length > 0 && (
                <section className={css.section}>
                    <h3>{t("trace.attributes")}</h3>
                    <Pairs pairs={content.attributes} />
                </section>
            )}
            <Events events={content.events} startedNs={span.started_ns} />
        </>
    );
}

function Text({ title, text }: { title: string; text: string | null }) {
    const { t, count } = useI18n();
    if (text === null) return null;
    return (
        <section className={css.section}>
            <h3>{title}</h3>
            <CodeBlock wrap label={title} text={text.slice(0, MOST_SHOWN)} />
            {text.length > MOST_SHOWN && <p className="muted small">{t("trace.cut", { n: count(MOST_SHOWN) })}</p>}
        </section>
    );
}

export function Pairs({ pairs }: { pairs: [string, string][] }) {
    return (
        <dl className={css.pairs}>
            {pairs.map(([name, value], index) => (
                <Pair key={`${index} ${name}`} name={name} value={value} />
            ))}
        </dl>
    );
}

function Pair({ name, value }: { name: string; value: string }) {
    return (
        <>
            <dt>{name}</dt>
            <dd className={cx("mono", (value.length > LONG || value.includes("\n")) && css.long)}>{value.slice(0, MOST_SHOWN)}</dd>
        </>
    );
}

function Events({ events, startedNs }: { events: SpanContent["events"]; startedNs: number }) {
    const { t } = useI18n();
    if (events.length === 0) return null;
    return (
        <section className={css.section}>
            <h3>{t("trace.events")}</h3>
            {events.map((event, index) => (
                <div key={index} className={css.section}>
                    <span className="row">
                        <strong className="truncate">{event.name}</strong>
                        <span className="faint small num">{t("trace.event.at", { time: formatNanoseconds(event.at_ns - startedNs) })}</span>
                    </span>
                    <Pairs pairs={event.attributes} />
                </div>
            ))}
        </section>
    );
}
