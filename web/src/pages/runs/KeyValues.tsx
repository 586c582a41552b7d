/* Parameters, or metrics with a few values each, as a list that can be searched, however many there are. */
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo, useState } from "react";
import { CopyButton } from "../../components/CodeBlock";
import { DataTable } from "../../components/DataTable";
import { SearchBox } from "../../components/Field";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import css from "./RunPage.module.css";

const SEARCHABLE = 8;

interface KeyValuesProps {
    title: string;
    search: string;
    /** A key and what it has. */
    rows: string[][];
    /** Heads of what it has, when those are numbers; else it is one text that can be copied. */
    numbers?: string[];
}

export function KeyValues({ title, search, rows, numbers }: KeyValuesProps) {
    const { t, count } = useI18n();
    const [text, setText] = useState("");
    const needle = text.toLowerCase();
    const found = useMemo(() => rows.filter((row) => row.some((part) => part.toLowerCase().includes(needle))), [rows, needle]);
    const heads = numbers?.join("\n");
    const columns = useMemo<ColumnDef<string[]>[]>(
        () => [
            { id: "key", header: t("field.name"), meta: { width: "minmax(130px, 1.4fr)" }, cell: ({ row }) => <span className="truncate" title={row.original[0]}>{row.original[0]}</span> },
            ...(heads === undefined ? [{ id: "value", header: t("tags.value"), meta: { width: "minmax(120px, 1fr)" }, cell: ({ row }) => <CopiedText text={row.original[1]!} /> } satisfies ColumnDef<string[]>] : []),
            ...(heads?.split("\n") ?? []).map((header, index): ColumnDef<string[]> => ({
                id: header, header, meta: { width: "minmax(76px, 0.7fr)", right: true }, cell: ({ row }) => <span className="truncate mono" title={row.original[index + 1]}>{row.original[index + 1]}</span>,
            })),
        ],
        [t, heads],
    );
    return (
        <Card title={`${title} (${count(rows.length)})`} flush actions={rows.length > SEARCHABLE && <SearchBox label={search} value={text} onSearch={setText} />}>
            <div className={css.pairs}>
                {found.length === 0 ? <p className="muted">{t(rows.length === 0 ? "run.nothing" : "list.none.title")}</p> : <DataTable label={title} rows={found} columns={columns} rowKey={([key]) => key!} />}
            </div>
        </Card>
    );
}

function CopiedText({ text }: { text: string }) {
    return (
        <>
            <span className="truncate mono" title={text}>{text}</span>
            <CopyButton text={text} />
        </>
    );
}
