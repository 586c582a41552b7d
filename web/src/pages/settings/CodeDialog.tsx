/* Asks for a code before the second factor is removed or its recovery codes are replaced. */
import { useState, type FormEvent } from "react";
import { useCode } from "../../api/security";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input } from "../../components/Field";
import { toast } from "../../components/Toaster";
import { useI18n } from "../../i18n/i18n";

interface CodeProps {
    use: "renew" | "remove";
    onClose: () => void;
    onDone: (codes: string[] | null) => void;
}

export function CodeDialog({ use, onClose, onDone }: CodeProps) {
    const { t } = useI18n();
    const send = useCode(use);
    const [code, setCode] = useState("");
    const submit = (event: FormEvent) => {
        event.preventDefault();
        send.mutate(code.trim(), {
            onSuccess: (reply) => {
                if (use === "remove") toast(t("security.removed"));
                onDone(reply?.codes ?? null);
            },
        });
    };
    return (
        <Dialog open onClose={onClose} title={t(`security.${use}`)} description={t(`security.${use}.body`)}>
            <form className="stack" onSubmit={submit}>
                <Input label={t("session.code")} hint={t("session.code.hint")} autoComplete="one-time-code" autoFocus required maxLength={40} value={code} error={send.error?.message ?? null} onChange={(event) => setCode(event.target.value)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant={use === "remove" ? "danger" : "primary"} busy={send.isPending}>
                        {t(`security.${use}`)}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
