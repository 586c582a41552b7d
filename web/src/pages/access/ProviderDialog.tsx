/* Sets an identity provider up, or changes it. A secret that is there is kept unless another is typed. */
import { useState, type FormEvent } from "react";
import { useSaveProvider } from "../../api/sso";
import type { Provider } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Checkbox, Input, Select, Textarea } from "../../components/Field";
import { ErrorState } from "../../components/Status";
import { useI18n } from "../../i18n/i18n";
import { ROLES, type Role } from "../../lib/grantable";
import { fieldError } from "../../lib/fieldError";
import { formatGroupRoles, parseGroupRoles } from "../../lib/groupRoles";

const BLANK = { name: "", issuer: "", client_id: "", group_claim: "groups", default_role: null, sso_only: false, enabled: true };
const BESIDE = ["name", "issuer", "client_id", "client_secret", "group_claim"];

export function ProviderDialog({ provider, onClose }: { provider: Provider | null; onClose: () => void }) {
    const { t } = useI18n();
    const save = useSaveProvider(provider?.id ?? null);
    const [form, setForm] = useState<Pick<Provider, keyof typeof BLANK>>(provider ?? BLANK);
    const [secret, setSecret] = useState("");
    const [mapping, setMapping] = useState(formatGroupRoles(provider?.group_roles ?? []));
    const group_roles = parseGroupRoles(mapping);
    const text = (key: "name" | "issuer" | "client_id" | "group_claim") => ({
        required: true,
        value: form[key],
        error: fieldError(save.error, key),
        onChange: (event: { target: { value: string } }) => setForm({ ...form, [key]: event.target.value }),
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        if (group_roles === null) return;
        const { name, issuer, client_id, group_claim, default_role, sso_only, enabled } = form;
        const body = { name, issuer, client_id, group_claim, default_role, sso_only, enabled, group_roles };
        save.mutate({ ...body, ...(secret === "" ? {} : { client_secret: secret }) }, { onSuccess: onClose });
    };
    const elsewhere = save.isError && !BESIDE.some((key) => fieldError(save.error, key) !== null);
    return (
        <Dialog open onClose={onClose} title={t(provider ? "provider.edit" : "provider.new")} description={t("provider.new.body")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("field.name")} hint={t("provider.name.hint")} maxLength={200} {...text("name")} />
                <Input label={t("provider.issuer")} hint={t("provider.issuer.hint")} type="url" {...text("issuer")} />
                <Input label={t("provider.client_id")} {...text("client_id")} />
                <Input
                    label={t("provider.client_secret")}
                    hint={t(provider?.has_secret ? "provider.secret.kept" : "provider.secret.none")}
                    type="password"
                    autoComplete="off"
                    value={secret}
                    error={fieldError(save.error, "client_secret")}
                    onChange={(event) => setSecret(event.target.value)}
                />
                <Input label={t("provider.group_claim")} {...text("group_claim")} />
                <Textarea
                    label={t("provider.group_roles")}
                    hint={t("provider.group_roles.hint")}
                    error={group_roles === null ? t("provider.group_roles.wrong") : null}
                    rows={3}
                    value={mapping}
                    onChange={(event) => setMapping(event.target.value)}
                />
                <Select label={t("provider.default_role")} value={form.default_role ?? ""} onChange={(event) => setForm({ ...form, default_role: (event.target.value || null) as Role | null })}>
                    <option value="">{t("provider.stay_out")}</option>
                    {ROLES.map((role) => (
                        <option key={role} value={role}>
                            {t(`role.${role}`)}
                        </option>
                    ))}
                </Select>
                <Checkbox label={t("provider.enabled")} checked={form.enabled} onChange={(event) => setForm({ ...form, enabled: event.target.checked })} />
                <Checkbox label={t("provider.sso_only")} checked={form.sso_only} onChange={(event) => setForm({ ...form, sso_only: event.target.checked })} />
                {elsewhere && <ErrorState error={save.error} />}
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={save.isPending}>
                        {t("action.save")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
