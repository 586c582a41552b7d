/* Text to copy: code, tokens, JSON. */
import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { useI18n } from "../i18n/i18n";
import { cx } from "../lib/cx";
import { Button } from "./Button";
import css from "./CodeBlock.module.css";

const SHOWN_MS = 1500;

export function CopyButton({ text }: { text: string }) {
    const { t } = useI18n();
    const [copied, setCopied] = useState(false);
    const copy = async () => {
        await navigator.clipboard.writeText(text);
        setCopied(true);
        setTimeout(() => setCopied(false), SHOWN_MS);
    };
    return (
        <Button
            variant="ghost"
            small
            icon={copied ? Check : Copy}
            aria-label={copied ? t("action.copied") : t("action.copy")}
            title={t("action.copy")}
            onClick={() => void copy()}
        />
    );
}

export function CodeBlock({ text, label, wrap }: { text: string; label: string; wrap?: boolean }) {
    return (
        <div className={cx(css.block, wrap && css.wrap)}>
            <pre tabIndex={0} aria-label={label}>
                <code>{text}</code>
            </pre>
            <div className={css.copy}>
                <CopyButton text={text} />
            </div>
        </div>
    );
}
