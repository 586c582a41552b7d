/* Makes a webhook, or changes it. The secret is made here and shown here alone: the server never tells it. */
import { RefreshCw } from "lucide-react";
import { useState, type FormEvent } from "react";
import type { Webhook } from "../../api/types";
import { useSaveWebhook } from "../../api/webhooks";
import { Button } from "../../components/Button";
import { CopyButton } from "../../components/CodeBlock";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Checkbox, Input } from "../../components/Field";
import { ErrorState } from "../../components/Status";
import { useI18n, type Key } from "../../i18n/i18n";
import { fieldError } from "../../lib/fieldError";
import { newSecret } from "../../lib/newSecret";
import css from "./Webhooks.module.css";

const GROUPS: { title: Key; events: string[] }[] = [
    {
        title: "webhook.models",
        events: ["registered_model.created", "model_version.created", "model_version_tag.set", "model_version_tag.deleted", "model_version_alias.created", "model_version_alias.deleted"],
    },
    {
        title: "webhook.prompts",
        events: ["prompt.created", "prompt_version.created", "prompt_tag.set", "prompt_tag.deleted", "prompt_version_tag.set", "prompt_version_tag.deleted", "prompt_alias.created", "prompt_alias.deleted"],
    },
];
const USUAL = ["model_version.created", "model_version_alias.created"];
const BESIDE = ["name", "url", "events", "description", "secret"];

function Events({ chosen, error, onChange }: { chosen: string[]; error: string | null; onChange: (events: string[]) => void }) {
    const { t, label } = useI18n();
    const toggle = (event: string) => onChange(chosen.includes(event) ? chosen.filter((one) => one !== event) : [...chosen, event]);
    return (
        <div className={css.events}>
            {GROUPS.map((group) => (
                <fieldset key={group.title}>
                    <legend>{t(group.title)}</legend>
                    {group.events.map((event) => (
                        <Checkbox key={event} label={label("event", event)} checked={chosen.includes(event)} onChange={() => toggle(event)} />
                    ))}
                </fieldset>
            ))}
            {error && (
                <p className={css.error} role="alert">
                    {error}
                </p>
            )}
        </div>
    );
}

export function WebhookForm({ project, hook, onClose }: { project: string; hook: Webhook | null; onClose: () => void }) {
    const { t } = useI18n();
    const save = useSaveWebhook(project, hook?.id ?? null);
    const [form, setForm] = useState({ name: hook?.name ?? "", url: hook?.url ?? "", description: hook?.description ?? "" });
    const [events, setEvents] = useState(hook?.events ?? USUAL);
    const [secret, setSecret] = useState(() => (hook ? "" : newSecret()));
    const [on, setOn] = useState(hook?.status !== "disabled");
    const [unsigned, setUnsigned] = useState(false);
    const text = (key: keyof typeof form) => ({
        value: form[key],
        error: fieldError(save.error, key),
        onChange: (event: { target: { value: string } }) => setForm({ ...form, [key]: event.target.value }),
    });
    const submit = (event: FormEvent) => {
        event.preventDefault();
        const signing = unsigned ? { secret: "" } : secret === "" ? {} : { secret };
        save.mutate({ ...form, events, status: on ? "active" : "disabled", ...signing }, { onSuccess: onClose });
    };
    const elsewhere = save.isError && !BESIDE.some((key) => fieldError(save.error, key) !== null);
    return (
        <Dialog open onClose={onClose} title={t(hook ? "webhook.edit" : "webhook.new")} description={t("webhook.new.body")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("field.name")} hint={t("webhook.name.hint")} required maxLength={63} {...text("name")} />
                <Input label={t("webhook.url")} hint={t("webhook.url.hint")} type="url" required maxLength={2000} {...text("url")} />
                <Events chosen={events} error={fieldError(save.error, "events")} onChange={setEvents} />
                <div className={css.secret}>
                    <Input
                        label={t("webhook.secret")}
                        hint={t(hook ? (hook.has_secret ? "webhook.secret.kept" : "webhook.secret.none") : "webhook.secret.once")}
                        autoComplete="off"
                        spellCheck={false}
                        maxLength={1000}
                        disabled={unsigned}
                        value={secret}
                        error={fieldError(save.error, "secret")}
                        onChange={(event) => setSecret(event.target.value)}
                    />
                    <CopyButton text={secret} />
                    <Button small variant="ghost" icon={RefreshCw} aria-label={t("webhook.secret.new")} title={t("webhook.secret.new")} disabled={unsigned} onClick={() => setSecret(newSecret())} />
                </div>
                <Checkbox label={t("webhook.unsigned")} checked={unsigned} onChange={(event) => setUnsigned(event.target.checked)} />
                <Input label={t("field.description")} maxLength={1000} {...text("description")} />
                <Checkbox label={t("webhook.on")} checked={on} onChange={(event) => setOn(event.target.checked)} />
                {elsewhere && <ErrorState error={save.error} />}
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={save.isPending} disabled={events.length === 0}>
                        {t(hook ? "action.save" : "action.create")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
