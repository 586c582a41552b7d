/* A plain text editor with line numbers; the line the server complains about is marked. */
import { useI18n } from "../../i18n/i18n";
import { cx } from "../../lib/cx";
import css from "./TrainPage.module.css";

const LINE_PX = 20;
const PADDING_PX = 10;

interface SpecEditorProps {
    text: string;
    onChange: (text: string) => void;
    badLine: number | null;
    error: string | null;
}

export function SpecEditor({ text, onChange, badLine, error }: SpecEditorProps) {
    const { t } = useI18n();
    const lines = text.split("\n").length;
    return (
        <div className="stack-s">
            <div className={css.editor}>
                <div className={css.gutter} aria-hidden>
                    {Array.from({ length: lines }, (_unused, index) => (
                        <div key={index} className={cx(index + 1 === badLine && css.bad)}>
                            {index + 1}
                        </div>
                    ))}
                </div>
                <textarea
                    className={css.text}
                    aria-label={t("train.spec")}
                    aria-invalid={error !== null}
                    spellCheck={false}
                    rows={lines}
                    value={text}
                    onChange={(event) => onChange(event.target.value)}
                />
                {badLine !== null && <div className={css.mark} style={{ top: PADDING_PX + (badLine - 1) * LINE_PX }} />}
            </div>
            <p role="status" className={cx("small", error === null && "faint")} style={error === null ? {} : { color: "var(--bad)" }}>
                {error === null ? t("train.valid") : badLine === null ? error : t("train.error_line", { line: badLine, message: error })}
            </p>
        </div>
    );
}
