/* Another name or place for a folder; whatever is in it comes along. */
import { useState, type FormEvent } from "react";
import { useMoveFolder } from "../../api/experiments";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import { ApiError } from "../../lib/apiError";

export function FolderDialog({ project, folder, onClose }: { project: string; folder: string; onClose: () => void }) {
    const { t } = useI18n();
    const move = useMoveFolder(project);
    const [to, setTo] = useState(folder);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        move.mutate({ from: folder, to }, { onSuccess: onClose });
    };
    return (
        <Dialog open onClose={onClose} title={t("folder.move.title", { folder })}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("experiment.folder")} hint={t("folder.move.hint")} autoFocus value={to} error={move.error instanceof ApiError ? move.error.message : null} onChange={(event) => setTo(event.target.value)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" disabled={to === folder} busy={move.isPending}>
                        {t("action.save")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
