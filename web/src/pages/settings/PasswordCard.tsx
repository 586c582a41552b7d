/* Changes the password, and ends other sessions unless told to keep them. */
import { useState, type FormEvent } from "react";
import { useChangePassword } from "../../api/session";
import { Button } from "../../components/Button";
import { Checkbox, Input } from "../../components/Field";
import { NewPassword } from "../../components/NewPassword";
import { ErrorState } from "../../components/Status";
import { Card } from "../../components/Surface";
import { toast } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";
import { fieldError } from "../../lib/fieldError";

export function PasswordCard() {
    const { t } = useI18n();
    const change = useChangePassword();
    const [changes, setChanges] = useState(0);
    const [current, setCurrent] = useState("");
    const [password, setPassword] = useState("");
    const [endOthers, setEndOthers] = useState(true);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (password === "") return;
        change.mutate(
            { current, password, end_other_sessions: endOthers },
            {
                onSuccess: () => {
                    setCurrent("");
                    setPassword("");
                    setChanges(changes + 1);
                    toast(t("settings.password.changed"));
                },
            },
        );
    };
    const wrong = fieldError(change.error, "current");
    const refused = fieldError(change.error, "password");
    return (
        <Card title={t("settings.password")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("settings.password.current")} type="password" autoComplete="current-password" required value={current} error={wrong} onChange={(event) => setCurrent(event.target.value)} />
                <NewPassword key={changes} error={refused} onChange={setPassword} />
                <Checkbox label={t("settings.password.end_others")} checked={endOthers} onChange={(event) => setEndOthers(event.target.checked)} />
                {change.isError && !wrong && !refused && <ErrorState error={change.error} />}
                <div className="row">
                    <Button type="submit" variant="primary" busy={change.isPending}>
                        {t("settings.password.change")}
                    </Button>
                </div>
            </form>
        </Card>
    );
}
