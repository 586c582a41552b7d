/* Makes a token and shows it this one time. */
import { useState, type FormEvent } from "react";
import { useCreateToken } from "../../api/session";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Checkbox, Input, Select } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";

const SCOPES = ["read", "write", "admin"] as const;
const EXPIRIES = [7, 30, 90, 365];

export function NewTokenDialog({ onClose }: { onClose: () => void }) {
    const { t, tn } = useI18n();
    const create = useCreateToken();
    const [name, setName] = useState("");
    const [scopes, setScopes] = useState<string[]>(["read", "write"]);
    const [days, setDays] = useState("90");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        create.mutate({ name, scopes, ...(days === "" ? {} : { expires_in_days: Number(days) }) });
    };
    if (create.data) {
        return (
            <Dialog open onClose={onClose} title={t("token.created")} description={t("token.created.body")}>
                <CodeBlock wrap label={t("token.value")} text={create.data.token} />
                <DialogFooter>
                    <Button variant="primary" onClick={onClose}>
                        {t("token.done")}
                    </Button>
                </DialogFooter>
            </Dialog>
        );
    }
    return (
        <Dialog open onClose={onClose} title={t("token.new")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("field.name")} hint={t("token.name.hint")} required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
                <fieldset className="stack-s" style={{ border: 0, margin: 0, padding: 0 }}>
                    <legend className="small">{t("token.scopes")}</legend>
                    {SCOPES.map((scope) => (
                        <Checkbox
                            key={scope}
                            label={t(`scope.${scope}.long`)}
                            checked={scopes.includes(scope)}
                            onChange={(event) => setScopes(event.target.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope))}
                        />
                    ))}
                </fieldset>
                <Select label={t("token.expires")} value={days} onChange={(event) => setDays(event.target.value)}>
                    {EXPIRIES.map((count) => (
                        <option key={count} value={count}>
                            {tn("token.days", count)}
                        </option>
                    ))}
                    <option value="">{t("token.no_expiry")}</option>
                </Select>
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" disabled={scopes.length === 0} busy={create.isPending}>
                        {t("action.create")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
