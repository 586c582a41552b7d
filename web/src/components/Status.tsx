/* How things stand: state pills, freshness, progress, and the four states of whatever was asked for. */
import type { UseQueryResult } from "@tanstack/react-query";
import { CircleAlert, RotateCcw, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../lib/apiError";
import type { Freshness } from "../api/events";
import type { JobError } from "../api/types";
import { useI18n, type I18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { formatDuration } from "../lib/format";
import { Button } from "./Button";
import css from "./Status.module.css";

const TONE: Record<string, "ok" | "bad" | "warn" | "busy" | "idle"> = {
    succeeded: "ok",
    ready: "ok",
    online: "ok",
    active: "ok",
    accepted: "ok",
    complete: "ok",
    delivered: "ok",
    running: "busy",
    importing: "busy",
    starting: "busy",
    receiving: "busy",
    pending: "busy",
    waiting: "busy",
    cancelling: "warn",
    lost_contact: "warn",
    expired: "warn",
    failed: "bad",
    offline: "bad",
};

export function StatePill({ state }: { state: string }) {
    const { label } = useI18n();
    return (
        <span className={cx(css.pill, css[TONE[state] ?? "idle"])} data-state={state}>
            <span className={css.dot} aria-hidden />
            {label("state", state)}
        </span>
    );
}

export function Badge({ children }: { children: ReactNode }) {
    return <span className={css.badge}>{children}</span>;
}

export function FreshDot({ freshness }: { freshness: Freshness }) {
    const { t } = useI18n();
    if (freshness === "off") return null;
    return (
        <span
            role="status"
            className={cx(css.fresh, freshness === "live" && css.live, freshness === "polling" && css.poll)}
            title={t(`fresh.${freshness}.hint`)}
        >
            <span className={css.dot} aria-hidden />
            {t(`fresh.${freshness}`)}
        </span>
    );
}

interface ProgressProps {
    value: number;
    message?: string;
    etaSeconds?: number | null;
    label: string;
}

export function Progress({ value, message, etaSeconds, label }: ProgressProps) {
    const { t, percent } = useI18n();
    return (
        <div>
            <div className={css.progressText}>
                <span className="truncate">{message}</span>
                <span className="muted">
                    {percent(value, 0)}
                    {etaSeconds !== null && etaSeconds !== undefined
                        && ` · ${t("progress.eta", { time: formatDuration(etaSeconds) })}`}
                </span>
            </div>
            <Bar value={value} label={label} />
        </div>
    );
}

export function Bar({ value, label }: { value: number; label: string }) {
    const percent = Math.round(value * 100);
    return (
        <div
            className={css.track}
            role="progressbar"
            aria-label={label}
            aria-valuenow={percent}
            aria-valuemin={0}
            aria-valuemax={100}
        >
            <div className={css.fill} style={{ width: `${percent}%` }} />
        </div>
    );
}

export function EmptyState({ icon: Icon, title, body, children }: { icon: LucideIcon; title: string; body: string; children?: ReactNode }) {
    return (
        <div className={css.state}>
            <span className={css.stateIcon}>
                <Icon size={20} aria-hidden />
            </span>
            <h2>{title}</h2>
            <p>{body}</p>
            {children && <div className="row wrap">{children}</div>}
        </div>
    );
}

/* Proxies answer in pages of their own: what is left of those is the status. */
export function reasonOf(error: unknown, t: I18n["t"]): string {
    if (!(error instanceof ApiError)) return t(error instanceof TypeError && /import|fetch/.test(error.message) ? "error.network" : "error.page");
    if (error.code === "NETWORK") return t("error.network");
    return error.message === "" ? t("error.status", { status: error.status }) : error.message;
}

/** What went wrong, in the server's own words, with the request id to quote. */
export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
    const { t } = useI18n();
    const known = error instanceof ApiError ? error : null;
    return (
        <div className={css.failed} role="alert">
            <CircleAlert size={17} aria-hidden />
            <div className="grow">
                <strong>{t(known?.status === 404 ? "error.not_found" : known?.status === 403 ? "error.forbidden" : "error.title")}</strong>
                <p>{reasonOf(error, t)}</p>
                <div className={css.where}>
                    {known?.field && <span>{t("error.field", { field: known.field })}</span>}
                    {known?.requestId && <span className="mono">{t("error.request", { id: known.requestId })}</span>}
                </div>
            </div>
            {onRetry && (
                <Button small icon={RotateCcw} onClick={onRetry}>
                    {t("action.retry")}
                </Button>
            )}
        </div>
    );
}

/** Why a job failed: the runner's sentence, and the file and the place in it. */
export function JobFailure({ error, children }: { error: JobError; children?: ReactNode }) {
    const { t, label } = useI18n();
    return (
        <div className={css.failed} role="alert">
            <CircleAlert size={17} aria-hidden />
            <div className="grow">
                <strong>{label("job_error", error.code)}</strong>
                <p>{error.message}</p>
                <div className={css.where}>
                    {error.file && <span>{t("error.file", { file: error.file })}</span>}
                    {error.place && <span>{t("error.place", { place: error.place })}</span>}
                    {error.field && <span>{t("error.field", { field: error.field })}</span>}
                </div>
            </div>
            {children}
        </div>
    );
}

export function Skeleton({ lines = 6 }: { lines?: number }) {
    const { t } = useI18n();
    const widths = ["62%", "88%", "74%", "94%", "55%", "81%"];
    return (
        <div className={css.skeleton} role="status" aria-label={t("state.loading")}>
            {Array.from({ length: lines }, (_unused, index) => (
                <div key={index} className={css.bone} style={{ width: widths[index % widths.length] }} />
            ))}
        </div>
    );
}

interface AnswerProps<T> {
    query: UseQueryResult<T, Error>;
    lines?: number;
    children: (data: T) => ReactNode;
}

/* What is shown came earlier: asking again, or for the rest of a list, failed. */
function Outdated({ query }: { query: UseQueryResult<unknown, Error> }) {
    const { t } = useI18n();
    const more = "isFetchNextPageError" in query && query.isFetchNextPageError === true;
    return (
        <div className={css.outdated} role="status">
            <CircleAlert size={14} aria-hidden />
            <span className="grow">
                <strong>{t(more ? "error.more" : "error.outdated")}</strong> {reasonOf(query.error, t)}
            </span>
            <Button small icon={RotateCcw} busy={query.isFetching} onClick={() => void query.refetch()}>
                {t("action.retry")}
            </Button>
        </div>
    );
}

/** Loading, failed or full; the child decides what empty looks like. */
export function Answer<T>({ query, lines, children }: AnswerProps<T>) {
    if (query.data !== undefined) {
        return (
            <>
                {query.isError && <Outdated query={query} />}
                {children(query.data)}
            </>
        );
    }
    if (query.isError) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
    return <Skeleton {...(lines ? { lines } : {})} />;
}
