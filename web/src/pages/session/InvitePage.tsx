/* An invitation's link: a new account, or one's own, joins the team. */
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { inviteQuery, useAcceptInvite } from "../../api/entry";
import type { InvitationView } from "../../api/types";
import { Button } from "../../components/Button";
import { Input } from "../../components/Field";
import { NewPassword } from "../../components/NewPassword";
import { Answer, ErrorState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { ApiError } from "../../lib/apiError";
import { fieldError } from "../../lib/fieldError";
import { useParam } from "../../lib/urlState";
import { Door } from "./Door";

export default function InvitePage() {
    const { t, label } = useI18n();
    const token = useParam("token");
    const query = useQuery(inviteQuery(token));
    const invite = query.data;
    return (
        <Door
            title={t("invite.title")}
            heading={invite ? t("invite.heading", { team: invite.team }) : t("invite.title")}
            {...(invite ? { lead: t("invite.lead", { email: invite.email, role: label("role", invite.role) }) } : {})}
        >
            <Answer query={query}>{(view) => <AcceptForm token={token} invite={view} />}</Answer>
        </Door>
    );
}

function AcceptForm({ token, invite }: { token: string; invite: InvitationView }) {
    const { t } = useI18n();
    const router = useRouter();
    const accept = useAcceptInvite(token);
    const [name, setName] = useState("");
    const [password, setPassword] = useState("");
    const [code, setCode] = useState<string | null>(null);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (password === "") return;
        accept.mutate(
            { password, ...(invite.has_account ? {} : { name }), ...(code ? { code } : {}) },
            {
                onSuccess: () => router.history.replace("/"),
                onError: (error) => setCode(error instanceof ApiError && error.field === "code" ? "" : null),
            },
        );
    };
    const refused = accept.error instanceof ApiError && accept.error.status === 401 ? accept.error : null;
    const beside = refused !== null || fieldError(accept.error, "name") !== null || fieldError(accept.error, "password") !== null;
    return (
        <form onSubmit={submit}>
            {invite.has_account ? (
                <Input
                    label={t("session.password")}
                    hint={t("invite.account.hint")}
                    type="password"
                    autoComplete="current-password"
                    autoFocus
                    required
                    value={password}
                    onChange={(event) => setPassword(event.target.value)}
                    error={refused && refused.field !== "code" ? t("session.refused") : null}
                />
            ) : (
                <>
                    <Input label={t("setup.name")} autoComplete="name" autoFocus required maxLength={200} value={name} error={fieldError(accept.error, "name")} onChange={(event) => setName(event.target.value)} />
                    <NewPassword error={fieldError(accept.error, "password")} onChange={setPassword} />
                </>
            )}
            {code !== null && (
                <Input
                    label={t("session.code")}
                    hint={t("session.code.hint")}
                    autoComplete="one-time-code"
                    autoFocus
                    required
                    value={code}
                    onChange={(event) => setCode(event.target.value)}
                    error={accept.variables?.code === undefined ? null : fieldError(accept.error, "code")}
                />
            )}
            {accept.isError && !beside && <ErrorState error={accept.error} />}
            <Button type="submit" variant="primary" busy={accept.isPending}>
                {t("invite.action")}
            </Button>
        </form>
    );
}
