/* Changes the password. */
import { useState, type FormEvent } from "react";
import { useChangePassword } from "../../api/session";
import { Button } from "../../components/Button";
import { Input } from "../../components/Field";
import { Card } from "../../components/Surface";
import { toast } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";
import css from "./Settings.module.css";

const SHORTEST = 12;

export function PasswordTab() {
    const { t } = useI18n();
    const change = useChangePassword();
    const [current, setCurrent] = useState("");
    const [password, setPassword] = useState("");
    const [again, setAgain] = useState("");
    const differs = again !== "" && again !== password;
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (again !== password) return;
        change.mutate(
            { current, password },
            {
                onSuccess: () => {
                    setCurrent("");
                    setPassword("");
                    setAgain("");
                    toast(t("settings.password.changed"));
                },
            },
        );
    };
    return (
        <Card title={t("settings.password")}>
            <form className={`stack ${css.narrow}`} onSubmit={submit}>
                <Input label={t("settings.password.current")} type="password" autoComplete="current-password" required value={current} onChange={(event) => setCurrent(event.target.value)} />
                <Input
                    label={t("settings.password.new")}
                    hint={t("settings.password.hint", { n: SHORTEST })}
                    type="password"
                    autoComplete="new-password"
                    required
                    minLength={SHORTEST}
                    value={password}
                    onChange={(event) => setPassword(event.target.value)}
                />
                <Input
                    label={t("settings.password.again")}
                    type="password"
                    autoComplete="new-password"
                    required
                    value={again}
                    error={differs ? t("settings.password.differs") : null}
                    onChange={(event) => setAgain(event.target.value)}
                />
                <div className="row">
                    <Button type="submit" variant="primary" busy={change.isPending}>
                        {t("settings.password.change")}
                    </Button>
                </div>
            </form>
        </Card>
    );
}
