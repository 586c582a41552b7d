/* Service accounts: programs that act with a role of their own. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Bot, KeyRound, MoreHorizontal, Plus, Power, Trash2 } from "lucide-react";
import { useMemo, useState } from "react";
import { serviceAccountsQuery, useDeleteServiceAccount, useUpdateServiceAccount } from "../../api/serviceAccounts";
import type { ServiceAccount, Session } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { ConfirmDialog } from "../../components/Dialog";
import { BareSelect } from "../../components/Field";
import { Menu, MenuItem, MenuLine } from "../../components/Menu";
import { Answer, EmptyState, StatePill } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";
import { grantable, type Role } from "../../lib/grantable";
import { useSearchState } from "../../lib/urlState";
import { NewServiceAccountDialog } from "./NewServiceAccountDialog";
import { ServiceTokensDialog } from "./ServiceTokensDialog";

interface Actions {
    onRole: (account: ServiceAccount, role: Role) => void;
    onState: (account: ServiceAccount) => void;
    onTokens: (account: ServiceAccount) => void;
    onDelete: (account: ServiceAccount) => void;
}

function columnsOf({ t, ago, count }: I18n, roles: readonly Role[], actions: Actions): ColumnDef<ServiceAccount>[] {
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(160px, 2fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "role", header: t("settings.role"), meta: { width: "160px" }, cell: ({ row: { original } }) => (
            <BareSelect label={t("member.role_of", { name: original.name })} value={original.role} onChange={(event) => actions.onRole(original, event.target.value as Role)}>
                {roles.map((role) => (
                    <option key={role} value={role}>
                        {t(`role.${role}`)}
                    </option>
                ))}
            </BareSelect>
        ) },
        { id: "state", header: t("field.state"), meta: { width: "130px" }, cell: ({ row }) => <StatePill state={row.original.state} /> },
        { id: "tokens", header: t("service.tokens"), meta: { width: "100px", right: true }, cell: ({ row }) => count(row.original.tokens) },
        { id: "by", header: t("field.created_by"), meta: { width: "minmax(120px, 1fr)" }, cell: ({ row }) => <span className="truncate muted">{row.original.created_by}</span> },
        { id: "created", header: t("field.created"), meta: { width: "130px" }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
        { id: "more", header: "", meta: { width: "60px", right: true }, cell: ({ row }) => <ServiceMenu account={row.original} actions={actions} /> },
    ];
}

function ServiceMenu({ account, actions }: { account: ServiceAccount; actions: Actions }) {
    const { t } = useI18n();
    return (
        <Menu align="end" trigger={<Button small variant="ghost" icon={MoreHorizontal} aria-label={t("member.more", { name: account.name })} />}>
            <MenuItem icon={KeyRound} onSelect={() => actions.onTokens(account)}>
                {t("service.tokens")}
            </MenuItem>
            <MenuItem icon={Power} onSelect={() => actions.onState(account)}>
                {t(account.state === "active" ? "member.deactivate" : "member.activate")}
            </MenuItem>
            <MenuLine />
            <MenuItem icon={Trash2} onSelect={() => actions.onDelete(account)}>
                {t("action.remove")}
            </MenuItem>
        </Menu>
    );
}

export function ServiceAccountsTab({ session }: { session: Session }) {
    const i18n = useI18n();
    const { t } = i18n;
    const [search, setSearch] = useSearchState();
    const query = useQuery(serviceAccountsQuery);
    const update = useUpdateServiceAccount();
    const remove = useDeleteServiceAccount();
    const [creating, setCreating] = useState(false);
    const [asked, setAsked] = useState<ServiceAccount | null>(null);
    const roles = grantable(session.role);
    const columns = useMemo(
        () =>
            columnsOf(i18n, roles, {
                onRole: (account, role) => update.mutate({ id: account.id, role }),
                onState: (account) => update.mutate({ id: account.id, state: account.state === "active" ? "deactivated" : "active" }),
                onTokens: (account) => setSearch({ account: account.id }),
                onDelete: setAsked,
            }),
        [i18n, session.role, setSearch],
    );
    const opened = query.data?.items.find((account) => account.id === search.account);
    const create = (
        <Button variant="primary" icon={Plus} onClick={() => setCreating(true)}>
            {t("service.new")}
        </Button>
    );
    return (
        <>
            <Answer query={query}>
                {(page) =>
                    page.items.length === 0 ? (
                        <EmptyState icon={Bot} title={t("service.empty.title")} body={t("service.empty.body")}>
                            {create}
                        </EmptyState>
                    ) : (
                        <>
                            <Toolbar>
                                <span className="muted small grow">{t("service.lead")}</span>
                                {create}
                            </Toolbar>
                            <DataTable label={t("team.service")} rows={page.items} columns={columns} rowKey={(row) => row.id} onOpen={(row) => setSearch({ account: row.id })} />
                        </>
                    )
                }
            </Answer>
            {creating && <NewServiceAccountDialog roles={roles} onClose={() => setCreating(false)} />}
            {opened && <ServiceTokensDialog account={opened} onClose={() => setSearch({ account: null })} />}
            <ConfirmDialog
                open={asked !== null}
                onClose={() => setAsked(null)}
                title={t("service.remove.title", { name: asked?.name ?? "" })}
                body={t("service.remove.body")}
                action={t("action.remove")}
                busy={remove.isPending}
                onConfirm={() => asked && remove.mutate(asked.id, { onSuccess: () => setAsked(null) })}
            />
        </>
    );
}
