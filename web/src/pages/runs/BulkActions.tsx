/* What can be done to all selected runs at once. Deleting asks for the number to be typed. */
import { useQuery } from "@tanstack/react-query";
import { Archive, ArchiveRestore, Download, FolderInput, Tag, Trash2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { experimentsQuery } from "../../api/experiments";
import { useBulkRuns } from "../../api/runs";
import type { RunBulk } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Checkbox, Input, Select } from "../../components/Field";
import { toast } from "../../components/Toaster";
import { TypedConfirmDialog } from "../../components/TypedConfirmDialog";
import { useI18n } from "../../i18n/i18n";

interface BulkProps {
    project: string;
    ids: string[];
    archived: boolean;
    /** Otherwise what is selected can only be saved. */
    may: boolean;
    onCsv: () => void;
    onDone: () => void;
}

export function BulkActions({ project, ids, archived, may, onCsv, onDone }: BulkProps) {
    const { t, tn } = useI18n();
    const bulk = useBulkRuns(project);
    const [asked, setAsked] = useState<"tag" | "move" | "delete" | null>(null);
    const run = (change: Omit<RunBulk, "ids">) =>
        bulk.mutate({ ids, ...change }, {
            onSuccess: () => {
                setAsked(null);
                toast(tn(`runs.bulk.${change.action}`, ids.length));
                if (change.action !== "tag" && change.action !== "untag") onDone();
            },
        });
    const props = { busy: bulk.isPending, onClose: () => setAsked(null), onRun: run };
    return (
        <>
            {may && (archived ? (
                <>
                    <Button small icon={ArchiveRestore} busy={bulk.isPending} onClick={() => run({ action: "restore" })}>{t("lifecycle.restore")}</Button>
                    <Button small icon={Trash2} onClick={() => setAsked("delete")}>{t("lifecycle.delete")}</Button>
                </>
            ) : (
                <>
                    <Button small icon={Tag} onClick={() => setAsked("tag")}>{t("runs.bulk.tag")}</Button>
                    <Button small icon={FolderInput} onClick={() => setAsked("move")}>{t("runs.bulk.move")}</Button>
                    <Button small icon={Archive} busy={bulk.isPending} onClick={() => run({ action: "archive" })}>{t("lifecycle.archive")}</Button>
                </>
            ))}
            <Button small icon={Download} onClick={onCsv}>{t("list.csv")}</Button>
            <Button small variant="ghost" onClick={onDone}>{t("list.unselect")}</Button>
            {asked === "tag" && <TagDialog {...props} />}
            {asked === "move" && <MoveDialog {...props} project={project} />}
            {asked === "delete" && (
                <TypedConfirmDialog
                    open
                    onClose={props.onClose}
                    name={String(ids.length)}
                    title={tn("runs.delete.title", ids.length)}
                    body={t("runs.delete.body")}
                    action={t("lifecycle.delete")}
                    busy={bulk.isPending}
                    onConfirm={() => run({ action: "delete" })}
                />
            )}
        </>
    );
}

interface BulkDialogProps {
    busy: boolean;
    onClose: () => void;
    onRun: (change: Omit<RunBulk, "ids">) => void;
}

function TagDialog({ busy, onClose, onRun }: BulkDialogProps) {
    const { t } = useI18n();
    const [key, setKey] = useState("");
    const [value, setValue] = useState("");
    const [remove, setRemove] = useState(false);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        onRun(remove ? { action: "untag", key } : { action: "tag", key, value });
    };
    return (
        <Dialog open onClose={onClose} title={t("runs.bulk.tag")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("tags.key")} required autoFocus maxLength={250} value={key} onChange={(event) => setKey(event.target.value)} />
                {!remove && <Input label={t("tags.value")} maxLength={5000} value={value} onChange={(event) => setValue(event.target.value)} />}
                <Checkbox label={t("runs.bulk.tag.remove")} checked={remove} onChange={(event) => setRemove(event.target.checked)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={busy}>{t("action.save")}</Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}

function MoveDialog({ project, busy, onClose, onRun }: BulkDialogProps & { project: string }) {
    const { t } = useI18n();
    const { data: experiments } = useQuery(experimentsQuery(project));
    const [target, setTarget] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        onRun({ action: "move", experiment_id: target });
    };
    return (
        <Dialog open onClose={onClose} title={t("runs.bulk.move")}>
            <form className="stack" onSubmit={submit}>
                <Select label={t("field.experiment")} required value={target} onChange={(event) => setTarget(event.target.value)}>
                    <option value="" />
                    {experiments?.items.map((experiment) => (
                        <option key={experiment.id} value={experiment.id}>
                            {experiment.folder === "" ? experiment.name : `${experiment.folder}/${experiment.name}`}
                        </option>
                    ))}
                </Select>
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" disabled={target === ""} busy={busy}>{t("runs.bulk.move.action")}</Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
