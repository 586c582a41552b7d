/* What is seldom done to a run: another name, away into the archive and back, gone for good. */
import { useNavigate } from "@tanstack/react-router";
import { Archive, ArchiveRestore, MoreHorizontal, Pencil, Trash2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useMoveRun, useUpdateRun } from "../../api/runs";
import type { Run } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input } from "../../components/Field";
import { Menu, MenuItem } from "../../components/Menu";
import { TypedConfirmDialog } from "../../components/TypedConfirmDialog";
import { useI18n } from "../../i18n/i18n";

export function RunMenu({ run, project }: { run: Run; project: string }) {
    const { t, tn } = useI18n();
    const navigate = useNavigate();
    const move = useMoveRun(run.id);
    const [asked, setAsked] = useState<"rename" | "delete" | null>(null);
    const gone = () => void navigate({ to: "/projects/$project/runs", params: { project }, search: {} });
    return (
        <>
            <Menu align="end" trigger={<Button icon={MoreHorizontal} aria-label={t("run.more")} />}>
                {run.archived_at === null ? (
                    <>
                        <MenuItem icon={Pencil} onSelect={() => setAsked("rename")}>{t("run.rename")}</MenuItem>
                        <MenuItem icon={Archive} onSelect={() => move.mutate("archive")}>{t("lifecycle.archive")}</MenuItem>
                    </>
                ) : (
                    <>
                        <MenuItem icon={ArchiveRestore} onSelect={() => move.mutate("restore")}>{t("lifecycle.restore")}</MenuItem>
                        <MenuItem icon={Trash2} onSelect={() => setAsked("delete")}>{t("lifecycle.delete")}</MenuItem>
                    </>
                )}
            </Menu>
            {asked === "rename" && <RenameDialog run={run} onClose={() => setAsked(null)} />}
            <TypedConfirmDialog
                open={asked === "delete"}
                onClose={() => setAsked(null)}
                name={run.name}
                title={tn("runs.delete.title", 1)}
                body={t("runs.delete.body")}
                action={t("lifecycle.delete")}
                busy={move.isPending}
                onConfirm={() => move.mutate("delete", { onSuccess: gone })}
            />
        </>
    );
}

function RenameDialog({ run, onClose }: { run: Run; onClose: () => void }) {
    const { t } = useI18n();
    const update = useUpdateRun(run.id);
    const [name, setName] = useState(run.name);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        update.mutate({ name }, { onSuccess: onClose });
    };
    return (
        <Dialog open onClose={onClose} title={t("run.rename")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("field.name")} required autoFocus maxLength={250} value={name} onChange={(event) => setName(event.target.value)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={update.isPending}>{t("action.save")}</Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
