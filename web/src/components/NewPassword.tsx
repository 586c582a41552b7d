/* A new password, typed twice. The form learns of it once both are the same, and of "" until then. */
import { useState } from "react";
import { useI18n } from "../i18n/i18n";
import { Input } from "./Field";

const SHORTEST = 12;

export function NewPassword({ onChange, error }: { onChange: (password: string) => void; error?: string | null }) {
    const { t } = useI18n();
    const [first, setFirst] = useState("");
    const [again, setAgain] = useState("");
    const differs = again !== "" && again !== first;
    const report = (one: string, two: string) => {
        setFirst(one);
        setAgain(two);
        onChange(one === two ? one : "");
    };
    return (
        <>
            <Input
                label={t("settings.password.new")}
                hint={t("settings.password.hint", { n: SHORTEST })}
                error={error}
                type="password"
                autoComplete="new-password"
                required
                minLength={SHORTEST}
                value={first}
                onChange={(event) => report(event.target.value, again)}
            />
            <Input
                label={t("settings.password.again")}
                error={differs ? t("settings.password.differs") : null}
                type="password"
                autoComplete="new-password"
                required
                value={again}
                onChange={(event) => report(first, event.target.value)}
            />
        </>
    );
}
