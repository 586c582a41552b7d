/* The identity providers one may sign in with, and why the last try came back. */
import { useQuery } from "@tanstack/react-query";
import { LogIn } from "lucide-react";
import { ssoUrl, signInQuery } from "../../api/sso";
import { PlainLink } from "../../components/Button";
import { useI18n } from "../../i18n/i18n";
import css from "./Door.module.css";

export function SsoButtons({ returnTo, failure }: { returnTo: string; failure: string | undefined }) {
    const { t, label } = useI18n();
    const { data } = useQuery(signInQuery);
    if (!data || data.providers.length === 0) return null;
    return (
        <>
            {failure && (
                <p className={css.refused} role="alert">
                    {label("sso", failure)}
                </p>
            )}
            {data.providers.map(({ id, name }) => (
                <PlainLink key={id} icon={LogIn} href={ssoUrl(id, returnTo)}>
                    {t("sso.with", { name })}
                </PlainLink>
            ))}
            <p className="muted small">{t(data.password ? "sso.or" : "sso.owners")}</p>
        </>
    );
}
