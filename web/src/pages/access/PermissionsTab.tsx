/* Who can do what, and why: in the whole team, or in one project, whose own roles are given here as well. */
import { useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { ShieldQuestion } from "lucide-react";
import { useMemo } from "react";
import { permissionsQuery } from "../../api/permissions";
import { projectsQuery } from "../../api/projects";
import type { EffectivePermission } from "../../api/types";
import { DataTable, Toolbar } from "../../components/DataTable";
import { BareSelect, SearchBox } from "../../components/Field";
import { Answer, Badge, EmptyState } from "../../components/Status";
import { useI18n, type I18n } from "../../i18n/i18n";
import { useSearchState } from "../../lib/urlState";
import { ProjectRoles } from "./ProjectRoles";

function columnsOf({ t, label }: I18n): ColumnDef<EffectivePermission>[] {
    return [
        { id: "name", header: t("audit.actor"), meta: { width: "minmax(150px, 1fr)" }, cell: ({ row }) => <strong className="truncate">{row.original.subject_name}</strong> },
        { id: "kind", header: t("field.kind"), meta: { width: "140px" }, cell: ({ row }) => <span className="muted">{t(`subject.${row.original.subject_kind}`)}</span> },
        { id: "role", header: t("settings.role"), meta: { width: "140px" }, cell: ({ row }) => <Badge>{label("role", row.original.role)}</Badge> },
        { id: "because", header: t("permission.because"), meta: { width: "minmax(200px, 1.4fr)" }, cell: ({ row }) => <span className="truncate" title={row.original.because}>{row.original.because}</span> },
        { id: "permissions", header: t("permission.may"), meta: { width: "minmax(240px, 2fr)" }, cell: ({ row: { original } }) => (
            <span className="truncate mono muted" title={original.permissions.join(", ")}>
                {original.permissions.join(", ")}
            </span>
        ) },
    ];
}

export function PermissionsTab({ administers }: { administers: boolean }) {
    const i18n = useI18n();
    const { t } = i18n;
    const [search, setSearch] = useSearchState();
    const project = search.project ?? "";
    const query = useQuery(permissionsQuery(project));
    const { data: projects } = useQuery(projectsQuery);
    const columns = useMemo(() => columnsOf(i18n), [i18n]);
    const wanted = (search.q ?? "").toLowerCase();
    return (
        <div className="stack">
            <div>
                <Toolbar>
                    <BareSelect label={t("permission.where")} value={project} onChange={(event) => setSearch({ project: event.target.value })}>
                        <option value="">{t("permission.team")}</option>
                        {projects?.items.map(({ slug, name }) => (
                            <option key={slug} value={slug}>
                                {name}
                            </option>
                        ))}
                    </BareSelect>
                    <SearchBox label={t("permission.search")} value={search.q ?? ""} onSearch={(q) => setSearch({ q })} />
                </Toolbar>
                <Answer query={query}>
                    {(page) => {
                        const rows = page.items.filter((row) => [row.subject_name, row.role, row.because, ...row.permissions].some((text) => text.toLowerCase().includes(wanted)));
                        return rows.length === 0 ? (
                            <EmptyState icon={ShieldQuestion} title={t("list.none.title")} body={t("list.none.body")} />
                        ) : (
                            <DataTable label={t("team.permissions")} rows={rows} columns={columns} rowKey={(row) => `${row.subject_kind}:${row.subject_id}`} />
                        );
                    }}
                </Answer>
            </div>
            {project !== "" && administers && <ProjectRoles project={project} />}
        </div>
    );
}
