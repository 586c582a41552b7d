/*
 * What is in a file. Text comes through the page's own request and is shown as text, whatever it claims to be;
 * pictures, sound and film come from the server's sandboxed address; a PDF goes to the browser's own viewer as bytes
 * that we call a PDF. Everything else can be downloaded.
 */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { ColumnDef } from "@tanstack/react-table";
import { Download, FileQuestion, Trash2 } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { artifactLevelQuery, artifactPdfQuery, artifactTextQuery, artifactUrl, PREVIEW_BYTES, useDeleteArtifact, type ArtifactOwner } from "../../api/artifacts";
import type { Artifact } from "../../api/types";
import { Button, DownloadLink } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { DataTable } from "../../components/DataTable";
import { ConfirmDialog } from "../../components/Dialog";
import { Markdown } from "../../components/Markdown";
import { Answer, EmptyState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { formatBytes } from "../../lib/format";
import { loggedTable } from "../../lib/loggedTable";
import { parseCsv } from "../../lib/parseCsv";
import { previewKind, type PreviewKind } from "../../lib/previewKind";
import { useRows } from "../../lib/useRows";
import css from "./Artifacts.module.css";

const MOST_ROWS = 1000;
const MOST_SHOWN_BYTES = 32_000_000;
const baseName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

export function ArtifactPreview({ owner, may, path, onGone }: { owner: ArtifactOwner; may: boolean; path: string; onGone: () => void }) {
    const { t, ago } = useI18n();
    const level = useInfiniteQuery(artifactLevelQuery(owner, path.slice(0, Math.max(0, path.lastIndexOf("/")))));
    const { rows } = useRows<Artifact>(level);
    const [asking, setAsking] = useState(false);
    const remove = useDeleteArtifact(owner);
    const file = rows.find((entry) => entry.name === path);
    return (
        <>
            <div className={css.head}>
                <strong className="truncate" title={path}>{baseName(path)}</strong>
                {file && (
                    <span className="muted small">
                        {formatBytes(file.size_bytes)} · {file.created_at !== null && ago(file.created_at)}
                    </span>
                )}
                <span className="grow" />
                <DownloadLink small icon={Download} name={baseName(path)} href={artifactUrl(owner, path, false)}>
                    {t("action.download")}
                </DownloadLink>
                {may && <Button small variant="ghost" icon={Trash2} aria-label={t("artifacts.delete")} title={t("artifacts.delete")} onClick={() => setAsking(true)} />}
            </div>
            <Answer query={level}>{() => <Content owner={owner} path={path} file={file} />}</Answer>
            <ConfirmDialog
                open={asking}
                onClose={() => setAsking(false)}
                title={t("artifacts.delete.title", { name: baseName(path) })}
                body={t("artifacts.delete.body")}
                action={t("artifacts.delete")}
                busy={remove.isPending}
                onConfirm={() =>
                    remove.mutate(path, {
                        onSuccess: () => {
                            setAsking(false);
                            onGone();
                        },
                    })
                }
            />
        </>
    );
}

function Content({ owner, path, file }: { owner: ArtifactOwner; path: string; file: Artifact | undefined }) {
    const { t } = useI18n();
    const kind = previewKind(file?.media_type ?? "", path);
    const url = artifactUrl(owner, path, true);
    const size = file?.size_bytes ?? 0;
    if (kind === "none" || ((kind === "image" || kind === "pdf") && size > MOST_SHOWN_BYTES)) {
        return <EmptyState icon={FileQuestion} title={t("artifacts.no_preview.title")} body={t("artifacts.no_preview.body")} />;
    }
    if (kind === "image") return <img className={css.image} src={url} alt={baseName(path)} />;
    if (kind === "audio") return <audio className={css.media} src={url} controls aria-label={baseName(path)} />;
    if (kind === "video") return <video className={css.media} src={url} controls aria-label={baseName(path)} />;
    if (kind === "pdf") return <PdfContent owner={owner} path={path} file={file} />;
    return <TextContent owner={owner} path={path} file={file} kind={kind} />;
}

function PdfContent({ owner, path, file }: { owner: ArtifactOwner; path: string; file: Artifact | undefined }) {
    const query = useQuery(artifactPdfQuery(owner, path, file?.sha256 ?? null));
    const [url, setUrl] = useState("");
    useEffect(() => {
        if (!query.data) return undefined;
        const made = URL.createObjectURL(query.data);
        setUrl(made);
        return () => URL.revokeObjectURL(made);
    }, [query.data]);
    return <Answer query={query}>{() => url !== "" && <iframe className={css.document} src={url} title={baseName(path)} />}</Answer>;
}

type TextKind = Exclude<PreviewKind, "none" | "image" | "audio" | "video" | "pdf">;

function TextContent({ owner, path, file, kind }: { owner: ArtifactOwner; path: string; file: Artifact | undefined; kind: TextKind }) {
    const { t } = useI18n();
    const query = useQuery(artifactTextQuery(owner, path, file?.sha256 ?? null));
    const whole = (file?.size_bytes ?? 0) <= PREVIEW_BYTES;
    return (
        <Answer query={query}>
            {(text) => (
                <div className="stack-s">
                    {!whole && <p className="muted small">{t("artifacts.cut", { size: formatBytes(PREVIEW_BYTES) })}</p>}
                    <Shown text={text} kind={kind} path={path} whole={whole} />
                </div>
            )}
        </Answer>
    );
}

function parsed(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return undefined;
    }
}

function Shown({ text, kind, path, whole }: { text: string; kind: TextKind; path: string; whole: boolean }) {
    const json = useMemo(() => (kind === "json" && whole ? parsed(text) : undefined), [kind, text, whole]);
    const table = useMemo(() => loggedTable(json), [json]);
    if (kind === "markdown" && whole) return <Markdown text={text} />;
    if (kind === "csv" || kind === "tsv") {
        const [columns = [], ...rows] = parseCsv(text, kind === "csv" ? "," : "\t", MOST_ROWS + 1, whole);
        return <TextTable label={path} columns={columns} rows={rows} />;
    }
    if (table) return <TextTable label={path} columns={table.columns} rows={table.rows.slice(0, MOST_ROWS)} />;
    return <CodeBlock label={path} text={json === undefined ? text : JSON.stringify(json, null, 2)} />;
}

function TextTable({ label, columns, rows }: { label: string; columns: string[]; rows: string[][] }) {
    const { t, count } = useI18n();
    const numbered = useMemo(() => rows.map((cells, index) => ({ index, cells })), [rows]);
    const definitions = useMemo<ColumnDef<{ index: number; cells: string[] }>[]>(
        () => columns.map((name, column) => ({ id: `${column}`, header: name, meta: { width: "minmax(120px, 1fr)" }, cell: ({ row }) => <span className="truncate" title={row.original.cells[column]}>{row.original.cells[column]}</span> })),
        [columns],
    );
    const foot = rows.length >= MOST_ROWS && <span>{t("artifacts.rows_cut", { n: count(MOST_ROWS) })}</span>;
    return <DataTable label={label} rows={numbered} columns={definitions} rowKey={(row) => String(row.index)} foot={foot} />;
}
