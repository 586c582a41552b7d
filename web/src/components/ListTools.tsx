/* What every list offers beside its filter: which columns to show (kept in the URL), and the rows as CSV. */
import type { ColumnDef } from "@tanstack/react-table";
import { Columns3, Download } from "lucide-react";
import { useI18n } from "../i18n/i18n";
import { toCsv } from "../lib/csv";
import { downloadText } from "../lib/downloadText";
import { Button } from "./Button";
import { Menu, MenuLabel, MenuToggle } from "./Menu";

/** The columns that `hide` ("a,b") leaves. */
export function visibleColumns<T>(columns: ColumnDef<T>[], hide: string | undefined): ColumnDef<T>[] {
    const hidden = hide?.split(",") ?? [];
    return columns.filter((column) => !hidden.includes(column.id ?? ""));
}

export function downloadRows<T>(name: string, columns: ColumnDef<T>[], rows: T[]): void {
    const kept = columns.filter((column) => column.meta?.csv);
    const table = rows.map((row) => kept.map((column) => column.meta!.csv!(row)));
    downloadText(`${name}.csv`, toCsv([kept.map((column) => column.id ?? ""), ...table]));
}

interface ListToolsProps<T> {
    /** Of the CSV file. */
    name: string;
    columns: ColumnDef<T>[];
    rows: T[];
    hide: string | undefined;
    onHide: (hide: string) => void;
}

export function ListTools<T>({ name, columns, rows, hide, onHide }: ListToolsProps<T>) {
    const { t } = useI18n();
    const hidden = hide ? hide.split(",") : [];
    const toggle = (id: string) =>
        onHide((hidden.includes(id) ? hidden.filter((other) => other !== id) : [...hidden, id]).join(","));
    return (
        <>
            <span className="grow" />
            <Menu align="end" trigger={<Button icon={Columns3}>{t("list.columns")}</Button>}>
                <MenuLabel>{t("list.columns")}</MenuLabel>
                {columns
                    .filter((column) => column.id && column.id !== "name")
                    .map((column) => (
                        <MenuToggle key={column.id} checked={!hidden.includes(column.id!)} onToggle={() => toggle(column.id!)}>
                            {String(column.header)}
                        </MenuToggle>
                    ))}
            </Menu>
            <Button icon={Download} disabled={rows.length === 0} onClick={() => downloadRows(name, visibleColumns(columns, hide), rows)}>
                {t("list.csv")}
            </Button>
        </>
    );
}
