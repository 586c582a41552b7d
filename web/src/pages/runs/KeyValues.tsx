/* Parameters or last metric values as a list that can be searched, however many there are. */
import type { ColumnDef } from "@tanstack/react-table";
import { useMemo, useState } from "react";
import { CopyButton } from "../../components/CodeBlock";
import { DataTable } from "../../components/DataTable";
import { SearchBox } from "../../components/Field";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import css from "./RunPage.module.css";

type Pair = [key: string, value: string];
const SEARCHABLE = 8;

export function KeyValues({ title, search, pairs, right }: { title: string; search: string; pairs: Pair[]; right?: boolean }) {
    const { t, count } = useI18n();
    const [text, setText] = useState("");
    const needle = text.toLowerCase();
    const found = useMemo(() => pairs.filter((pair) => pair.some((part) => part.toLowerCase().includes(needle))), [pairs, needle]);
    const columns = useMemo<ColumnDef<Pair>[]>(
        () => [
            { id: "key", header: t("field.name"), meta: { width: "minmax(130px, 1fr)" }, cell: ({ row }) => <span className="truncate" title={row.original[0]}>{row.original[0]}</span> },
            { id: "value", header: t("tags.value"), meta: { width: "minmax(120px, 1fr)", right: right ?? false }, cell: ({ row: { original } }) => (
                <>
                    <span className="truncate mono" title={original[1]}>{original[1]}</span>
                    {!right && <CopyButton text={original[1]} />}
                </>
            ) },
        ],
        [t, right],
    );
    return (
        <Card title={`${title} (${count(pairs.length)})`} flush actions={pairs.length > SEARCHABLE && <SearchBox label={search} value={text} onSearch={setText} />}>
            <div className={css.pairs}>
                {found.length === 0 ? <p className="muted">{t(pairs.length === 0 ? "run.nothing" : "list.none.title")}</p> : <DataTable label={title} rows={found} columns={columns} rowKey={([key]) => key} />}
            </div>
        </Card>
    );
}
