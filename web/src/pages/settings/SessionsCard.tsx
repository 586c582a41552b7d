/* The browsers one is signed in with; each can be ended, or all others at once. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo } from "react";
import { sessionsQuery, useEndOtherSessions, useEndSession } from "../../api/security";
import type { BrowserSession } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { Answer, Badge } from "../../components/Status";
import { toast } from "../../components/Toaster";
import { useI18n, type I18n } from "../../i18n/i18n";

function columnsOf({ t, ago }: I18n, onEnd: (id: string) => void): ColumnDef<BrowserSession>[] {
    return [
        { id: "device", header: t("security.device"), meta: { width: "minmax(200px, 2fr)" }, cell: ({ row: { original } }) => (
            <>
                <strong className="truncate">{original.device}</strong>
                {original.current && <Badge>{t("security.this_browser")}</Badge>}
            </>
        ) },
        { id: "remote", header: t("security.from"), meta: { width: "minmax(130px, 1fr)" }, cell: ({ row }) => <span className="mono muted">{row.original.remote}</span> },
        { id: "created", header: t("security.since"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
        { id: "used", header: t("token.last_used"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{ago(row.original.last_used_at)}</span> },
        { id: "end", header: "", meta: { width: "120px", right: true }, cell: ({ row }) =>
            !row.original.current && (
                <Button small variant="ghost" onClick={() => onEnd(row.original.id)}>
                    {t("security.end")}
                </Button>
            ) },
    ];
}

export function SessionsCard() {
    const i18n = useI18n();
    const { t } = i18n;
    const query = useQuery(sessionsQuery);
    const end = useEndSession();
    const endOthers = useEndOtherSessions();
    const columns = useMemo(() => columnsOf(i18n, (id) => end.mutate(id)), [i18n]);
    return (
        <section>
            <Toolbar>
                <h2 className="grow">{t("security.sessions")}</h2>
                <Button
                    disabled={(query.data?.items.length ?? 0) < 2}
                    busy={endOthers.isPending}
                    onClick={() => endOthers.mutate(undefined, { onSuccess: () => toast(t("security.others_ended")) })}
                >
                    {t("security.end_others")}
                </Button>
            </Toolbar>
            <Answer query={query}>
                {(page) => <DataTable label={t("security.sessions")} rows={page.items} columns={columns} rowKey={(row) => row.id} />}
            </Answer>
        </section>
    );
}
