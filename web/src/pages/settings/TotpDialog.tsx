/* The QR code of a new second factor, its secret for those who type, and the code that puts it in force. */
import { useState, type FormEvent } from "react";
import { useCode } from "../../api/security";
import type { TotpSetup } from "../../api/types";
import { Button } from "../../components/Button";
import { CodeBlock } from "../../components/CodeBlock";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";
import css from "./Settings.module.css";

interface TotpProps {
    setup: TotpSetup;
    onClose: () => void;
    onDone: (codes: string[] | null) => void;
}

export function TotpDialog({ setup, onClose, onDone }: TotpProps) {
    const { t } = useI18n();
    const confirm = useCode("confirm");
    const [code, setCode] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        confirm.mutate(code.trim(), { onSuccess: (reply) => onDone(reply?.codes ?? null) });
    };
    return (
        <Dialog open onClose={onClose} title={t("security.begin")} description={t("security.scan")}>
            <form className="stack" onSubmit={submit}>
                <img className={css.qr} src={`data:image/svg+xml,${encodeURIComponent(setup.qr_svg)}`} alt={t("security.qr")} />
                <div className="stack-s">
                    <span className="muted small">{t("security.secret")}</span>
                    <CodeBlock wrap label={t("security.secret")} text={setup.secret} />
                </div>
                <Input
                    label={t("session.code")}
                    inputMode="numeric"
                    autoComplete="one-time-code"
                    required
                    maxLength={40}
                    value={code}
                    error={confirm.error?.message ?? null}
                    onChange={(event) => setCode(event.target.value)}
                />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={confirm.isPending}>
                        {t("security.confirm")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
