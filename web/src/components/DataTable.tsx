/*
 * The list of every list page: rows are virtualised (only what is visible is in the document), more are
 * fetched when the end comes near. Keys: j/k or arrows move, Enter opens, x selects, Shift-x selects up to
 * here, Home/End jump. Where rows can be selected each begins with a box, and the head has one for all.
 */
import { flexRender, getCoreRowModel, useReactTable, type ColumnDef, type RowData } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useEffect, useRef, useState, type CSSProperties, type FocusEvent, type KeyboardEvent, type ReactNode } from "react";
import { useI18n } from "../i18n/i18n";
import { clamp } from "../lib/clamp";
import { cx } from "../lib/cx";
import css from "./DataTable.module.css";

declare module "@tanstack/react-table" {
    // The type parameters must repeat the library's own.
    // eslint-disable-next-line @typescript-eslint/no-unused-vars
    interface ColumnMeta<TData extends RowData, TValue> {
        /** A grid track size, such as "minmax(160px, 2fr)". */
        width?: string;
        right?: boolean;
        /** The server's sort key; absent: not sortable. */
        sort?: string;
        /** What the column is in a CSV file; absent: left out. */
        csv?: (row: TData) => string | number | null | undefined;
    }
}

export interface TableProps<T> {
    label: string;
    rows: T[];
    columns: ColumnDef<T>[];
    rowKey: (row: T) => string;
    onOpen?: (row: T) => void;
    /** For rows that open and close others. */
    expanded?: (row: T) => boolean | undefined;
    sort?: string;
    onSort?: (sort: string) => void;
    selected?: Set<string>;
    onSelect?: (selected: Set<string>) => void;
    onEnd?: () => void;
    foot?: ReactNode;
    bulk?: ReactNode;
}

const SELECT_TRACK = "40px";
const ROW_PX = 38;
const ROWS_BEFORE_END = 20;

export function Toolbar({ children }: { children: ReactNode }) {
    return <div className={css.toolbar}>{children}</div>;
}

