/* Makes a service account. */
import { useState, type FormEvent } from "react";
import { useCreateServiceAccount } from "../../api/serviceAccounts";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input, Select } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import type { Role } from "../../lib/grantable";

export function NewServiceAccountDialog({ roles, onClose }: { roles: readonly Role[]; onClose: () => void }) {
    const { t } = useI18n();
    const create = useCreateServiceAccount();
    const [name, setName] = useState("");
    const [role, setRole] = useState<Role>("editor");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        create.mutate({ name, role }, { onSuccess: onClose });
    };
    return (
        <Dialog open onClose={onClose} title={t("service.new")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("field.name")} hint={t("service.name.hint")} required maxLength={200} value={name} onChange={(event) => setName(event.target.value)} />
                <Select label={t("settings.role")} hint={t(`role.${role}.hint`)} value={role} onChange={(event) => setRole(event.target.value as Role)}>
                    {roles.map((choice) => (
                        <option key={choice} value={choice}>
                            {t(`role.${choice}`)}
                        </option>
                    ))}
                </Select>
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
