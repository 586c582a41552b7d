/* Groups: a role in a project can be given to all of a group at once. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Plus, UsersRound } from "lucide-react";
import { useMemo, useState } from "react";
import { groupsQuery, useDeleteGroup } from "../../api/groups";
import type { Group } from "../../api/types";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { ConfirmDialog } from "../../components/Dialog";
import { Answer, EmptyState } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";
import { useSearchState } from "../../lib/urlState";
import { GroupDialog } from "./GroupDialog";
import { NewGroupDialog } from "./NewGroupDialog";

function columnsOf({ t, ago, count }: I18n, administers: boolean, onDelete: (group: Group) => void): ColumnDef<Group>[] {
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(160px, 1fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "description", header: t("field.description"), meta: { width: "minmax(200px, 2fr)" }, cell: ({ row }) => <span className="truncate muted">{row.original.description}</span> },
        { id: "members", header: t("team.members"), meta: { width: "110px", right: true }, cell: ({ row }) => count(row.original.members) },
        { id: "created", header: t("field.created"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{ago(row.original.created_at)}</span> },
        { id: "delete", header: "", meta: { width: "110px", right: true }, cell: ({ row }) =>
            administers && (
                <Button small variant="ghost" onClick={() => onDelete(row.original)}>
                    {t("action.remove")}
                </Button>
            ) },
    ];
}

export function GroupsTab({ administers }: { administers: boolean }) {
    const i18n = useI18n();
    const { t } = i18n;
    const [search, setSearch] = useSearchState();
    const query = useQuery(groupsQuery);
    const remove = useDeleteGroup();
    const [creating, setCreating] = useState(false);
    const [asked, setAsked] = useState<Group | null>(null);
    const columns = useMemo(() => columnsOf(i18n, administers, setAsked), [i18n, administers]);
    const opened = query.data?.items.find((group) => group.id === search.group);
    const create = administers && (
        <Button variant="primary" icon={Plus} onClick={() => setCreating(true)}>
            {t("group.new")}
        </Button>
    );
    return (
        <>
            <Answer query={query}>
                {(page) =>
                    page.items.length === 0 ? (
                        <EmptyState icon={UsersRound} title={t("group.empty.title")} body={t("group.empty.body")}>
                            {create}
                        </EmptyState>
                    ) : (
                        <>
                            <Toolbar>
                                <span className="muted small grow">{t("group.lead")}</span>
                                {create}
                            </Toolbar>
                            <DataTable label={t("team.groups")} rows={page.items} columns={columns} rowKey={(row) => row.id} onOpen={(row) => setSearch({ group: row.id })} />
                        </>
                    )
                }
            </Answer>
            {creating && <NewGroupDialog onClose={() => setCreating(false)} />}
            {opened && <GroupDialog group={opened} administers={administers} onClose={() => setSearch({ group: null })} />}
            <ConfirmDialog
                open={asked !== null}
                onClose={() => setAsked(null)}
                title={t("group.remove.title", { name: asked?.name ?? "" })}
                body={t("group.remove.body")}
                action={t("action.remove")}
                busy={remove.isPending}
                onConfirm={() => asked && remove.mutate(asked.id, { onSuccess: () => setAsked(null) })}
            />
        </>
    );
}
