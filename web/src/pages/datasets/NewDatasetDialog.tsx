/* Names a dataset; its first version is imported on its page. */
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { useCreateDataset } from "../../api/datasets";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input, Textarea } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import { ApiError } from "../../lib/apiError";

export function NewDatasetDialog({ project, open, onClose }: { project: string; open: boolean; onClose: () => void }) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const create = useCreateDataset(project);
    const [name, setName] = useState("");
    const [description, setDescription] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        create.mutate(
            { name, description },
            {
                onSuccess: (dataset) =>
                    void navigate({ to: "/projects/$project/datasets/$dataset", params: { project, dataset: dataset.id }, search: {} }),
            },
        );
    };
    const error = create.error instanceof ApiError ? create.error.message : null;
    return (
        <Dialog open={open} onClose={onClose} title={t("datasets.new")} description={t("datasets.new.body")}>
            <form onSubmit={submit} className="stack">
                <Input label={t("field.name")} required maxLength={100} value={name} error={error} onChange={(e) => setName(e.target.value)} />
                <Textarea label={t("field.description")} maxLength={2000} value={description} onChange={(e) => setDescription(e.target.value)} />
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
