/* First start: whoever holds the set-up secret becomes the first owner. */
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { setupQuery, useSetUp } from "../../api/entry";
import { Button, ButtonLink } from "../../components/Button";
import { Input } from "../../components/Field";
import { NewPassword } from "../../components/NewPassword";
import { Answer, ErrorState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { fieldError } from "../../lib/fieldError";
import { slugOf } from "../../lib/slug";
import { Door } from "./Door";

const BESIDE = ["secret", "email", "name", "team_name", "password"];

export default function SetupPage() {
    const { t } = useI18n();
    const query = useQuery(setupQuery);
    const done = query.data?.needed === false;
    return (
        <Door title={t("setup.title")} heading={t(done ? "setup.done" : "setup.title")} lead={t(done ? "setup.done.body" : "setup.lead")}>
            <Answer query={query}>
                {({ needed }) =>
                    needed ? (
                        <SetupForm />
                    ) : (
                        <ButtonLink variant="primary" to="/sign-in" search={{}}>
                            {t("session.sign_in")}
                        </ButtonLink>
                    )
                }
            </Answer>
        </Door>
    );
}

function SetupForm() {
    const { t } = useI18n();
    const router = useRouter();
    const setUp = useSetUp();
    const [form, setForm] = useState({ secret: "", name: "", email: "", team_name: "", password: "" });
    const field = (name: keyof typeof form) => ({
        required: true,
        value: form[name],
        error: fieldError(setUp.error, name),
        onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (form.password === "") return;
        const body = { ...form, secret: form.secret.trim(), team_slug: slugOf(form.team_name) || "team" };
        setUp.mutate(body, { onSuccess: () => router.history.replace("/") });
    };
    const elsewhere = setUp.isError && !BESIDE.some((name) => fieldError(setUp.error, name) !== null);
    return (
        <form onSubmit={submit}>
            <Input label={t("setup.secret")} hint={t("setup.secret.hint")} autoComplete="off" autoFocus {...field("secret")} />
            <Input label={t("setup.name")} autoComplete="name" maxLength={200} {...field("name")} />
            <Input label={t("session.email")} type="email" autoComplete="username" {...field("email")} />
            <Input label={t("setup.team")} hint={t("setup.team.hint")} maxLength={200} {...field("team_name")} />
            <NewPassword error={fieldError(setUp.error, "password")} onChange={(password) => setForm({ ...form, password })} />
            {elsewhere && <ErrorState error={setUp.error} />}
            <Button type="submit" variant="primary" busy={setUp.isPending}>
                {t("setup.action")}
            </Button>
        </form>
    );
}
