/* What the pages before the session look like: the brand, a headline, a form, the languages. */
import { useEffect, type ReactNode } from "react";
import { LOCALES, setLocale, useI18n } from "../../i18n/i18n";
import css from "./Door.module.css";

interface DoorProps {
    title: string;
    heading: string;
    lead?: string;
    children: ReactNode;
}

export function Door({ title, heading, lead, children }: DoorProps) {
    const { t, locale } = useI18n();
    useEffect(() => {
        document.title = `${title} · ${t("app.name")}`;
    }, [title, t]);
    return (
        <div className={css.page}>
            <main className={css.left}>
                <div className={css.brand}>
                    <img src="/icon.svg" alt="" />
                    {t("app.name")}
                </div>
                <div>
                    <h1>{heading}</h1>
                    {lead && <p className="muted">{lead}</p>}
                </div>
                <div className={css.form}>{children}</div>
                <div className={css.foot}>
                    {LOCALES.map((choice) => (
                        <button key={choice.id} type="button" aria-pressed={choice.id === locale} onClick={() => void setLocale(choice.id)}>
                            {choice.name}
                        </button>
                    ))}
                </div>
            </main>
            <Backdrop />
        </div>
    );
}

/* Two learning curves going down to the water: decoration only. */
function Backdrop() {
    const loss = "M0 18 C 14 20, 18 52, 30 62 S 52 78, 70 82 S 92 87, 100 87.5";
    const validation = "M0 26 C 16 30, 20 58, 33 68 S 56 76, 72 77 S 92 79, 100 79";
    return (
        <div className={css.right} aria-hidden>
            <svg viewBox="0 0 100 100" preserveAspectRatio="none">
                {[20, 40, 60, 80].map((at) => (
                    <g key={at} className={css.grid}>
                        <line x1="0" x2="100" y1={at} y2={at} />
                        <line x1={at} x2={at} y1="0" y2="100" />
                    </g>
                ))}
                <path d={`${loss} L100 100 L0 100 Z`} fill="var(--series-1)" className={css.area} />
                <path d={validation} stroke="var(--series-2)" className={css.curve} strokeDasharray="1 5" />
                <path d={loss} stroke="var(--series-1)" className={css.curve} />
            </svg>
        </div>
    );
}
