/* Log lines as a tail: stays at the end while the reader is there, stops following when they scroll up. */
import { useEffect, useRef, useState, type ReactNode } from "react";
import type { LogLine } from "../api/types";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { Button } from "./Button";
import { Checkbox, SearchBox } from "./Field";
import css from "./LogView.module.css";
import { EmptyState } from "./Status";
import { Card } from "./Surface";
import { ScrollText } from "lucide-react";

interface LogViewProps {
    lines: LogLine[];
    search: string;
    onSearch: (text: string) => void;
    hasMore: boolean;
    onMore: () => void;
}

const NEAR_END_PX = 24;

function marked(message: string, search: string): ReactNode {
    if (search === "") return message;
    const at = message.toLowerCase().indexOf(search.toLowerCase());
    if (at < 0) return message;
    return (
        <>
            {message.slice(0, at)}
            <mark>{message.slice(at, at + search.length)}</mark>
            {message.slice(at + search.length)}
        </>
    );
}

export function LogView({ lines, search, onSearch, hasMore, onMore }: LogViewProps) {
    const { t, tn, clock } = useI18n();
    const box = useRef<HTMLDivElement>(null);
    const [follow, setFollow] = useState(true);
    const found = search === "" ? lines : lines.filter((line) => line.message.toLowerCase().includes(search.toLowerCase()));
    useEffect(() => {
        if (hasMore && follow) onMore();
    }, [hasMore, follow, onMore, lines.length]);
    useEffect(() => {
        if (follow && box.current) box.current.scrollTop = box.current.scrollHeight;
    }, [follow, found.length]);
    return (
        <Card flush>
            <div className={css.bar}>
                <SearchBox label={t("logs.search")} value={search} onSearch={onSearch} />
                <span className="muted small">{tn("logs.lines", found.length)}</span>
                <span className="grow" />
                {hasMore && !follow && (
                    <Button small onClick={onMore}>
                        {t("logs.more")}
                    </Button>
                )}
                <Checkbox label={t("logs.follow")} checked={follow} onChange={(event) => setFollow(event.target.checked)} />
            </div>
            {found.length === 0 ? (
                <EmptyState icon={ScrollText} title={t(search === "" ? "logs.empty.title" : "logs.none.title")} body={t(search === "" ? "logs.empty.body" : "logs.none.body")} />
            ) : (
                <div
                    ref={box}
                    className={css.log}
                    role="log"
                    tabIndex={0}
                    aria-label={t("logs.title")}
                    onWheel={(event) => {
                        const element = event.currentTarget;
                        const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
                        if (event.deltaY < 0 && fromEnd > NEAR_END_PX) setFollow(false);
                    }}
                >
                    {found.map((line) => (
                        <div key={line.seq} className={cx(css.line, css[line.level])}>
                            <time dateTime={line.at}>{clock(line.at)}</time>
                            <span>{marked(line.message, search)}</span>
                        </div>
                    ))}
                </div>
            )}
        </Card>
    );
}
