/* Sets a limit, or lifts it. */
import { useState, type FormEvent } from "react";
import { useSetQuota } from "../../api/quotas";
import type { Quota } from "../../api/types";
import { Button } from "../../components/Button";
import { Dialog, DialogFooter } from "../../components/Dialog";
import { Input } from "../../components/Field";
import { useI18n } from "../../i18n/i18n";

const GIGABYTE = 1e9;

export function QuotaDialog({ quota, onClose }: { quota: Quota; onClose: () => void }) {
    const { t } = useI18n();
    const set = useSetQuota();
    const isStorage = quota.name === "storage_bytes";
    const unit = isStorage ? GIGABYTE : 1;
    const [limit, setLimit] = useState(quota.limit === null ? "" : String(quota.limit / unit));
    const submit = (event: FormEvent) => {
        event.preventDefault();
        set.mutate({ name: quota.name, limit: limit === "" ? null : Math.round(Number(limit) * unit) }, { onSuccess: onClose });
    };
    return (
        <Dialog open onClose={onClose} title={t("quota.set", { name: t(`quota.${quota.name}`) })} description={t("quota.set.body")}>
            <form className="stack" onSubmit={submit}>
                <Input label={t(isStorage ? "quota.limit.gb" : "quota.limit")} hint={t("quota.limit.hint")} type="number" min={0} step={isStorage ? "any" : 1} value={limit} onChange={(event) => setLimit(event.target.value)} />
                <DialogFooter>
                    <Button onClick={onClose}>{t("action.cancel")}</Button>
                    <Button type="submit" variant="primary" busy={set.isPending}>
                        {t("action.save")}
                    </Button>
                </DialogFooter>
            </form>
        </Dialog>
    );
}
