/* What a new token is for: its name, scopes, the projects it is limited to, and when it ends. */
import { useState, type FormEvent } from "react";
import type { ApiTokenCreate, Project } from "../api/types";
import { useI18n } from "../i18n/i18n";
import { Button } from "./Button";
import { DialogFooter } from "./Dialog";
import { Checkbox, Input, Select } from "./Field";
import css from "./Field.module.css";

const SCOPES = ["read", "ingest", "write", "admin", "metrics"] as const;
const EXPIRIES = [7, 30, 90, 365];

interface TokenFormProps {
    projects: Project[];
    busy: boolean;
    onSubmit: (token: ApiTokenCreate) => void;
    onCancel: () => void;
}

function toggled(list: string[], item: string, on: boolean): string[] {
    return on ? [...list, item] : list.filter((other) => other !== item);
}

export function TokenForm({ projects, busy, onSubmit, onCancel }: TokenFormProps) {
    const { t, tn } = useI18n();
    const [name, setName] = useState("");
    const [scopes, setScopes] = useState<string[]>(["read", "write"]);
    const [limits, setLimits] = useState<string[]>([]);
    const [days, setDays] = useState("90");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        onSubmit({
            name,
            scopes,
            ...(limits.length > 0 ? { projects: limits } : {}),
            ...(days === "" ? {} : { expires_in_days: Number(days) }),
        });
    };
    return (
        <form className="stack" onSubmit={submit}>
            <Input label={t("field.name")} hint={t("token.name.hint")} required maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
            <fieldset className={css.choices}>
                <legend className={css.label}>{t("token.scopes")}</legend>
                {SCOPES.map((scope) => (
                    <Checkbox key={scope} label={t(`scope.${scope}.long`)} checked={scopes.includes(scope)} onChange={(event) => setScopes(toggled(scopes, scope, event.target.checked))} />
                ))}
            </fieldset>
            <fieldset className={css.choices}>
                <legend className={css.label}>{t("token.projects")}</legend>
                {projects.map(({ slug, name: project }) => (
                    <Checkbox key={slug} label={project} checked={limits.includes(slug)} onChange={(event) => setLimits(toggled(limits, slug, event.target.checked))} />
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
                <Button onClick={onCancel}>{t("action.cancel")}</Button>
                <Button type="submit" variant="primary" disabled={scopes.length === 0} busy={busy}>
                    {t("action.create")}
                </Button>
            </DialogFooter>
        </form>
    );
}
