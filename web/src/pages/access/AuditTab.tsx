/* The audit log: who did what, when, from where; what was refused and why. The filter lives in the URL. */
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Download, ScrollText, ShieldCheck } from "lucide-react";
import { useMemo } from "react";
import { auditExportUrl, auditQuery, useVerifyAudit, type AuditFilter } from "../../api/audit";
import type { AuditEvent } from "../../api/types";
import { Button, DownloadLink } from "../../components/Button";
import { DataTable, Toolbar } from "../../components/DataTable";
import { BareInput, Checkbox, SearchBox } from "../../components/Field";
import { Answer, Badge, EmptyState } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";
import { dayRange } from "../../lib/dayRange";
import { useSearchState, type Search, type SetSearch } from "../../lib/urlState";
import { useRows } from "../../lib/useRows";
import { Verdict } from "./Verdict";

const TEXTS = ["actor", "action", "object"] as const;
const NO_FILTER = { actor: null, action: null, object: null, refused: null, from: null, to: null };

function columnsOf({ t, time, label }: I18n): ColumnDef<AuditEvent>[] {
    return [
        { id: "seq", header: t("audit.seq"), meta: { width: "80px", right: true }, cell: ({ row }) => <span className="num muted">{row.original.seq}</span> },
        { id: "at", header: t("audit.at"), meta: { width: "210px" }, cell: ({ row }) => <span className="num">{time(row.original.at)}</span> },
        { id: "actor", header: t("audit.actor"), meta: { width: "minmax(140px, 1fr)" }, cell: ({ row: { original } }) => (
            <span className="truncate" title={`${label("actor", original.actor_kind)} ${original.actor_name}`}>
                {original.actor_name || label("actor", original.actor_kind)}
            </span>
        ) },
        { id: "action", header: t("audit.action"), meta: { width: "minmax(150px, 1fr)" }, cell: ({ row }) => <span className="mono truncate">{row.original.action}</span> },
        { id: "refusal", header: t("audit.refusal"), meta: { width: "150px" }, cell: ({ row }) => row.original.refusal && <Badge>{row.original.refusal}</Badge> },
        { id: "object", header: t("audit.object"), meta: { width: "minmax(160px, 1.4fr)" }, cell: ({ row }) => <span className="truncate mono muted" title={row.original.object}>{row.original.object}</span> },
        { id: "remote", header: t("security.from"), meta: { width: "130px" }, cell: ({ row }) => <span className="mono muted truncate">{row.original.remote}</span> },
        { id: "request", header: t("audit.request"), meta: { width: "110px" }, cell: ({ row }) => <span className="mono faint truncate" title={row.original.request_id}>{row.original.request_id}</span> },
    ];
}

function filterOf(search: Search): AuditFilter {
    const filter: AuditFilter = dayRange(search.from, search.to);
    for (const key of TEXTS) if (search[key]) filter[key] = search[key];
    if (search.refused) filter.refused = "true";
    return filter;
}

export function AuditTab() {
    const i18n = useI18n();
    const { t } = i18n;
    const [search, setSearch] = useSearchState();
    const filter = filterOf(search);
    const query = useInfiniteQuery(auditQuery(filter));
    const { rows, onEnd } = useRows(query);
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    const filtered = Object.keys(filter).length > 0;
    return (
        <>
            <AuditActions />
            <Filters search={search} onChange={setSearch} />
            <Answer query={query}>
                {() =>
                    rows.length === 0 ? (
                        <EmptyState icon={ScrollText} title={t(filtered ? "list.none.title" : "audit.empty.title")} body={t(filtered ? "list.none.body" : "audit.empty.body")}>
                            {filtered && <Button onClick={() => setSearch(NO_FILTER)}>{t("list.clear")}</Button>}
                        </EmptyState>
                    ) : (
                        <DataTable label={t("team.audit")} rows={rows} columns={columns} rowKey={(row) => String(row.seq)} onEnd={onEnd} />
                    )
                }
            </Answer>
        </>
    );
}

function AuditActions() {
    const { t } = useI18n();
    const verify = useVerifyAudit();
    return (
        <>
            <Toolbar>
                <span className="muted small grow" style={{ flexBasis: "14rem" }}>{t("audit.lead")}</span>
                <Button icon={ShieldCheck} busy={verify.isPending} onClick={() => verify.mutate()}>
                    {t("audit.verify")}
                </Button>
                <DownloadLink icon={Download} href={auditExportUrl("jsonl")} name="audit.jsonl">
                    {t("format.jsonl")}
                </DownloadLink>
                <DownloadLink icon={Download} href={auditExportUrl("csv")} name="audit.csv">
                    {t("list.csv")}
                </DownloadLink>
            </Toolbar>
            {verify.data && <Verdict verification={verify.data} />}
        </>
    );
}

function Filters({ search, onChange }: { search: Search; onChange: SetSearch }) {
    const { t } = useI18n();
    return (
        <Toolbar>
            {TEXTS.map((key) => (
                <SearchBox key={key} label={t(`audit.search.${key}`)} value={search[key] ?? ""} onSearch={(text) => onChange({ [key]: text })} />
            ))}
            <BareInput type="date" label={t("audit.from")} value={search.from ?? ""} max={search.to} onChange={(event) => onChange({ from: event.target.value })} />
            <BareInput type="date" label={t("audit.to")} value={search.to ?? ""} min={search.from} onChange={(event) => onChange({ to: event.target.value })} />
            <Checkbox label={t("audit.refused")} checked={Boolean(search.refused)} onChange={(event) => onChange({ refused: event.target.checked ? "1" : null })} />
        </Toolbar>
    );
}
