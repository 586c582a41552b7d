/*
 * Markdown as elements. The text is only parsed, never printed as HTML: every token becomes an element from
 * the table below, so HTML in it is shown as text, links go where lib/safeHref.ts lets them, and a picture is
 * a link to it (no request leaves the page unasked). A text that the parser cannot take is shown as it is.
 */
import { lexer, type MarkedToken, type Token, type Tokens } from "marked";
import { Fragment, useMemo, type ReactNode } from "react";
import { plainEntities } from "../lib/plainEntities";
import { safeHref } from "../lib/safeHref";
import css from "./Markdown.module.css";

type Of<T> = Extract<MarkedToken, { type: T }>;
type Table = { [T in MarkedToken["type"]]: (token: Of<T>) => ReactNode };

function inside(tokens: Token[] | undefined): ReactNode {
    return tokens?.map((token, index) => <Fragment key={index}>{element(token)}</Fragment>);
}

function link(href: string, content: ReactNode): ReactNode {
    const safe = safeHref(plainEntities(href));
    if (safe === null) return content;
    return safe.startsWith("/") || safe.startsWith("#") ? <a href={safe}>{content}</a> : <a href={safe} target="_blank" rel="noreferrer noopener">{content}</a>;
}

function row(cells: Tokens.TableCell[], Cell: "th" | "td"): ReactNode {
    return (
        <tr>
            {cells.map((cell, index) => (
                <Cell key={index} align={cell.align ?? undefined}>
                    {inside(cell.tokens)}
                </Cell>
            ))}
        </tr>
    );
}

const ELEMENTS: Table = {
    blockquote: ({ tokens }) => <blockquote>{inside(tokens)}</blockquote>,
    br: () => <br />,
    checkbox: ({ checked }) => <input type="checkbox" checked={checked} disabled readOnly />,
    code: ({ text }) => (
        <pre tabIndex={0}>
            <code>{text}</code>
        </pre>
    ),
    codespan: ({ text }) => <code>{text}</code>,
    def: () => null,
    del: ({ tokens }) => <del>{inside(tokens)}</del>,
    em: ({ tokens }) => <em>{inside(tokens)}</em>,
    escape: ({ text }) => plainEntities(text),
    heading: ({ depth, tokens }) => {
        /* Below the page's own headings. */
        const Heading = depth === 1 ? "h3" : depth === 2 ? "h4" : "h5";
        return <Heading>{inside(tokens)}</Heading>;
    },
    hr: () => <hr />,
    html: ({ text }) => text,
    image: ({ href, text }) => link(href, text || href),
    link: ({ href, tokens }) => link(href, inside(tokens)),
    list: ({ ordered, start, items }) => {
        const content = items.map((item, index) => <li key={index}>{inside(item.tokens)}</li>);
        return ordered ? <ol start={start === "" ? undefined : start}>{content}</ol> : <ul>{content}</ul>;
    },
    list_item: ({ tokens }) => inside(tokens),
    paragraph: ({ tokens }) => <p>{inside(tokens)}</p>,
    space: () => null,
    strong: ({ tokens }) => <strong>{inside(tokens)}</strong>,
    table: ({ header, rows }) => (
        <div className={css.table} tabIndex={0}>
            <table>
                <thead>{row(header, "th")}</thead>
                <tbody>
                    {rows.map((cells, index) => (
                        <Fragment key={index}>{row(cells, "td")}</Fragment>
                    ))}
                </tbody>
            </table>
        </div>
    ),
    text: (token) => ("tokens" in token && token.tokens ? inside(token.tokens) : plainEntities(token.text)),
};

function element(token: Token): ReactNode {
    const make = ELEMENTS[token.type as keyof Table] as ((known: Token) => ReactNode) | undefined;
    return make ? make(token) : token.raw;
}

export default function MarkdownBody({ text }: { text: string }) {
    return useMemo(() => {
        try {
            return inside(lexer(text));
        } catch {
            return <p className={css.plain}>{text}</p>;
        }
    }, [text]);
}
