/* Markdown that people wrote. The parser is loaded with the first text that needs it; until then the text is shown as it is. */
import { lazy, Suspense } from "react";
import css from "./Markdown.module.css";

const Body = lazy(() => import("./MarkdownBody"));

export function Markdown({ text }: { text: string }) {
    return (
        <div className={css.text}>
            <Suspense fallback={<p className={css.plain}>{text}</p>}>
                <Body text={text} />
            </Suspense>
        </div>
    );
}
