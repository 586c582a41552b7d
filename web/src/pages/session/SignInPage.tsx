/*
 * Sign-in. A second factor is asked for once the password is right. Afterwards the visitor goes back to the
 * page that asked, if that is a page of this server.
 */
import { useRouter } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useSignIn } from "../../api/session";
import { Button } from "../../components/Button";
import { Input } from "../../components/Field";
import { ErrorState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { ApiError } from "../../lib/apiError";
import { safeReturnPath } from "../../lib/safeReturnPath";
import { useSearchState } from "../../lib/urlState";
import { Door } from "./Door";
import { SsoButtons } from "./SsoButtons";

export function SignInPage() {
    const { t } = useI18n();
    const router = useRouter();
    const [search] = useSearchState();
    const signIn = useSignIn();
    const [email, setEmail] = useState("");
    const [password, setPassword] = useState("");
    const [code, setCode] = useState<string | null>(null);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        signIn.mutate(
            { email, password, ...(code ? { code } : {}) },
            {
                onSuccess: () => router.history.replace(safeReturnPath(search.return)),
                onError: (error) => setCode(error instanceof ApiError && error.field === "code" ? "" : null),
            },
        );
    };
    const refused = signIn.error instanceof ApiError && signIn.error.status === 401 ? signIn.error : null;
    const wrongCode = refused?.field === "code" && signIn.variables?.code !== undefined;
    return (
        <Door title={t("session.sign_in")} heading={t("session.welcome")} lead={t("session.lead")}>
            <SsoButtons returnTo={safeReturnPath(search.return)} failure={search.sso} />
            <form onSubmit={submit}>
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
                    error={refused && refused.field !== "code" ? t("session.refused") : null}
                />
                {code !== null && (
                    <Input
                        label={t("session.code")}
                        hint={t("session.code.hint")}
                        name="code"
                        autoComplete="one-time-code"
                        autoFocus
                        required
                        value={code}
                        onChange={(event) => setCode(event.target.value)}
                        error={wrongCode ? t("session.code.refused") : null}
                    />
                )}
                {signIn.isError && !refused && <ErrorState error={signIn.error} />}
                <Button type="submit" variant="primary" busy={signIn.isPending}>
                    {t("session.sign_in")}
                </Button>
            </form>
        </Door>
    );
}
