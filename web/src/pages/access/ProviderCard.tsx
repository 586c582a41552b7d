/* One identity provider: how it is set up, and each step of a test of the connection. */
import { CircleCheck, CircleX } from "lucide-react";
import { useState } from "react";
import { useDeleteProvider, useTestProvider } from "../../api/sso";
import type { Provider, ProviderTest } from "../../api/types";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { ConfirmDialog } from "../../components/Dialog";
import { Badge } from "../../components/Status";
import { Card, Facts } from "../../components/Surface";
import { toastError } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";
import css from "./Access.module.css";

export function ProviderCard({ provider, onEdit }: { provider: Provider; onEdit: () => void }) {
    const { t, label } = useI18n();
    const check = useTestProvider();
    const remove = useDeleteProvider();
    const [asking, setAsking] = useState(false);
    const actions = (
        <>
            <Button small busy={check.isPending} onClick={() => check.mutate(provider.id)}>
                {t("provider.test")}
            </Button>
            <Button small onClick={onEdit}>
                {t("provider.edit")}
            </Button>
            <Button small variant="ghost" onClick={() => setAsking(true)}>
                {t("action.remove")}
            </Button>
        </>
    );
    return (
        <Card title={provider.name} actions={actions}>
            <div className="stack">
                <div className="row">
                    <Badge>{t(provider.enabled ? "security.on" : "security.off")}</Badge>
                    {provider.sso_only && <Badge>{t("provider.sso_only.short")}</Badge>}
                </div>
                <Facts
                    items={[
                        [t("provider.issuer"), provider.issuer],
                        [t("provider.client_id"), provider.client_id],
                        [t("provider.default_role"), provider.default_role ? label("role", provider.default_role) : t("provider.stay_out")],
                        [t("provider.group_roles"), provider.group_roles.map((row) => `${row.group}: ${label("role", row.role)}`).join(", ")],
                    ]}
                />
                <div className="stack-s">
                    <span className="muted small">{t("provider.redirect_uri")}</span>
                    <CodeBlock wrap label={t("provider.redirect_uri")} text={provider.redirect_uri} />
                </div>
                {check.data && <Steps test={check.data} />}
            </div>
            <ConfirmDialog
                open={asking}
                onClose={() => setAsking(false)}
                title={t("provider.remove.title", { name: provider.name })}
                body={t("provider.remove.body")}
                action={t("action.remove")}
                busy={remove.isPending}
                onConfirm={() => remove.mutate(provider.id, { onError: toastError })}
            />
        </Card>
    );
}

function Steps({ test }: { test: ProviderTest }) {
    const { label, t } = useI18n();
    return (
        <div role="status">
            <strong>{t(test.ok ? "provider.works" : "provider.fails")}</strong>
            <ol className={css.steps}>
                {test.steps.map((step) => (
                    <li key={step.name} className={step.ok ? css.passed : css.failed}>
                        {step.ok ? <CircleCheck size={16} aria-hidden /> : <CircleX size={16} aria-hidden />}
                        <span>
                            <strong>{label("provider.step", step.name)}</strong> <span className="muted">{step.detail}</span>
                        </span>
                    </li>
                ))}
            </ol>
        </div>
    );
}
