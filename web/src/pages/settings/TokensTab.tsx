/* Personal API tokens: made here, shown once, revoked here. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { KeyRound, Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { tokensQuery, useRevokeToken } from "../../api/session";
import type { ApiToken } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { ConfirmDialog } from "../../components/Dialog";
import { Answer, Badge, EmptyState } from "../../components/Status";
import { toast } from "../../components/Toaster";
import { useI18n, type I18n } from "../../i18n/i18n";
import { NewTokenDialog } from "./NewTokenDialog";

function columnsOf({ t, ago, label }: I18n, onRevoke: (token: ApiToken) => void): ColumnDef<ApiToken>[] {
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(160px, 2fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "prefix", header: t("token.prefix"), meta: { width: "160px" }, cell: ({ row }) => <span className="mono muted">{row.original.prefix}…</span> },
        { id: "scopes", header: t("token.scopes"), meta: { width: "180px" }, cell: ({ row }) => row.original.scopes.map((scope) => <Badge key={scope}>{label("scope", scope)}</Badge>) },
        { id: "projects", header: t("shell.projects"), meta: { width: "minmax(120px, 1fr)" }, cell: ({ row: { original } }) => <span className="truncate muted">{original.projects?.join(", ") ?? t("token.every_project")}</span> },
        { id: "used", header: t("token.last_used"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{row.original.last_used_at ? ago(row.original.last_used_at) : t("token.never")}</span> },
        { id: "expires", header: t("token.expires"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{row.original.expires_at ? ago(row.original.expires_at) : t("token.no_expiry")}</span> },
        { id: "revoke", header: "", meta: { width: "110px", right: true }, cell: ({ row }) => (
            <Button small variant="ghost" onClick={() => onRevoke(row.original)}>
                {t("token.revoke")}
            </Button>
        ) },
    ];
}

export function TokensTab() {
    const i18n = useI18n();
    const { t } = i18n;
    const query = useQuery(tokensQuery);
    const revoke = useRevokeToken();
    const [creating, setCreating] = useState(false);
    const [asked, setAsked] = useState<ApiToken | null>(null);
    const columns = useMemo(() => columnsOf(i18n, setAsked), [i18n]);
    const create = (
        <Button variant="primary" icon={Plus} onClick={() => setCreating(true)}>
            {t("token.new")}
        </Button>
    );
    return (
        <>
            <Answer query={query}>
                {(page) =>
                    page.items.length === 0 ? (
                        <EmptyState icon={KeyRound} title={t("token.empty.title")} body={t("token.empty.body")}>
                            {create}
                        </EmptyState>
                    ) : (
                        <>
                            <Toolbar>
                                <span className="muted small grow">{t("token.lead")}</span>
                                {create}
                            </Toolbar>
                            <DataTable label={t("settings.tokens")} rows={page.items} columns={columns} rowKey={(row) => row.id} />
                        </>
                    )
                }
            </Answer>
            {creating && <NewTokenDialog onClose={() => setCreating(false)} />}
            <ConfirmDialog
                open={asked !== null}
                onClose={() => setAsked(null)}
                title={t("token.revoke.title", { name: asked?.name ?? "" })}
                body={t("token.revoke.body")}
                action={t("token.revoke")}
                busy={revoke.isPending}
                onConfirm={() =>
                    asked &&
                    revoke.mutate(asked.id, {
                        onSuccess: () => {
                            setAsked(null);
                            toast(t("token.revoked"));
                        },
                    })
                }
            />
        </>
    );
}
