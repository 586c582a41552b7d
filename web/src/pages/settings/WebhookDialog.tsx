/* One webhook: how it stands, a try, how its signature is checked, and what was sent to it. */
import { useState } from "react";
import type { Webhook, WebhookTest } from "../../api/types";
import { useDeleteWebhook, useTestWebhook } from "../../api/webhooks";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { ConfirmDialog, Dialog } from "../../components/Dialog";
import { BareSelect } from "../../components/Field";
import { Badge, ErrorState, StatePill } from "../../components/Status";
import { Facts } from "../../components/Surface";
import { toastError } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";
import { cx } from "../../lib/cx";
import { WebhookDeliveries } from "./WebhookDeliveries";
import css from "./Webhooks.module.css";

const CHECK = `import base64, hashlib, hmac

def is_ours(secret, headers, body):  # body: the bytes as they came
    content = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.".encode() + body
    mac = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return hmac.compare_digest("v1," + base64.b64encode(mac).decode(), headers["X-MLflow-Signature"])`;

function Result({ test }: { test: WebhookTest }) {
    const { t } = useI18n();
    const took = t("webhook.took", { n: test.duration_ms });
    return (
        <div role="status" className={test.ok ? css.good : css.bad}>
            <strong>{test.ok ? t("webhook.works", { status: test.status ?? 0 }) : (test.error ?? "")}</strong> <span>{took}</span>
            {test.answer && <pre className={css.answer}>{test.answer}</pre>}
        </div>
    );
}

function Try({ project, hook }: { project: string; hook: Webhook }) {
    const { t, label } = useI18n();
    const test = useTestWebhook(project, hook.id);
    const [event, setEvent] = useState(hook.events[0] ?? "");
    return (
        <div className={cx("stack-s", css.try)}>
            <div className="row wrap">
                <BareSelect label={t("webhook.sample")} value={event} onChange={(change) => setEvent(change.target.value)}>
                    {hook.events.map((name) => (
                        <option key={name} value={name}>
                            {label("event", name)}
                        </option>
                    ))}
                </BareSelect>
                <Button busy={test.isPending} onClick={() => test.mutate(event)}>
                    {t("webhook.test")}
                </Button>
            </div>
            {test.isError && <ErrorState error={test.error} />}
            {test.data && !test.isPending && <Result test={test.data} />}
        </div>
    );
}

export function WebhookDialog({ project, hook, onEdit, onClose }: { project: string; hook: Webhook; onEdit: () => void; onClose: () => void }) {
    const { t, time, label, count } = useI18n();
    const remove = useDeleteWebhook(project);
    const [asking, setAsking] = useState(false);
    return (
        <Dialog open wide onClose={onClose} title={hook.name} description={hook.description}>
            <div className="stack">
                <div className="row wrap">
                    <StatePill state={hook.status} />
                    <Badge>{t(hook.has_secret ? "webhook.signed" : "webhook.not_signed")}</Badge>
                    <span className="grow" />
                    <Button small onClick={onEdit}>
                        {t("webhook.edit")}
                    </Button>
                    <Button small variant="ghost" onClick={() => setAsking(true)}>
                        {t("action.remove")}
                    </Button>
                </div>
                {hook.disabled_reason !== "" && (
                    <p className={css.bad} role="alert">
                        {t("webhook.switched_off", { reason: hook.disabled_reason })}
                    </p>
                )}
                {hook.failing_since && hook.status === "active" && (
                    <p className={css.bad}>{t("webhook.failing", { since: time(hook.failing_since), n: count(hook.failures) })}</p>
                )}
                <Facts
                    items={[
                        [t("webhook.url"), <span key="url" className={css.url}>{hook.url}</span>],
                        [t("webhook.events"), hook.events.map((name) => label("event", name)).join(" · ")],
                        [t("field.created_by"), hook.created_by],
                    ]}
                />
                <Try project={project} hook={hook} />
                {hook.has_secret && (
                    <details className={css.delivery}>
                        <summary>{t("webhook.check")}</summary>
                        <div className="stack-s">
                            <p className="muted small">{t("webhook.check.body")}</p>
                            <CodeBlock label={t("webhook.check")} text={CHECK} />
                        </div>
                    </details>
                )}
                <WebhookDeliveries project={project} hook={hook} />
            </div>
            <ConfirmDialog
                open={asking}
                onClose={() => setAsking(false)}
                title={t("webhook.remove.title", { name: hook.name })}
                body={t("webhook.remove.body")}
                action={t("action.remove")}
                busy={remove.isPending}
                onConfirm={() => remove.mutate(hook.id, { onSuccess: onClose, onError: toastError })}
            />
        </Dialog>
    );
}
