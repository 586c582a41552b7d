/* What people wrote, as the browser gets it: no element and no address that could do anything. */
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import MarkdownBody from "./MarkdownBody";

const html = (text: string) => renderToStaticMarkup(createElement(MarkdownBody, { text }));

test("what Markdown says becomes elements", () => {
    expect(html("# A\n\n**b** _c_ `d` ~~e~~\n\n1. f\n2. g")).toBe("<h3>A</h3><p><strong>b</strong> <em>c</em> <code>d</code> <del>e</del></p><ol start=\"1\"><li>f</li><li>g</li></ol>");
});

test("a link of the web leaves without telling where from", () => {
    expect(html("[a](https://example.org/)")).toBe('<p><a href="https://example.org/" target="_blank" rel="noreferrer noopener">a</a></p>');
});

test.each([
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<svg onload=alert(1)>", "<a href=javascript:alert(1)>x</a>", "[x](javascript:alert(1))", "[x](JAVASCRIPT&colon;alert(1))", "[x](&#106;avascript:alert(1))",
    "![x](javascript:alert(1))", "![x](https://example.org/track.png)", "<https://example.org/\"onmouseover=alert(1)>", "[x]: javascript:alert(1)\n\n[x]", "`<img src=x onerror=alert(1)>`", "```html\n<script>alert(1)</script>\n```", "| <img src=x onerror=alert(1)> |\n| --- |\n| [x](data:text/html,x) |",
])("%j does nothing", (text) => {
    const out = html(text);
    expect(out).not.toMatch(/<(img|script|svg|iframe|object|style)\b/i);
    expect(out).not.toMatch(/href="(?!https:\/\/example\.org\/)/i);
    expect(out).not.toMatch(/<[^>]+\son\w+=/i);
});

test("a text that would exhaust the parser is shown as it is", () => {
    const deep = "> ".repeat(20_000) + "x";
    expect(html(deep)).toContain("x");
});
