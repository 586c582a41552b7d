/* The surfaces a page is made of: the page with its title row, cards, and strips of facts. */
import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { Fragment, useEffect, type ReactNode } from "react";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { Answer } from "./Status";
import css from "./Surface.module.css";

export interface Crumb {
    label: string;
    to: string;
    search?: Record<string, string>;
}

interface PageProps {
    title: string;
    crumbs?: Crumb[];
    lead?: ReactNode;
    badge?: ReactNode;
    actions?: ReactNode;
    children: ReactNode;
}

export function Page({ title, crumbs, lead, badge, actions, children }: PageProps) {
    const { t } = useI18n();
    useEffect(() => {
        document.title = `${title} · ${t("app.name")}`;
    }, [title, t]);
    return (
        <div className={css.page}>
            {crumbs && crumbs.length > 0 && (
                <nav className={css.crumbs} aria-label={t("shell.breadcrumbs")}>
                    {crumbs.map((crumb, index) => (
                        <Fragment key={crumb.to + index}>
                            {index > 0 && <ChevronRight size={13} aria-hidden />}
                            <Link to={crumb.to} search={crumb.search ?? {}}>
                                {crumb.label}
                            </Link>
                        </Fragment>
                    ))}
                </nav>
            )}
            <header className={css.titleRow}>
                <div>
                    <div className={css.title}>
                        <h1>{title}</h1>
                        {badge}
                    </div>
                    {lead && <div className={css.lead}>{lead}</div>}
                </div>
                {actions && <div className={css.actions}>{actions}</div>}
            </header>
            {children}
        </div>
    );
}

interface PageAnswerProps<T> {
    query: UseQueryResult<T, Error>;
    /** What kind of thing it is, until its name is known. */
    title: string;
    crumbs: Crumb[];
    children: (data: T) => ReactNode;
}

/** A page about one object: while that loads, or if it cannot be had, the page already says where one is. */
export function PageAnswer<T>({ query, title, crumbs, children }: PageAnswerProps<T>) {
    if (query.data !== undefined) return <>{children(query.data)}</>;
    return (
        <Page title={title} crumbs={crumbs}>
            <Answer query={query} lines={10}>
                {children}
            </Answer>
        </Page>
    );
}

/** The page's place and margins alone: before its code has come, or when it broke. */
export function PageFrame({ children }: { children: ReactNode }) {
    return <div className={css.page}>{children}</div>;
}

interface CardProps {
    title?: ReactNode;
    actions?: ReactNode;
    flush?: boolean;
    children: ReactNode;
}

export function Card({ title, actions, flush, children }: CardProps) {
    return (
        <section className={css.card}>
            {title && (
                <div className={css.head}>
                    <h2>{title}</h2>
                    {actions && <div className="row">{actions}</div>}
                </div>
            )}
            <div className={cx(css.body, flush && css.flush)}>{children}</div>
        </section>
    );
}

/** Label and value pairs; pairs without a value are left out. */
export function Facts({ items }: { items: [string, ReactNode][] }) {
    return (
        <dl className={css.facts}>
            {items
                .filter(([, value]) => value !== null && value !== undefined && value !== "")
                .map(([label, value]) => (
                    <div key={label}>
                        <dt>{label}</dt>
                        <dd>{value}</dd>
                    </div>
                ))}
        </dl>
    );
}
