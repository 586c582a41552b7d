/* The project's webhooks: for its administrators, because an address may be a secret itself. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Lock, Plus, Webhook as Hook } from "lucide-react";
import { useMemo, useState } from "react";
import { useMay } from "../../api/permissions";
import type { PermissionAnswer, Webhook } from "../../api/types";
import { webhooksQuery } from "../../api/webhooks";
import { Button } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { Answer, EmptyState, StatePill } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";
import { useParam, useSearchState } from "../../lib/urlState";
import { WebhookDialog } from "./WebhookDialog";
import { WebhookForm } from "./WebhookForm";

function columnsOf({ t, tn, ago }: I18n): ColumnDef<Webhook>[] {
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(130px, 1fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.name}</strong> },
        { id: "url", header: t("webhook.url"), meta: { width: "minmax(180px, 2fr)" }, cell: ({ row }) => <span className="truncate mono muted">{row.original.url}</span> },
        { id: "events", header: t("webhook.events"), meta: { width: "110px" }, cell: ({ row }) => <span className="muted">{tn("webhook.count", row.original.events.length)}</span> },
        { id: "status", header: t("field.state"), meta: { width: "110px" }, cell: ({ row }) => <StatePill state={row.original.status} /> },
        { id: "last", header: t("webhook.last"), meta: { width: "230px" }, cell: ({ row: { original } }) =>
            original.last_state && original.last_at ? (
                <span className="row">
                    <StatePill state={original.last_state} />
                    <span className="muted truncate">{ago(original.last_at)}</span>
                </span>
            ) : (
                <span className="faint">{t("webhook.never")}</span>
            ) },
    ];
}

function Closed({ refusal }: { refusal: PermissionAnswer | null }) {
    const { t, label } = useI18n();
    const why = refusal && t("may.why", { role: label("role", refusal.role), needs: label("role", refusal.needs) });
    return <EmptyState icon={Lock} title={t("webhook.closed")} body={why ?? t("webhook.closed.body")} />;
}

export function WebhooksTab() {
    const project = useParam("project");
    const { may, refusal } = useMay(project, "project.admin");
    return may ? <Webhooks project={project} /> : <Closed refusal={refusal} />;
}

function Webhooks({ project }: { project: string }) {
    const i18n = useI18n();
    const { t } = i18n;
    const [search, setSearch] = useSearchState();
    const query = useQuery(webhooksQuery(project));
    const [edited, setEdited] = useState<Webhook | "new" | null>(null);
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    const opened = query.data?.items.find((hook) => hook.id === search.webhook);
    const create = (
        <Button variant="primary" icon={Plus} onClick={() => setEdited("new")}>
            {t("webhook.new")}
        </Button>
    );
    return (
        <>
            <Answer query={query}>
                {(page) =>
                    page.items.length === 0 ? (
                        <EmptyState icon={Hook} title={t("webhook.empty.title")} body={t("webhook.empty.body")}>
                            {create}
                        </EmptyState>
                    ) : (
                        <>
                            <Toolbar>
                                <span className="muted small grow">{t("webhook.lead")}</span>
                                {create}
                            </Toolbar>
                            <DataTable label={t("settings.webhooks")} rows={page.items} columns={columns} rowKey={(row) => row.id} onOpen={(row) => setSearch({ webhook: row.id })} />
                        </>
                    )
                }
            </Answer>
            {opened && !edited && <WebhookDialog project={project} hook={opened} onEdit={() => setEdited(opened)} onClose={() => setSearch({ webhook: null })} />}
            {edited && <WebhookForm project={project} hook={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
        </>
    );
}
