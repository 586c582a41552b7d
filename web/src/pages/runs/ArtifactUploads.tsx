/* Puts files and whole folders among the artifacts, dropped or chosen, and shows what becomes of each. */
import { FileUp, FolderUp, RotateCcw, X } from "lucide-react";
import { useRef, useState, type DragEvent, type ReactNode, type RefObject } from "react";
import type { ArtifactOwner } from "../../api/artifacts";
import { Button } from "../../components/Button";
import { BareInput } from "../../components/Field";
import { Bar, reasonOf } from "../../components/Status";
import { Card } from "../../components/Surface";
import { toast, toastError } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";
import { cx } from "../../lib/cx";
import { chosenFiles, entriesOf, MOST_FILES, walkEntries, type Gathered } from "../../lib/droppedFiles";
import { formatBytes } from "../../lib/format";
import css from "./Artifacts.module.css";
import { useArtifactUploads, type ArtifactUpload } from "./useArtifactUploads";

/* Of a long list those that need somebody come first; the rest are counted. */
const SHOWN = 50;
const ORDER = ["failed", "taken", "sending", "waiting", "done"];

export function ArtifactUploads({ owner, children }: { owner: ArtifactOwner; children: ReactNode }) {
    const { t, count } = useI18n();
    const { uploads, add, resend, remove } = useArtifactUploads(owner);
    const [over, setOver] = useState(false);
    const [folder, setFolder] = useState("");
    const files = useRef<HTMLInputElement>(null);
    const folders = useRef<HTMLInputElement>(null);
    const take = ({ files: found, cut }: Gathered) => {
        const prefix = folder.split("/").filter(Boolean).map((part) => `${part}/`).join("");
        add(found.map(({ path, file }) => ({ path: prefix + path, file })));
        if (cut) toast(t("upload.cut", { n: count(MOST_FILES) }));
    };
    const onDrop = (event: DragEvent) => {
        event.preventDefault();
        setOver(false);
        const entries = entriesOf(event.dataTransfer);
        if (entries.length > 0) void walkEntries(entries).then(take, toastError);
        else take(chosenFiles(event.dataTransfer.files));
    };
    return (
        <div
            className={cx("stack", css.drop, over && css.over)}
            onDragOver={(event) => {
                if (!event.dataTransfer.types.includes("Files")) return;
                event.preventDefault();
                setOver(true);
            }}
            onDragLeave={(event) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false)}
            onDrop={onDrop}
        >
            <div className="row wrap">
                <Button icon={FileUp} onClick={() => files.current?.click()}>
                    {t("upload.files")}
                </Button>
                <Button icon={FolderUp} onClick={() => folders.current?.click()}>
                    {t("upload.folder")}
                </Button>
                <BareInput label={t("upload.into")} placeholder={t("upload.into")} className={css.into} maxLength={500} value={folder} onChange={(event) => setFolder(event.target.value)} />
                <span className="faint small">{t("upload.hint")}</span>
                <Chooser input={files} onTake={take} />
                <Chooser input={folders} directory onTake={take} />
            </div>
            {uploads.length > 0 && <Uploads uploads={uploads} onResend={resend} onRemove={remove} />}
            {children}
        </div>
    );
}

function Chooser({ input, directory, onTake }: { input: RefObject<HTMLInputElement | null>; directory?: boolean; onTake: (gathered: Gathered) => void }) {
    const { t } = useI18n();
    return (
        <input
            ref={(element) => {
                input.current = element;
                if (element && directory) element.webkitdirectory = true;
            }}
            type="file"
            hidden
            multiple
            aria-label={t(directory ? "upload.folder" : "upload.files")}
            onChange={(event) => {
                onTake(chosenFiles(event.target.files!));
                event.target.value = "";
            }}
        />
    );
}

interface UploadsProps {
    uploads: ArtifactUpload[];
    onResend: (paths: string[], replaces: boolean) => void;
    onRemove: (paths: string[]) => void;
}

function Uploads({ uploads, onResend, onRemove }: UploadsProps) {
    const { t, tn, count } = useI18n();
    const of = (...states: ArtifactUpload["state"][]) => uploads.filter(({ state }) => states.includes(state)).map(({ path }) => path);
    const done = of("done");
    const left = of("waiting", "sending");
    const taken = of("taken");
    const failed = of("failed");
    const bytes = uploads.reduce((sum, { size }) => sum + size, 0);
    const sent = uploads.reduce((sum, upload) => sum + upload.sent, 0);
    const shown = [...uploads].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state)).slice(0, SHOWN);
    const actions = (
        <>
            {taken.length > 1 && <Button small onClick={() => onResend(taken, true)}>{tn("upload.replace_all", taken.length)}</Button>}
            {failed.length > 1 && <Button small icon={RotateCcw} onClick={() => onResend(failed, false)}>{tn("upload.retry_all", failed.length)}</Button>}
            {left.length > 0 ? (
                <Button small icon={X} onClick={() => onRemove(left)}>{t("upload.cancel")}</Button>
            ) : (
                <Button small icon={X} onClick={() => onRemove(uploads.map(({ path }) => path))}>{t("action.close")}</Button>
            )}
        </>
    );
    return (
        <Card title={<span role="status">{t("upload.progress", { done: count(done.length), of: count(uploads.length) })}</span>} actions={actions}>
            <div className="stack-s">
                <Bar label={t("upload.title")} value={bytes === 0 ? 1 : sent / bytes} />
                <ul className={css.uploads}>
                    {shown.map((upload) => (
                        <Row key={upload.path} upload={upload} onResend={onResend} onRemove={onRemove} />
                    ))}
                </ul>
                {uploads.length > shown.length && <p className="muted small">{t("upload.more", { n: count(uploads.length - shown.length) })}</p>}
            </div>
        </Card>
    );
}

function Row({ upload, onResend, onRemove }: Omit<UploadsProps, "uploads"> & { upload: ArtifactUpload }) {
    const { t } = useI18n();
    const { path, size, sent, state } = upload;
    const said = state === "failed" ? reasonOf(upload.error, t) : state === "sending" && sent > 0 ? `${formatBytes(sent)} / ${formatBytes(size)}` : t(`upload.state.${state}`);
    return (
        <li data-upload={state}>
            <span className="truncate grow" title={path}>{path}</span>
            <span className={cx("small", state === "failed" ? css.bad : "muted")} role={state === "failed" ? "alert" : undefined}>{said}</span>
            {state === "taken" && <Button small onClick={() => onResend([path], true)}>{t("upload.replace")}</Button>}
            {state === "failed" && <Button small icon={RotateCcw} onClick={() => onResend([path], false)}>{t("action.retry")}</Button>}
            {state !== "done" && (
                <Button small variant="ghost" icon={X} aria-label={t(state === "taken" ? "upload.skip" : "upload.cancel_one", { path })} onClick={() => onRemove([path])} />
            )}
        </li>
    );
}
