/*
 * Imports a new version: files are uploaded resumably, then a job reads them. An upload that a reload cut
 * off is listed, and continues when the same file is chosen again.
 */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useImportVersion } from "../../api/datasets";
import type { SplitSpec } from "../../api/types";
import { deleteUpload, uploadsQuery } from "../../api/uploads";
import { Button } from "../../components/Button";
import { FileDrop } from "../../components/FileDrop";
import { Bar, ErrorState } from "../../components/Status";
import { Card } from "../../components/Surface";
import { useI18n } from "../../i18n/i18n";
import { formatBytes } from "../../lib/format";
import css from "./Dataset.module.css";
import { DEFAULT_SPLIT, ImportOptions } from "./ImportOptions";
import { useUploads, type FileUpload } from "./useUploads";

const ACCEPT = ".zip,.tar,.gz,.tgz,.csv,.tsv,.jsonl,.ndjson,.parquet,.idx,.idx3-ubyte,.idx1-ubyte,*";

export function ImportTab({ dataset, onStarted }: { dataset: string; onStarted: (version: number) => void }) {
    const { t } = useI18n();
    const { files, add, remove, retry } = useUploads();
    const [format, setFormat] = useState("auto");
    const [target, setTarget] = useState("");
    const [split, setSplit] = useState<SplitSpec>(DEFAULT_SPLIT);
    const start = useImportVersion(dataset);
    const ready = files.length > 0 && files.every((file) => file.uploadId !== null);
    const submit = () =>
        start.mutate(
            {
                upload_ids: files.map((file) => file.uploadId!),
                format,
                split,
                ...(target === "" ? {} : { target }),
            },
            { onSuccess: (version) => onStarted(version.version) },
        );
    return (
        <div className="stack">
            <FileDrop title={t("import.drop")} hint={t("import.formats")} accept={ACCEPT} multiple onFiles={add} />
            {files.length > 0 && (
                <Card title={t("import.files")}>
                    <div className={css.files}>
                        {files.map((file) => (
                            <UploadRow key={file.key} file={file} onRemove={() => remove(file.key)} onRetry={() => retry(file.key)} />
                        ))}
                    </div>
                </Card>
            )}
            <Unfinished hidden={files.map((file) => file.name)} />
            <Card title={t("import.options")}>
                <ImportOptions format={format} onFormat={setFormat} target={target} onTarget={setTarget} split={split} onSplit={setSplit} />
            </Card>
            {start.isError && <ErrorState error={start.error} />}
            <div className="row">
                <Button variant="primary" disabled={!ready} busy={start.isPending} onClick={submit}>
                    {t("import.start")}
                </Button>
                {!ready && <span className="muted small">{files.length === 0 ? t("import.choose_first") : t("import.wait")}</span>}
            </div>
        </div>
    );
}

function UploadRow({ file, onRemove, onRetry }: { file: FileUpload; onRemove: () => void; onRetry: () => void }) {
    const { t, percent } = useI18n();
    const share = file.size === 0 ? 1 : file.sent / file.size;
    return (
        <div className={css.file} data-upload={file.uploadId === null ? "sending" : "complete"}>
            <span className="truncate">
                <strong>{file.name}</strong>{" "}
                <span className="muted num">
                    {formatBytes(file.sent)} / {formatBytes(file.size)} · {file.uploadId === null ? percent(share, 0) : t("import.uploaded")}
                </span>
            </span>
            <span className="row">
                {file.error !== null && (
                    <Button small onClick={onRetry}>
                        {t("action.retry")}
                    </Button>
                )}
                <Button small variant="ghost" onClick={onRemove}>
                    {t("action.remove")}
                </Button>
            </span>
            {file.error !== null ? <ErrorState error={file.error} /> : <Bar value={share} label={file.name} />}
        </div>
    );
}

function Unfinished({ hidden }: { hidden: string[] }) {
    const { t, percent } = useI18n();
    const cache = useQueryClient();
    const { data } = useQuery(uploadsQuery);
    const left = data?.items.filter((item) => item.state === "receiving" && !hidden.includes(item.file_name)) ?? [];
    if (left.length === 0) return null;
    return (
        <Card title={t("import.unfinished")}>
            <div className={css.files}>
                <p className="muted small">{t("import.unfinished.body")}</p>
                {left.map((upload) => (
                    <div key={upload.id} className={css.file}>
                        <span className="truncate">
                            <strong>{upload.file_name}</strong>{" "}
                            <span className="muted num">
                                {formatBytes(upload.offset_bytes)} / {formatBytes(upload.size_bytes)} · {percent(upload.offset_bytes / Math.max(1, upload.size_bytes), 0)}
                            </span>
                        </span>
                        <Button
                            small
                            variant="ghost"
                            onClick={() => void deleteUpload(upload.id).then(() => cache.invalidateQueries({ queryKey: uploadsQuery.queryKey }))}
                        >
                            {t("action.discard")}
                        </Button>
                    </div>
                ))}
            </div>
        </Card>
    );
}
