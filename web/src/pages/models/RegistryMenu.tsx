/* Another name for a model; deleting it, or one version of it, asks for the name to be typed. */
import { useNavigate } from "@tanstack/react-router";
import { MoreHorizontal, Pencil, Trash2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { useDeleteRegistered, useUpdateModel, type RegistryObject } from "../../api/models";
import type { Model } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input } from "../../components/Field";
import { Menu, MenuItem } from "../../components/Menu";
import { TypedConfirmDialog } from "../../components/TypedConfirmDialog";
import { useI18n } from "../../i18n/i18n";

interface RegistryMenuProps {
    object: RegistryObject;
    id: string;
    /** As it is typed to confirm. */
    name: string;
    /** Where to go when it is gone. */
    after: string;
    model?: Model;
}

export function RegistryMenu({ object, id, name, after, model }: RegistryMenuProps) {
    const { t } = useI18n();
    const navigate = useNavigate();
    const remove = useDeleteRegistered(object, id);
    const [asked, setAsked] = useState<"rename" | "delete" | null>(null);
    const close = () => setAsked(null);
    return (
        <>
            <Menu align="end" trigger={<Button icon={MoreHorizontal} aria-label={t("model.more")} />}>
                {model && <MenuItem icon={Pencil} onSelect={() => setAsked("rename")}>{t("model.rename")}</MenuItem>}
                <MenuItem icon={Trash2} onSelect={() => setAsked("delete")}>{t("lifecycle.delete")}</MenuItem>
            </Menu>
            {model && asked === "rename" && <RenameDialog model={model} onClose={close} />}
            <TypedConfirmDialog
                open={asked === "delete"}
                onClose={close}
                name={name}
                title={t("model.delete.title", { name })}
                body={t(object === "models" ? "model.delete.body" : "version.delete.body")}
                action={t("lifecycle.delete")}
                busy={remove.isPending}
                onConfirm={() => remove.mutate(undefined, { onSuccess: () => void navigate({ to: after, search: {} }) })}
            />
        </>
    );
}

function RenameDialog({ model, onClose }: { model: Model; onClose: () => void }) {
    const { t } = useI18n();
    const update = useUpdateModel(model.id);
    const [name, setName] = useState(model.name);
    const submit = (event: FormEvent) => {
        event.preventDefault();
        update.mutate({ name }, { onSuccess: onClose });
    };
    return (
        <Dialog open onClose={onClose} title={t("model.rename")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("field.name")} required autoFocus maxLength={256} value={name} onChange={(event) => setName(event.target.value)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={update.isPending}>{t("action.save")}</Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
