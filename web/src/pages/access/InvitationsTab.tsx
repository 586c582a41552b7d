/* Invitations: made here, their link shown once, revoked here. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { MailPlus } from "lucide-react";
import { useMemo, useState } from "react";
import { invitationsQuery, useRevokeInvitation } from "../../api/members";
import type { Invitation, Session } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { ConfirmDialog } from "../../components/Dialog";
import { Answer, EmptyState, StatePill } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";
import { InviteDialog } from "./InviteDialog";

function columnsOf({ t, ago, label }: I18n, onRevoke: (invitation: Invitation) => void): ColumnDef<Invitation>[] {
    return [
        { id: "email", header: t("session.email"), meta: { width: "minmax(200px, 2fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.email}</strong> },
        { id: "role", header: t("settings.role"), meta: { width: "130px" }, cell: ({ row }) => label("role", row.original.role) },
        { id: "state", header: t("field.state"), meta: { width: "130px" }, cell: ({ row }) => <StatePill state={row.original.state} /> },
        { id: "by", header: t("invitation.by"), meta: { width: "minmax(120px, 1fr)" }, cell: ({ row }) => <span className="truncate muted">{row.original.invited_by}</span> },
        { id: "created", header: t("field.created"), meta: { width: "130px" }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
        { id: "expires", header: t("token.expires"), meta: { width: "130px" }, cell: ({ row }) => <span className="muted">{ago(row.original.expires_at)}</span> },
        { id: "revoke", header: "", meta: { width: "110px", right: true }, cell: ({ row }) =>
            row.original.state === "pending" && (
                <Button small variant="ghost" onClick={() => onRevoke(row.original)}>
                    {t("token.revoke")}
                </Button>
            ) },
    ];
}

export function InvitationsTab({ session }: { session: Session }) {
    const i18n = useI18n();
    const { t } = i18n;
    const query = useQuery(invitationsQuery);
    const revoke = useRevokeInvitation();
    const [inviting, setInviting] = useState(false);
    const [asked, setAsked] = useState<Invitation | null>(null);
    const columns = useMemo(() => columnsOf(i18n, setAsked), [i18n]);
    const invite = (
        <Button variant="primary" icon={MailPlus} onClick={() => setInviting(true)}>
            {t("invitation.new")}
        </Button>
    );
    return (
        <>
            <Answer query={query}>
                {(page) =>
                    page.items.length === 0 ? (
                        <EmptyState icon={MailPlus} title={t("invitation.empty.title")} body={t("invitation.empty.body")}>
                            {invite}
                        </EmptyState>
                    ) : (
                        <>
                            <Toolbar>
                                <span className="muted small grow">{t("invitation.lead")}</span>
                                {invite}
                            </Toolbar>
                            <DataTable label={t("team.invitations")} rows={page.items} columns={columns} rowKey={(row) => row.id} />
                        </>
                    )
                }
            </Answer>
            {inviting && <InviteDialog session={session} onClose={() => setInviting(false)} />}
            <ConfirmDialog
                open={asked !== null}
                onClose={() => setAsked(null)}
                title={t("invitation.revoke.title", { email: asked?.email ?? "" })}
                body={t("invitation.revoke.body")}
                action={t("token.revoke")}
                busy={revoke.isPending}
                onConfirm={() => asked && revoke.mutate(asked.id, { onSuccess: () => setAsked(null) })}
            />
        </>
    );
}
