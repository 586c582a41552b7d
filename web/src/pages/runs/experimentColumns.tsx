/* The columns of the experiments' tree: rows are folders and experiments. */
import type { ColumnDef } from "@tanstack/react-table";
import { Archive, ArchiveRestore, ChevronDown, ChevronRight, FlaskRound, Folder, MoreHorizontal, Pencil, Trash2 } from "lucide-react";
import type { Experiment } from "../../api/types";
import { Button } from "../../components/Button";
import { Menu, MenuItem } from "../../components/Menu";
import { TagLine } from "../../components/Tags";
import type { I18n } from "../../i18n/i18n";
import type { TreeRow } from "../../lib/folderTree";

export type ExperimentAction = "edit" | "archive" | "restore" | "delete";
export type ExperimentRow = TreeRow<Experiment>;

const INDENT_PX = 20;

export function rowId(row: ExperimentRow): string {
    return row.kind === "folder" ? `folder:${row.path}` : row.item.id;
}

function RowMenu({ experiment, i18n: { t }, onAct }: { experiment: Experiment; i18n: I18n; onAct: (action: ExperimentAction, experiment: Experiment) => void }) {
    const act = (action: ExperimentAction) => () => onAct(action, experiment);
    return (
        <Menu align="end" trigger={<Button small variant="ghost" icon={MoreHorizontal} aria-label={t("experiment.more", { name: experiment.name })} />}>
            {experiment.archived_at === null ? (
                <>
                    <MenuItem icon={Pencil} onSelect={act("edit")}>{t("experiment.edit")}</MenuItem>
                    <MenuItem icon={Archive} disabled={experiment.number === 0} onSelect={act("archive")}>{t("lifecycle.archive")}</MenuItem>
                </>
            ) : (
                <>
                    <MenuItem icon={ArchiveRestore} onSelect={act("restore")}>{t("lifecycle.restore")}</MenuItem>
                    <MenuItem icon={Trash2} onSelect={act("delete")}>{t("lifecycle.delete")}</MenuItem>
                </>
            )}
        </Menu>
    );
}

/** onAct absent: they can only be looked at. onFolder absent: folders stay where they are. */
export function experimentColumns(i18n: I18n, onAct: ((action: ExperimentAction, experiment: Experiment) => void) | undefined, onFolder: ((path: string) => void) | undefined): ColumnDef<ExperimentRow>[] {
    const { t, ago, count } = i18n;
    const of = (row: ExperimentRow) => (row.kind === "item" ? row.item : null);
    return [
        { id: "name", header: t("field.name"), meta: { width: "minmax(220px, 2fr)" }, cell: ({ row: { original: row } }) => (
            <span className="row" style={{ paddingLeft: row.depth * INDENT_PX }}>
                {row.kind === "folder" ? (
                    <>
                        {row.open ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
                        <Folder size={15} aria-hidden className="faint" />
                        <span className="truncate">{row.name}</span>
                        <span className="faint num">{count(row.count)}</span>
                    </>
                ) : (
                    <>
                        <FlaskRound size={15} aria-hidden className="faint" />
                        <strong className="truncate" title={row.item.name}>{row.item.name}</strong>
                    </>
                )}
            </span>
        ) },
        { id: "description", header: t("field.description"), meta: { width: "minmax(140px, 1.6fr)" }, cell: ({ row }) => <span className="truncate muted">{of(row.original)?.description}</span> },
        { id: "tags", header: t("run.tags"), meta: { width: "minmax(120px, 1.2fr)" }, cell: ({ row: { original } }) => {
            const item = of(original);
            return item && <TagLine tags={item.tags} />;
        } },
        { id: "runs", header: t("nav.runs"), meta: { width: "90px", right: true }, cell: ({ row: { original } }) => {
            const item = of(original);
            return item && count(item.runs);
        } },
        { id: "updated", header: t("field.updated"), meta: { width: "130px" }, cell: ({ row: { original } }) => {
            const item = of(original);
            return item && <span className="muted">{ago(item.updated_at)}</span>;
        } },
        { id: "menu", header: "", meta: { width: "56px", right: true }, cell: ({ row: { original } }) => {
            if (!onAct) return null;
            if (original.kind === "item") return <RowMenu experiment={original.item} i18n={i18n} onAct={onAct} />;
            return onFolder && <Button small variant="ghost" icon={Pencil} aria-label={t("folder.move", { folder: original.path })} title={t("folder.move", { folder: original.path })} onClick={() => onFolder(original.path)} />;
        } },
    ];
}
