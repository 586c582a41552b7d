/* Makes a group. */
import { useState, type FormEvent } from "react";
import { useCreateGroup } from "../../api/groups";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";

export function NewGroupDialog({ onClose }: { onClose: () => void }) {
    const { t } = useI18n();
    const create = useCreateGroup();
    const [name, setName] = useState("");
    const [description, setDescription] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        create.mutate({ name, description }, { onSuccess: onClose });
    };
    return (
        <Dialog open onClose={onClose} title={t("group.new")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("field.name")} required maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
                <Input label={t("field.description")} maxLength={2000} value={description} onChange={(event) => setDescription(event.target.value)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={create.isPending}>
                        {t("action.create")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
