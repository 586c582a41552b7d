/** The address of a link somebody wrote, if following it can do no harm: web, mail, or a place on this site; else null. */
export function safeHref(href: string): string | null {
    if (/^[/#](?![/\\])/.test(href)) return href;
    try {
        const url = new URL(href);
        return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
    } catch {
        return null;
    }
}
