/* The surfaces a page is made of: the page with its title row, cards, and strips of facts. */
import { Link } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { Fragment, useEffect, type ReactNode } from "react";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
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
            {crumbs && (
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
