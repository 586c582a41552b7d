/* A reset's link: a new password, and every session of the person ends. */
import { useState, type FormEvent } from "react";
import { useResetPassword } from "../../api/entry";
import { Button, ButtonLink } from "../../components/Button";
import { NewPassword } from "../../components/NewPassword";
import { ErrorState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { fieldError } from "../../lib/fieldError";
import { useParam } from "../../lib/urlState";
import { Door } from "./Door";

export default function ResetPage() {
    const { t } = useI18n();
    const reset = useResetPassword(useParam("token"));
    const [password, setPassword] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (password !== "") reset.mutate(password);
    };
    if (reset.isSuccess) {
        return (
            <Door title={t("reset.title")} heading={t("reset.done")} lead={t("reset.done.body")}>
                <ButtonLink variant="primary" to="/sign-in" search={{}}>
                    {t("session.sign_in")}
                </ButtonLink>
            </Door>
        );
    }
    const beside = fieldError(reset.error, "password");
    return (
        <Door title={t("reset.title")} heading={t("reset.title")} lead={t("reset.lead")}>
            <form onSubmit={submit}>
                <NewPassword error={beside} onChange={setPassword} />
                {reset.isError && beside === null && <ErrorState error={reset.error} />}
                <Button type="submit" variant="primary" busy={reset.isPending}>
                    {t("reset.action")}
                </Button>
            </form>
        </Door>
    );
}