export function DataTable<T>(props: TableProps<T>) {
    const { rows, columns, rowKey, onOpen, selected, onSelect, onEnd } = props;
    const { t, tn } = useI18n();
    const anchor = useRef(0);
    const scroll = useRef<HTMLDivElement>(null);
    const [active, setActive] = useState(0);
    const table = useReactTable({ data: rows, columns, getCoreRowModel: getCoreRowModel(), getRowId: rowKey });
    const virtual = useVirtualizer({
        count: rows.length,
        getScrollElement: () => scroll.current,
        estimateSize: () => ROW_PX,
        overscan: 12,
    });
    const visible = virtual.getVirtualItems();
    const lastVisible = visible.at(-1)?.index ?? 0;
    useEffect(() => {
        if (onEnd && lastVisible >= rows.length - ROWS_BEFORE_END) onEnd();
    }, [lastVisible, rows.length, onEnd]);

    /* One row can be reached by Tab: the last one walked to or, when that is out of sight or gone, the first that is seen. */
    const reachable = visible.some(({ index }) => index === active) ? active : visible[0]?.index;

    /* The bar that acts on the selection leaves with it, and rows leave the list: the focus must not leave with them. */
    const holdsFocus = useRef(false);
    const count = selected?.size ?? 0;
    const countBefore = useRef(count);
    useEffect(() => {
        const emptied = countBefore.current > 0 && count === 0;
        countBefore.current = count;
        if ((!emptied && !holdsFocus.current) || document.activeElement !== document.body) return;
        scroll.current?.querySelector<HTMLElement>("[role=row][tabindex='0']")?.focus({ preventScroll: true });
    }, [count, rows]);
    const onBlur = ({ target }: FocusEvent<HTMLElement>) =>
        requestAnimationFrame(() => {
            if (target.isConnected) holdsFocus.current = scroll.current?.contains(document.activeElement) ?? false;
        });

    const selects = selected !== undefined && onSelect !== undefined;
    const template = [
        ...(selects ? [SELECT_TRACK] : []),
        ...table.getVisibleLeafColumns().map((column) => column.columnDef.meta?.width ?? "minmax(120px, 1fr)"),
    ];
    const tracks = template.reduce((sum, track) => sum + (parseInt(/\d+px/.exec(track)?.[0] ?? "0", 10) || 0), 0);
    const grid = { gridTemplateColumns: template.join(" ") };

    const move = (index: number) => {
        const next = clamp(index, 0, rows.length - 1);
        setActive(next);
        virtual.scrollToIndex(next);
        requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus());
    };
    /* As a file manager does it: with Shift everything from the last one chosen up to here. */
    const toggle = (index: number, upToHere: boolean) => {
        if (!selects) return;
        const next = new Set(selected);
        const [first, last] = upToHere ? [Math.min(anchor.current, index), Math.max(anchor.current, index)] : [index, index];
        const chosen = upToHere || !next.has(rowKey(rows[index]!));
        for (const row of rows.slice(first, last + 1)) next[chosen ? "add" : "delete"](rowKey(row));
        anchor.current = index;
        onSelect(next);
    };
    const all = selects && rows.length > 0 && rows.every((row) => selected.has(rowKey(row)));
    const toggleAll = () => onSelect?.(new Set(all ? [...(selected ?? [])].filter((key) => !rows.some((row) => rowKey(row) === key)) : [...(selected ?? []), ...rows.map(rowKey)]));
    const onKey = (event: KeyboardEvent) => {
        if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).role !== "row") return;
        /* Rows that came in above have moved the one that has the focus. */
        const here = Number((event.target as HTMLElement).dataset.index);
        const row = rows[here];
        const action: Record<string, () => void> = {
            j: () => move(here + 1),
            ArrowDown: () => move(here + 1),
            k: () => move(here - 1),
            ArrowUp: () => move(here - 1),
            Home: () => move(0),
            End: () => move(rows.length - 1),
            Enter: () => row && onOpen?.(row),
            x: () => row && toggle(here, false),
            X: () => row && toggle(here, true),
        };
        const run = action[event.key];
        if (!run) return;
        event.preventDefault();
        event.stopPropagation();
        run();
    };

    return (
        <div className={css.frame}>
            <div
                ref={scroll}
                className={css.scroll}
                role="grid"
                aria-label={props.label}
                aria-rowcount={rows.length}
                data-list
                style={{ "--tracks": `${tracks}px` } as CSSProperties}
                onKeyDown={onKey}
                onBlur={onBlur}
            >
                <div className={css.head} role="row" style={grid}>
                    {selects && (
                        <div role="columnheader" className={css.cell}>
                            <input type="checkbox" className={css.pick} aria-label={t("list.select_all")} checked={all} onChange={toggleAll} />
                        </div>
                    )}
                    {table.getFlatHeaders().map((header) => (
                        <HeaderCell key={header.id} sort={props.sort} onSort={props.onSort} meta={header.column.columnDef.meta}>
                            {flexRender(header.column.columnDef.header, header.getContext())}
                        </HeaderCell>
                    ))}
                </div>
                <div className={css.body} role="rowgroup" style={{ height: virtual.getTotalSize() }}>
                    {visible.map((item) => {
                        const row = table.getRowModel().rows[item.index]!;
                        const chosen = selected?.has(row.id) ?? false;
                        return (
                            <div
                                key={row.id}
                                role="row"
                                aria-rowindex={item.index + 1}
                                aria-expanded={props.expanded?.(row.original)}
                                aria-selected={selected ? chosen : undefined}
                                data-index={item.index}
                                data-id={row.id}
                                tabIndex={item.index === reachable ? 0 : -1}
                                className={cx(css.line, onOpen && css.open, chosen && css.chosen)}
                                style={{ ...grid, transform: `translateY(${item.start}px)` }}
                                onFocus={() => {
                                    holdsFocus.current = true;
                                    setActive(item.index);
                                }}
                                onClick={(event) => {
                                    /* A menu of the row stands elsewhere in the document, but its clicks arrive here. */
                                    if (!event.currentTarget.contains(event.target as Node)) return;
                                    if ((event.target as HTMLElement).closest("a,button,input,label")) return;
                                    onOpen?.(row.original);
                                }}
                            >
                                {selects && (
                                    <div role="gridcell" className={css.cell}>
                                        <input
                                            type="checkbox"
                                            className={css.pick}
                                            tabIndex={-1}
                                            aria-label={t("list.select")}
                                            checked={chosen}
                                            onChange={(event) => toggle(item.index, (event.nativeEvent as MouseEvent).shiftKey)}
                                        />
                                    </div>
                                )}
                                {row.getVisibleCells().map((cell) => (
                                    <div
                                        key={cell.id}
                                        role="gridcell"
                                        className={cx(css.cell, cell.column.columnDef.meta?.right && css.right)}
                                    >
                                        {flexRender(cell.column.columnDef.cell, cell.getContext())}
                                    </div>
                                ))}
                            </div>
                        );
                    })}
                </div>
            </div>
            <div className={cx(css.foot, selected && selected.size > 0 && css.bulk)}>
                {selected && selected.size > 0 ? (
                    <>
                        <span>{tn("list.selected", selected.size)}</span>
                        <span className="row">{props.bulk}</span>
                    </>
                ) : (
                    <>
                        <span>{tn("list.rows", rows.length)}</span>
                        {props.foot}
                    </>
                )}
            </div>
        </div>
    );
}

interface HeaderProps {
    meta: { right?: boolean; sort?: string } | undefined;
    sort: string | undefined;
    onSort: ((sort: string) => void) | undefined;
    children: ReactNode;
}

function HeaderCell({ meta, sort, onSort, children }: HeaderProps) {
    const key = meta?.sort;
    const up = key !== undefined && sort === key;
    const down = key !== undefined && sort === `-${key}`;
    return (
        <div
            role="columnheader"
            className={cx(css.cell, meta?.right && css.right)}
            aria-sort={up ? "ascending" : down ? "descending" : undefined}
        >
            {key && onSort ? (
                <button type="button" className={css.sort} onClick={() => onSort(down ? key : `-${key}`)}>
                    <span className="truncate">{children}</span>
                    {up && <ArrowUp size={12} aria-hidden />}
                    {down && <ArrowDown size={12} aria-hidden />}
                </button>
            ) : (
                children
            )}
        </div>
    );
}
