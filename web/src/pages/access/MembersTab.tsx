/* Members: role, state, reset links, removal. What only an owner may do to an owner is not offered to others. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { KeyRound, MoreHorizontal, ShieldOff, UserCheck, UserMinus, UserX } from "lucide-react";
import { useMemo, useState } from "react";
import { membersQuery, useDropSecondFactor, useRemoveMember, useResetMember, useUpdateMember } from "../../api/members";
import type { Member, Session } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable } from "../../components/DataTable";
import { ConfirmDialog } from "../../components/Dialog";
import { BareSelect } from "../../components/Field";
import { Menu, MenuItem, MenuLine } from "../../components/Menu";
import { SecretDialog } from "../../components/SecretDialog";
import { Answer, Badge, StatePill } from "../../components/Status";
import { toast } from "../../components/Toaster";
import { useI18n, type I18n } from "../../i18n/i18n";
import { grantable } from "../../lib/grantable";

const REFRESH_MS = 5000;

interface Actions {
    onRole: (member: Member, role: Member["role"]) => void;
    onState: (member: Member) => void;
    onReset: (member: Member) => void;
    onDropFactor: (member: Member) => void;
    onRemove: (member: Member) => void;
}

function columnsOf(i18n: I18n, session: Session, actions: Actions): ColumnDef<Member>[] {
    const { t, ago, label } = i18n;
    const roles = grantable(session.role);
    const mayChange = (member: Member) => roles.some((role) => role === member.role);
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(140px, 1fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "email", header: t("session.email"), meta: { width: "minmax(180px, 1.6fr)" }, cell: ({ row }) => <span className="truncate muted">{row.original.email}</span> },
        { id: "role", header: t("settings.role"), meta: { width: "160px" }, cell: ({ row: { original } }) =>
            mayChange(original) ? (
                <BareSelect label={t("member.role_of", { name: original.name })} value={original.role} onChange={(event) => actions.onRole(original, event.target.value as Member["role"])}>
                    {roles.map((role) => (
                        <option key={role} value={role}>
                            {t(`role.${role}`)}
                        </option>
                    ))}
                </BareSelect>
            ) : (
                label("role", original.role)
            ) },
        { id: "state", header: t("field.state"), meta: { width: "130px" }, cell: ({ row }) => <StatePill state={row.original.state} /> },
        { id: "groups", header: t("team.groups"), meta: { width: "minmax(110px, 1fr)" }, cell: ({ row }) => <span className="truncate muted" title={row.original.groups.join(", ")}>{row.original.groups.join(", ")}</span> },
        { id: "totp", header: t("security.factor"), meta: { width: "130px" }, cell: ({ row }) => (row.original.totp ? <Badge>{t("security.on")}</Badge> : <span className="faint">{t("security.off")}</span>) },
        { id: "seen", header: t("worker.seen"), meta: { width: "130px" }, cell: ({ row }) => <span className="muted">{row.original.last_seen_at ? ago(row.original.last_seen_at) : t("token.never")}</span> },
        { id: "more", header: "", meta: { width: "60px", right: true }, cell: ({ row }) => mayChange(row.original) && <MemberMenu member={row.original} actions={actions} /> },
    ];
}

function MemberMenu({ member, actions }: { member: Member; actions: Actions }) {
    const { t } = useI18n();
    const active = member.state === "active";
    return (
        <Menu align="end" trigger={<Button small variant="ghost" icon={MoreHorizontal} aria-label={t("member.more", { name: member.name })} />}>
            <MenuItem icon={KeyRound} onSelect={() => actions.onReset(member)}>
                {t("member.reset")}
            </MenuItem>
            {member.totp && (
                <MenuItem icon={ShieldOff} onSelect={() => actions.onDropFactor(member)}>
                    {t("member.drop_factor")}
                </MenuItem>
            )}
            <MenuItem icon={active ? UserX : UserCheck} onSelect={() => actions.onState(member)}>
                {t(active ? "member.deactivate" : "member.activate")}
            </MenuItem>
            <MenuLine />
            <MenuItem icon={UserMinus} onSelect={() => actions.onRemove(member)}>
                {t("member.remove")}
            </MenuItem>
        </Menu>
    );
}

export function MembersTab({ session }: { session: Session }) {
    const i18n = useI18n();
    const { t, label } = i18n;
    const query = useQuery({ ...membersQuery, refetchInterval: REFRESH_MS });
    const update = useUpdateMember();
    const remove = useRemoveMember();
    const reset = useResetMember();
    const dropFactor = useDropSecondFactor();
    const [unlocking, setUnlocking] = useState<Member | null>(null);
    const [removing, setRemoving] = useState<Member | null>(null);
    const [stopping, setStopping] = useState<Member | null>(null);
    const setState = (member: Member, state: Member["state"]) =>
        update.mutate({ id: member.user_id, state }, { onSuccess: () => setStopping(null) });
    const columns = useMemo(
        () =>
            columnsOf(i18n, session, {
                onRole: (member, role) =>
                    update.mutate({ id: member.user_id, role }, { onSuccess: () => toast(t("member.role_changed", { name: member.name, role: label("role", role) })) }),
                onState: (member) => (member.state === "active" ? setStopping(member) : setState(member, "active")),
                onReset: (member) => reset.mutate(member.user_id),
                onDropFactor: setUnlocking,
                onRemove: setRemoving,
            }),
        [i18n, session.role],
    );
    return (
        <>
            <Answer query={query}>
                {(page) => <DataTable label={t("team.members")} rows={page.items} columns={columns} rowKey={(row) => row.user_id} />}
            </Answer>
            {reset.data && <SecretDialog title={t("member.reset.title")} body={t("member.reset.body")} label={t("field.link")} text={reset.data.link} onClose={reset.reset} />}
            <ConfirmDialog
                open={stopping !== null}
                onClose={() => setStopping(null)}
                title={t("member.deactivate.title", { name: stopping?.name ?? "" })}
                body={t("member.deactivate.body")}
                action={t("member.deactivate")}
                busy={update.isPending}
                onConfirm={() => stopping && setState(stopping, "deactivated")}
            />
            <ConfirmDialog
                open={unlocking !== null}
                onClose={() => setUnlocking(null)}
                title={t("member.drop_factor.title", { name: unlocking?.name ?? "" })}
                body={t("member.drop_factor.body")}
                action={t("member.drop_factor")}
                busy={dropFactor.isPending}
                onConfirm={() => unlocking && dropFactor.mutate(unlocking.user_id, { onSuccess: () => setUnlocking(null) })}
            />
            <ConfirmDialog
                open={removing !== null}
                onClose={() => setRemoving(null)}
                title={t("member.remove.title", { name: removing?.name ?? "" })}
                body={t("member.remove.body")}
                action={t("member.remove")}
                busy={remove.isPending}
                onConfirm={() => removing && remove.mutate(removing.user_id, { onSuccess: () => setRemoving(null) })}
            />
        </>
    );
}
