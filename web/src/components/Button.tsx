/* Buttons, and links that look like them. A busy button keeps its width and cannot be pressed twice. */
import { Link, type LinkProps } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { cx } from "../lib/cx";
import css from "./Button.module.css";

interface Look {
    variant?: "primary" | "secondary" | "ghost" | "danger";
    small?: boolean;
    icon?: LucideIcon;
    children?: ReactNode;
}

interface ButtonProps extends Look, Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> {
    busy?: boolean;
    ref?: Ref<HTMLButtonElement>;
}

function lookClass({ variant = "secondary", small, children }: Look): string {
    return cx(css.button, css[variant], small && css.small, !children && css.square);
}

export function Button({ variant, small, icon: Icon, children, busy, className, ...rest }: ButtonProps) {
    return (
        <button
            type="button"
            className={cx(lookClass({ variant, small, children }), className)}
            aria-busy={busy || undefined}
            {...rest}
            disabled={rest.disabled || busy}
        >
            {busy ? <span className={css.spinner} aria-hidden /> : Icon && <Icon size={small ? 13 : 15} aria-hidden />}
            {children}
        </button>
    );
}

export function ButtonLink({ variant, small, icon: Icon, children, ...link }: Look & LinkProps & { className?: string }) {
    return (
        <Link {...link} className={lookClass({ variant, small, children })}>
            {Icon && <Icon size={small ? 13 : 15} aria-hidden />}
            {children}
        </Link>
    );
}

/** A real link to a page that is not this application's: the browser goes there. */
export function PlainLink({ href, small, icon: Icon, variant, children }: Look & { href: string }) {
    return (
        <a href={href} className={lookClass({ variant, small, children })}>
            {Icon && <Icon size={small ? 13 : 15} aria-hidden />}
            {children}
        </a>
    );
}

/** A real link to a file of the server: the browser downloads it. */
export function DownloadLink({ href, name, small, icon: Icon, variant, children }: Look & { href: string; name: string }) {
    return (
        <a href={href} download={name} className={lookClass({ variant, small, children })}>
            {Icon && <Icon size={small ? 13 : 15} aria-hidden />}
            {children}
        </a>
    );
}
