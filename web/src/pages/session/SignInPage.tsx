/* Sign-in. Afterwards the visitor goes back to the page that asked, if that is a page of this server. */
import { useRouter } from "@tanstack/react-router";
import { useEffect, useState, type FormEvent } from "react";
import { ApiError } from "../../lib/apiError";
import { useSignIn } from "../../api/session";
import { Button } from "../../components/Button";
import { Input } from "../../components/Field";
import { ErrorState } from "../../components/Status";
import { LOCALES, setLocale, useI18n } from "../../i18n/i18n";
import { safeReturnPath } from "../../lib/safeReturnPath";
import { useSearchState } from "../../lib/urlState";
import css from "./SignInPage.module.css";

export function SignInPage() {
    const { t, locale } = useI18n();
    const router = useRouter();
    const [search] = useSearchState();
    const signIn = useSignIn();
    const [email, setEmail] = useState("");
    const [password, setPassword] = useState("");
    useEffect(() => {
        document.title = `${t("session.sign_in")} · ${t("app.name")}`;
    }, [t]);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        signIn.mutate(
            { email, password },
            { onSuccess: () => router.history.replace(safeReturnPath(search.return)) },
        );
    };
    const refused = signIn.error instanceof ApiError && signIn.error.status === 401;
    return (
        <div className={css.page}>
            <main className={css.left}>
                <div className={css.brand}>
                    <img src="/icon.svg" alt="" />
                    {t("app.name")}
                </div>
                <div>
                    <h1>{t("session.welcome")}</h1>
                    <p className="muted">{t("session.lead")}</p>
                </div>
                <form className={css.form} onSubmit={submit}>
                    <Input
                        label={t("session.email")}
                        type="email"
                        name="email"
                        autoComplete="username"
                        autoFocus
                        required
                        value={email}
                        onChange={(event) => setEmail(event.target.value)}
                    />
                    <Input
                        label={t("session.password")}
                        type="password"
                        name="password"
                        autoComplete="current-password"
                        required
                        value={password}
                        onChange={(event) => setPassword(event.target.value)}
                        error={refused ? t("session.refused") : null}
                    />
                    {signIn.isError && !refused && <ErrorState error={signIn.error} />}
                    <Button type="submit" variant="primary" busy={signIn.isPending}>
                        {t("session.sign_in")}
                    </Button>
                </form>
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
